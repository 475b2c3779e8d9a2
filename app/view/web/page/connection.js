// The stream of events: begun again whenever it broke, and let go while nobody looks at the page.

const silence_ms = 5000; // the server sends five a second
const pause_ms = 1000;

/**
 * on.settings, on.history, on.status get each event's object. on.state gets 'live' with the first event of a
 * connection, 'lost' when it broke, 'refused' when the server wants a token, and 'away' while the page is hidden.
 */
export function connect(on) {
  let source = null;
  let timer = 0;
  let state = '';

  const enter = (next) => {
    if (state !== next) on.state((state = next));
  };
  const after = (ms, action) => {
    clearTimeout(timer);
    timer = setTimeout(action, ms);
  };
  const drop = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };

  const lose = () => {
    drop();
    enter('lost');
    after(pause_ms, open);
  };
  const open = () => {
    source = new EventSource('/api/events');
    source.onerror = async () => {
      lose();
      // An EventSource does not tell why.
      const answer = await fetch('/api/settings').catch(() => null);
      if (answer?.status === 401 && state === 'lost') enter('refused');
    };
    for (const name of ['settings', 'history', 'status']) {
      source.addEventListener(name, (event) => {
        after(silence_ms, lose); // a network that died says nothing
        enter('live');
        on[name](JSON.parse(event.data));
      });
    }
    after(2 * silence_ms, lose);
  };

  // A hidden page costs the machine nothing, and a browser gives all its pages together six connections.
  const look = () => {
    if (document.hidden) {
      drop();
      enter('away');
    } else if (!source) {
      open();
    }
  };
  document.addEventListener('visibilitychange', look);
  look();
}

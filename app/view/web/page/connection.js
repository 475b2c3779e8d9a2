// The stream of events: begun again whenever it broke, and let go while nobody looks at the page.

const silence_ms = 5000; // the server sends five a second
const pause_ms = 1000;
const names = ['settings', 'history', 'status'];

/** Why the server gives no events, which an EventSource does not tell: ['refused'], ['full', its words], or ['lost']. */
async function reason() {
  try {
    const answer = await fetch('/api/events', { signal: AbortSignal.timeout(silence_ms) });
    if (answer.status === 401) return ['refused'];
    if (answer.status === 503) return ['full', (await answer.json()).error];
    await answer.body?.cancel();
  } catch {
    // no answer is one, too
  }
  return ['lost'];
}

/**
 * on.settings, on.history, on.status get each event's object. on.state gets 'connecting' first and when the page is
 * looked at again, 'live' with the first event of a connection, 'lost' when it broke, 'refused' when the server wants a
 * token, 'full' and the server's words when it has no room, and 'away' while the page is hidden.
 */
export function connect(on) {
  let source = null;
  let timer = 0;
  let state = '';

  const enter = (next, words) => {
    if (state !== next) on.state((state = next), words);
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

  const again = () => {
    drop();
    after(pause_ms, open);
  };
  const lose = () => {
    again();
    enter('lost');
  };
  const open = () => {
    source = new EventSource('/api/events');
    source.onerror = async () => {
      again();
      if (state === 'live') enter('lost'); // else what it was stays until it is known anew
      const why = await reason();
      if (state !== 'live' && state !== 'away') enter(...why);
    };
    for (const name of names) {
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
      enter('connecting');
      open();
    }
  };
  document.addEventListener('visibilitychange', look);
  look();
}

// The live page: what the server tells goes to the part that shows it.
import { Charts } from './charts.js';
import { connect } from './connection.js';
import { Facts } from './facts.js';
import { Picture } from './picture.js';
import { Predictions } from './predictions.js';
import { Settings } from './settings.js';
import { duration, write } from './words.js';

const blind_after_ms = 3000; // without a frame named

const picture = new Picture();
const predictions = new Predictions();
const charts = charts_or_none();
const facts = new Facts();
const settings = new Settings(({ settings: { top_k } }) => predictions.reserve(top_k));
const state = document.querySelector('#state');
let version = null;

predictions.reserve(10);

/** The rest goes on without Chart.js. */
function charts_or_none() {
  try {
    return new Charts();
  } catch (error) {
    console.error(error);
    const note = document.createElement('p');
    note.textContent = 'The charts did not load. Reload the page to try again.';
    document.querySelector('#charts .grid').replaceChildren(note);
    return { replace() {}, show() {} };
  }
}

function say(word, text, notice = null) {
  document.body.dataset.state = word;
  write(state, text);
  picture.say(notice);
}

function show(now) {
  write(document.querySelector('#device'), now.device);
  document.title = `${now.device} – glimpse`;
  write(document.querySelector('#source'), now.view.source ? `${now.view.source}.` : null);
  picture.show(now.view);
  predictions.show(now.predictions);
  facts.show(now);
}

const as_sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

// As it was when the server sent the page: something to see until the first event comes.
let first = JSON.parse(document.querySelector('#first-status').textContent);
if (first) show(first);

connect({
  state(now, words) {
    settings.enable(now === 'live');
    if (now === 'live') {
      say('live', 'live');
      picture.watch();
      return;
    }
    picture.leave();
    switch (now) {
      case 'away': return;
      case 'connecting': say('connecting', 'connecting', first ? null : 'Connecting…'); return;
      case 'refused': say('lost', 'token needed', 'Open the address with ?token=… that glimpse printed at its start.'); return;
      case 'full': say('lost', 'busy', `${as_sentence(words)} Trying again…`); return;
      default: say('lost', 'connection lost', 'Connection lost. Trying again…');
    }
  },
  settings: (now) => settings.show(now),
  history: (past) => charts.replace(past),
  status(now) {
    first = null;
    const { view } = now;
    version ??= view.version;
    if (version !== view.version) location.reload(); // another glimpse has another page
    const silent_ms = view.named_ms_ago ?? 1000 * view.uptime_s;
    if (silent_ms <= blind_after_ms) say('live', 'live');
    else say('blind', 'no frames', `No frame from the source for ${duration(silent_ms / 1000)}.`);
    charts.show(now);
    show(now);
  },
});

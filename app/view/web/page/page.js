// The live page: what the server tells goes to the part that shows it.
import { Charts } from './charts.js';
import { connect } from './connection.js';
import { Facts } from './facts.js';
import { Picture } from './picture.js';
import { Predictions } from './predictions.js';
import { Settings } from './settings.js';
import { write } from './words.js';

const picture = new Picture();
const predictions = new Predictions();
const charts = new Charts();
const facts = new Facts();
const settings = new Settings(({ settings: { top_k } }) => predictions.reserve(top_k));
const state = document.querySelector('#state');
let version = null;

predictions.reserve(10);

function say(word, text, notice = null) {
  document.body.dataset.state = word;
  write(state, text);
  picture.say(notice);
}

connect({
  state(now) {
    settings.enable(now === 'live');
    if (now === 'live') {
      say('live', 'live');
      picture.watch();
      return;
    }
    picture.leave();
    if (now === 'away') return;
    if (now === 'refused') say('lost', 'token needed', 'Open the address with ?token=… that glimpse printed at its start.');
    else say('lost', 'connection lost', 'Connection lost. Trying again…');
  },
  settings: (now) => settings.show(now),
  history: (past) => charts.replace(past),
  status(now) {
    version ??= now.view.version;
    if (version !== now.view.version) location.reload(); // another glimpse has another page
    const sees = now.fps.inference !== 0;
    if (sees) say('live', 'live');
    else say('blind', 'no frames', 'No frames come from the source.');
    write(document.querySelector('#device'), now.device);
    document.title = `${now.device} – glimpse`;
    write(document.querySelector('#source'), now.view.source ? `${now.view.source}.` : null);
    picture.show(now.view);
    predictions.show(now.predictions);
    charts.show(now);
    facts.show(now);
  },
});

// The settings form. What it shows is what the server says, but for what is being asked for right now.
import { form as form_word, write } from './words.js';

const form = document.querySelector('#settings form');
const { model, top_k, interval_s } = form.elements;
const radios = [...form.querySelectorAll('[name=quantized]')];
const precision = form.querySelector('fieldset');
const missing_form = document.querySelector('#missing-form');
const progress = form.querySelector('progress');
const answer = document.querySelector('#answer');
const patience_ms = 40_000; // the server answers within 30 s
const words = { model: 'Model', quantized: 'Precision', top_k: 'Names shown', interval_s: 'Record every' };

const least_s = 0.001; // what is less would become 0, a record of every frame
const number = ({ value }) => (value.trim() ? Number(value.replace(',', '.')) : NaN);
const is_number = (input) => input === top_k || input === interval_s;

export class Settings {
  #server = null; // as GET /api/settings has it
  #enabled = false;
  #asked = null; // the change on its way
  #heard = null; // what events told of it: they may come before its answer
  #next = {}; // asked for meanwhile
  #unheard = null; // a change whose end the event will tell

  constructor(on_shown) {
    this.on_shown = on_shown;
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('input', (event) => { event.target.being_typed = is_number(event.target); });
    form.addEventListener('focusout', ({ target }) => {
      target.being_typed = false; // also what was typed and taken back, which is no change
      if (this.#server) this.#render();
    });
    form.addEventListener('change', (event) => this.#changed(event.target));
    this.enable(false);
  }

  /** Nothing loses the keyboard's focus by it. */
  enable(enabled) {
    this.#enabled = enabled;
    for (const element of [model, top_k, interval_s, ...radios]) element.setAttribute('aria-disabled', String(!enabled));
    top_k.readOnly = interval_s.readOnly = !enabled;
    if (this.#server) this.#render();
  }

  /** What the server says, at any time. */
  show(server) {
    this.#server = server;
    if (this.#asked) {
      if (server.changing) this.#heard.begun = true;
      else if (this.#heard.begun || this.#holds(this.#asked)) this.#heard.ended = true;
    }
    if (this.#unheard && !server.changing) this.#tell_end();
    this.#render();
    this.on_shown(server);
  }

  #tell_end() {
    this.#tell(this.#holds(this.#unheard) ? this.#done(this.#unheard) : 'Not carried out: the log of glimpse says why.');
    this.#unheard = null;
  }

  #changed(input) {
    if (!this.#enabled) {
      this.#tell('Not connected: nothing was changed.', true);
      if (this.#server) this.#render();
      return;
    }
    const fault = this.#fault(input);
    if (fault) {
      this.#tell(`${words[input.name]}: ${fault}`, true);
      return;
    }
    input.being_typed = false;
    const change = { [input.name]: is_number(input) ? number(input) : input.value };
    if (input.name === 'quantized') change.quantized = input.value === 'true';
    // A model that has but one form is asked for in that one.
    if (input.name === 'model' && !this.#forms(input.value).includes(form_word(this.#wanted('quantized'))))
      change.quantized = !this.#wanted('quantized');
    Object.assign(this.#next, change);
    if (!this.#asked) this.#ask();
  }

  /** What is wrong with what was typed; '' if nothing is. */
  #fault(input) {
    if (!input.checkValidity()) return input.validationMessage;
    if (input !== interval_s) return '';
    const { min, max } = this.#server.limits.interval_s;
    const seconds = number(input);
    if (seconds >= Math.max(min, least_s) && seconds <= max) return '';
    return seconds === 0 && min === 0 ? '' : `expected 0, or ${least_s} to ${max} seconds`;
  }

  async #ask() {
    while (Object.keys(this.#next).length) {
      this.#asked = this.#next;
      this.#next = {};
      this.#heard = { begun: false, ended: false };
      this.#tell(this.#begun(this.#asked));
      this.#render();
      await this.#patch(this.#asked);
      this.#asked = null;
      this.#render();
    }
  }

  async #patch(change) {
    try {
      const response = await fetch('/api/settings', {
        method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(change),
        signal: AbortSignal.timeout(patience_ms),
      });
      const body = await response.json();
      if (response.status === 200) {
        if (!this.#heard.ended) this.#server = body; // else the events have told newer things already
        this.#tell(this.#done(change));
      } else if (response.status === 202) {
        this.#unheard = change;
        if (this.#heard.ended) this.#tell_end();
        else if (!body.changing) this.show(body);
      } else {
        const reasons = body.refusals?.map(({ setting, reason }) => (words[setting] ? `${words[setting]}: ${reason}` : reason));
        this.#tell(`Refused. ${reasons?.join('; ') ?? body.error}`, true);
      }
    } catch {
      this.#tell('No answer. What holds is shown here as soon as glimpse tells it.', true);
    }
  }

  #render() {
    const { settings, limits, models, changing } = this.#server;
    top_k.min = limits.top_k.min;
    top_k.max = limits.top_k.max;
    const names = models.map(({ name }) => name);
    if (!names.includes(settings.model)) names.unshift(settings.model);
    if (names.join('\n') !== [...model.options].map(({ value }) => value).join('\n'))
      model.replaceChildren(...names.map((name) => new Option(name, name)));

    const show = (input, value) => {
      if (!input.being_typed) input.value = value;
    };
    show(top_k, this.#wanted('top_k'));
    show(interval_s, this.#wanted('interval_s'));
    model.value = this.#wanted('model');
    const forms = this.#forms(model.value);
    for (const radio of radios) {
      radio.checked = radio.value === String(this.#wanted('quantized'));
      radio.disabled = !forms.includes(form_word(radio.value === 'true')) && !radio.checked;
    }
    const missing = radios.find((radio) => radio.disabled);
    write(missing_form, missing ? `${model.value} has no ${form_word(missing.value === 'true')} form.` : '');
    progress.hidden = !(changing || this.#asked);
    precision.setAttribute('aria-busy', String(!progress.hidden)); // not the form: what is told in it is to be read out
  }

  #forms(name) {
    return this.#server.models.find((known) => known.name === name)?.forms ?? ['float', 'int8'];
  }

  #wanted(name) {
    return this.#next[name] ?? this.#asked?.[name] ?? this.#unheard?.[name] ?? this.#server.settings[name];
  }

  #holds(change) {
    return Object.entries(change).every(([name, value]) => this.#server.settings[name] === value);
  }

  #begun(change) {
    if (!('model' in change || 'quantized' in change)) return '';
    const { settings } = this.#server;
    return `Loading ${this.#which(change)}. Until it is ready ${settings.model} ${form_word(settings.quantized)} goes on.`;
  }

  #done(change) {
    const { settings } = this.#server; // what came of it, which need not be what was asked for
    if ('model' in change || 'quantized' in change) return `${this.#which(settings)} runs now.`;
    if ('top_k' in change) return `Up to ${settings.top_k} names from now on.`;
    return settings.interval_s ? `A record every ${settings.interval_s} s from now on.` : 'A record of every frame from now on.';
  }

  #which({ model: name, quantized }) {
    const { settings } = this.#server;
    return `${name ?? settings.model} ${form_word(quantized ?? settings.quantized)}`;
  }

  #tell(text, alarming = false) {
    write(answer, text);
    answer.classList.toggle('alarming', alarming);
  }
}

// The settings form. What it shows is what the server says, but for what is being asked for right now.
import { form as form_word, write } from './words.js';

const form = document.querySelector('#settings form');
const { model, top_k, interval_s } = form.elements;
const radios = [...form.querySelectorAll('[name=quantized]')];
const progress = form.querySelector('progress');
const answer = document.querySelector('#answer');
const words = { model: 'Model', quantized: 'Precision', top_k: 'Names shown', interval_s: 'Record every' };

export class Settings {
  #server = null; // as GET /api/settings has it
  #asked = null; // the change on its way
  #next = {}; // asked for meanwhile
  #unheard = null; // a change whose end the event will tell

  constructor(on_shown) {
    this.on_shown = on_shown;
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('input', (event) => { event.target.being_typed = event.target.type === 'number'; });
    form.addEventListener('change', (event) => this.#changed(event.target));
    this.enable(false);
  }

  enable(enabled) {
    for (const element of form.elements) element.disabled = !enabled;
    if (enabled && this.#server) this.#render();
  }

  /** What the server says, at any time. */
  show(server) {
    this.#server = server;
    if (this.#unheard && !server.changing) {
      this.#tell(this.#holds(this.#unheard) ? this.#done(this.#unheard) : 'Not carried out: the log of glimpse says why.');
      this.#unheard = null;
    }
    this.#render();
    this.on_shown(server);
  }

  #changed(input) {
    if (!input.checkValidity()) {
      this.#tell(`${words[input.name]}: ${input.validationMessage}`, true);
      return;
    }
    input.being_typed = false;
    const change = { [input.name]: input.type === 'number' ? input.valueAsNumber : input.value };
    if (input.name === 'quantized') change.quantized = input.value === 'true';
    // A model that has but one form is asked for in that one.
    if (input.name === 'model' && !this.#forms(input.value).includes(form_word(this.#wanted('quantized'))))
      change.quantized = !this.#wanted('quantized');
    Object.assign(this.#next, change);
    if (!this.#asked) this.#ask();
  }

  async #ask() {
    while (Object.keys(this.#next).length) {
      this.#asked = this.#next;
      this.#next = {};
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
      });
      const body = await response.json();
      if (response.status === 200) {
        this.#server = body;
        this.#tell(this.#done(change));
      } else if (response.status === 202) {
        this.#unheard = change;
      } else {
        const reasons = body.refusals?.map(({ setting, reason }) => (words[setting] ? `${words[setting]}: ${reason}` : reason));
        this.#tell(`Refused. ${reasons?.join('; ') ?? body.error}`, true);
      }
    } catch {
      this.#tell('No answer: whether it was changed shows when the connection is back.', true);
    }
  }

  #render() {
    const { settings, limits, models, changing } = this.#server;
    for (const [input, limit] of [[top_k, limits.top_k], [interval_s, limits.interval_s]]) {
      input.min = limit.min;
      input.max = limit.max;
    }
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
      const missing = !forms.includes(form_word(radio.value === 'true')) && !radio.checked;
      radio.disabled = missing || model.disabled;
      radio.parentElement.title = missing ? `${model.value} has no such form` : '';
    }
    progress.hidden = !(changing || this.#asked);
    form.setAttribute('aria-busy', String(!progress.hidden));
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
    if ('model' in change || 'quantized' in change) return `${this.#which(this.#server.settings)} runs now.`;
    if ('top_k' in change) return `${change.top_k} names from now on.`;
    return change.interval_s ? `A record every ${change.interval_s} s from now on.` : 'A record of every frame from now on.';
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

// What the network thinks: the most probable on top, and a bar for each.
import { percent, write } from './words.js';

const scrolls_beyond = 12; // rows, as style.css has it
const sizes = ['one-line', 'one-smaller-line', 'two-lines', 'three-lines']; // of the top name, as style.css has them

export class Predictions {
  #name = document.querySelector('#top bdi');
  #percent = document.querySelector('#top .percent');
  #list = document.querySelector('#bars');
  #rows = [];
  #least = 0;

  constructor() {
    new ResizeObserver(() => this.#fit()).observe(this.#name);
  }

  /** Room for so many, ten at most, also before they are there. */
  reserve(rows) {
    this.#least = Math.min(rows, 10);
    this.#resize(this.#least);
  }

  #resize(rows) {
    while (this.#rows.length > rows) this.#rows.pop().item.remove();
    while (this.#rows.length < rows) this.#rows.push(this.#row());
    const scrolls = rows > scrolls_beyond;
    this.#list.classList.toggle('scrolls', scrolls);
    if (scrolls) this.#list.tabIndex = 0;
    else this.#list.removeAttribute('tabindex');
  }

  show(predictions) {
    this.#resize(Math.max(predictions.length, this.#least));
    const [first] = predictions;
    if (write(this.#name, first ? first.label : null)) this.#fit();
    write(this.#percent, first ? percent(first.probability, 0) : '');
    this.#rows.forEach((row, rank) => {
      const prediction = predictions[rank];
      row.item.hidden = !prediction;
      write(row.label, prediction?.label ?? '');
      write(row.percent, prediction ? percent(prediction.probability) : '');
      row.label.title = prediction?.label ?? '';
      row.bar.style.transform = `scaleX(${prediction?.probability ?? 0})`;
    });
  }

  /** The largest of the sizes in which the name is whole, whatever the font; its room is the same in all. */
  #fit() {
    const name = this.#name;
    for (const size of sizes) {
      name.className = size;
      if (name.scrollWidth <= name.clientWidth && name.scrollHeight <= name.clientHeight) return;
    }
  }

  #row() {
    const make = (tag, className, ...children) => {
      const element = document.createElement(tag);
      element.className = className;
      element.append(...children);
      return element;
    };
    const label = make('bdi', 'label');
    const number = make('span', 'percent');
    const bar = make('span', 'bar');
    const item = make('li', '', label, number, make('span', 'track', bar));
    this.#list.append(item);
    return { item, label, percent: number, bar };
  }
}

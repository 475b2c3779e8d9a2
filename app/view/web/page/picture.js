// The live picture, with marks around the part of it that the network sees.

const pause_ms = 1000;

export class Picture {
  #frame = document.querySelector('#picture .frame');
  #first = document.querySelector('#first'); // came with the page: something to see until the stream comes
  #stream = document.querySelector('#stream');
  #crop = document.querySelector('#crop');
  #notice = document.querySelector('#notice');
  #text = null;
  #missing = false;
  #begun = 0;
  #timer = 0;

  constructor() {
    this.#stream.addEventListener('error', () => {
      if (!this.#stream.hasAttribute('src')) return;
      this.#missing = true;
      this.#render();
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.watch(), pause_ms);
    });
  }

  /** Begins the stream, anew if there was one: not every browser says when one broke. */
  watch() {
    this.#stream.src = `/stream.mjpg?${++this.#begun}`;
  }

  /** Ends it: the server encodes nothing for us any more. */
  leave() {
    if (this.#begun) this.#first.hidden = true;
    clearTimeout(this.#timer);
    this.#missing = false;
    this.#stream.removeAttribute('src');
  }

  /** A line across the picture; null: none. */
  say(text) {
    this.#text = text;
    this.#render();
  }

  show({ frame, crop }) {
    if (this.#stream.naturalWidth) this.#first.hidden = true;
    if (this.#missing && this.#stream.naturalWidth) {
      this.#missing = false;
      this.#render();
    }
    this.#crop.hidden = !crop;
    if (frame) this.#frame.style.setProperty('--ratio', frame.width / frame.height);
    if (!crop) return;
    this.#crop.style.left = `${100 * crop.x}%`;
    this.#crop.style.top = `${100 * crop.y}%`;
    this.#crop.style.width = `${100 * crop.width}%`;
    this.#crop.style.height = `${100 * crop.height}%`;
  }

  #render() {
    const text = this.#text ?? (this.#missing ? 'No picture comes. Trying again…' : null);
    this.#notice.hidden = text === null;
    this.#notice.textContent = text ?? '';
  }
}

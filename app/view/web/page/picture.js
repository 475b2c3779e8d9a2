// The live picture, with marks around the part of it that the network sees.

const pause_ms = 1000;

export class Picture {
  #frame = document.querySelector('#picture .frame');
  #stream = document.querySelector('#stream');
  #crop = document.querySelector('#crop');
  #notice = document.querySelector('#notice');
  #watching = false;
  #begun = 0;
  #timer = 0;

  constructor() {
    this.#stream.addEventListener('error', () => {
      if (!this.#watching) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.watch(), pause_ms);
    });
  }

  /** Begins the stream, anew if there was one: a browser does not say when one broke. */
  watch() {
    this.#watching = true;
    this.#stream.src = `/stream.mjpg?${++this.#begun}`;
  }

  /** Ends it: the server encodes nothing for us any more. The last picture goes with it unless it is kept. */
  leave() {
    this.#watching = false;
    clearTimeout(this.#timer);
    this.#stream.removeAttribute('src');
  }

  /** A line across the picture; null: none. */
  say(text) {
    this.#notice.hidden = text === null;
    this.#notice.textContent = text ?? '';
  }

  show({ frame, crop }) {
    this.#crop.hidden = !crop;
    if (frame) this.#frame.style.setProperty('--ratio', frame.width / frame.height);
    if (!crop) return;
    this.#crop.style.left = `${100 * crop.x}%`;
    this.#crop.style.top = `${100 * crop.y}%`;
    this.#crop.style.width = `${100 * crop.width}%`;
    this.#crop.style.height = `${100 * crop.height}%`;
  }
}

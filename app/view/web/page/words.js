// Values as text. What the server does not know is null, and shown as unknown.

/** A number with its unit, or null. What is less than 1 has a digit more. */
export function figure(value, digits, unit = '') {
  if (typeof value !== 'number') return null;
  return value.toFixed(value > 0 && value < 1 ? digits + 1 : digits) + (unit && `\u00a0${unit}`);
}

/** 0.931 as "93.1 %", or null. What is there but rounds to nothing is not shown as nothing. */
export function percent(probability, digits = 1) {
  if (typeof probability !== 'number') return null;
  const least = 10 ** -digits;
  const value = 100 * probability;
  return value > 0 && value < least ? `<\u00a0${least}\u00a0%` : `${value.toFixed(digits)}\u00a0%`;
}

/** Seconds as one or two units: "48 s", "12 min", "3 h 5 min", "2 d 4 h". */
export function duration(seconds) {
  if (typeof seconds !== 'number') return null;
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}\u00a0s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}\u00a0min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}\u00a0h ${minutes % 60}\u00a0min`;
  return `${Math.floor(hours / 24)}\u00a0d ${hours % 24}\u00a0h`;
}

/** 1234567 as "1 234 567". */
export function count(value) {
  if (typeof value !== 'number') return null;
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

export const form = (quantized) => (quantized ? 'int8' : 'float');

/** Writes a text where it is another; null as a dash that is read out as "unknown". True: it was another. */
export function write(element, text) {
  if (element.written === text) return false;
  element.written = text;
  if (text !== null) {
    element.textContent = text;
    return true;
  }
  const dash = document.createElement('span');
  dash.textContent = '–';
  dash.setAttribute('aria-hidden', 'true');
  const word = document.createElement('span');
  word.textContent = 'unknown';
  word.className = 'unseen';
  element.replaceChildren(dash, word);
  return true;
}

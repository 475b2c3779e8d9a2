// How it runs, in words.
import { count, duration, figure, form, write } from './words.js';

function link({ link }, now) {
  if (!link) return 'none: records stay here';
  const since = duration((now - link.since_ms) / 1000);
  const error = link.last_error ? `: ${link.last_error}` : '';
  switch (link.state) {
    case 'connected': return `connected for ${since}`;
    case 'waiting': return `waits for another attempt${error}`;
    case 'connecting': return `connecting${error}`;
    default: return link.state + error;
  }
}

function outbox({ link, outbox }) {
  if (!link || !outbox) return 'none, without a broker';
  const parts = [`${count(outbox.pending)} waiting`, `${count(outbox.acknowledged)} delivered`];
  if (outbox.resent) parts.push(`${count(outbox.resent)} sent again`);
  if (outbox.dropped) parts.push(`${count(outbox.dropped)} given up`);
  return parts.join(', ');
}

function throttled({ throttled, throttled_since_start: earlier }) {
  if (!throttled) return null;
  if (throttled.length) return throttled.join(', ');
  return earlier?.length ? `none now; earlier ${earlier.join(', ')}` : 'none';
}

function frames({ frames, fps }) {
  const parts = [`${count(frames.seen)} seen`];
  if (frames.dropped) parts.push(`${count(frames.dropped)} dropped`);
  if (frames.left_out) parts.push(`${count(frames.left_out)} left out`);
  if (frames.skipped) parts.push(`${count(frames.skipped)} not decodable`);
  if (fps.target !== null) parts.push(`at most ${figure(fps.target, 0)} a second (${fps.target_reason})`);
  return parts.join(', ');
}

function memory({ rss_mb: own, memory_mb: all }) {
  const parts = [];
  if (own !== null) parts.push(`glimpse ${figure(own, 0, 'MiB')}`);
  if (all !== null) parts.push(`all programs ${figure(all, 0, 'MiB')}`);
  return parts.length ? parts.join(', ') : null;
}

export class Facts {
  show(status) {
    const fact = (name, text, alarming = false) => {
      const element = document.querySelector(`#fact-${name}`);
      write(element, text);
      element.classList.toggle('alarming', alarming);
    };
    const { system, view } = status;
    fact('model', `${status.model.name}, ${form(status.model.quantized)}`);
    fact('backend', status.model.backend || null);
    fact('link', link(status, status.time_ms), status.link?.state === 'waiting');
    fact('outbox', outbox(status), Boolean(status.link && status.outbox?.dropped));
    fact('throttled', throttled(system), Boolean(system.throttled?.length));
    fact('frames', frames(status));
    fact('memory', memory(system));
    fact('running', view.uptime_s === null ? null : `for ${duration(view.uptime_s)}, glimpse ${view.version}`);
  }
}

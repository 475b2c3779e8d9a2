// A stand-in for glimpse's server, for what the real one cannot be brought to show: the same paths and answers, with
// whatever status, settings and refusals a test wants. See docs/web.md.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const page = path.join(__dirname, '../../app/view/web/page');
const chart = '/usr/share/javascript/chart.js/chart.min.js';
const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A grey pixel's JPEG: a picture that costs nothing. */
const grey = Buffer.from('/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////' +
  '////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AN//Z', 'base64');

/** As a machine has it that knows all. */
const known = () => ({
  time: 1732262400, quality: 'GOOD', hostname: 'rpiedge', value: 12.5, schema: 'glimpse/1', device: 'rpiedge', boot: 'b', seq: 42,
  time_ms: 1732262400123, trigger: 'interval',
  model: { name: 'demo', quantized: false, backend: 'xnnpack', sha256: '00' },
  fps: { capture: 36, inference: 29.8, target: null, target_reason: null },
  frames: { seen: 900, dropped: 12, left_out: 0, skipped: 0, index: 911 },
  latency_ms: { frame_age: 9.1, preprocess: 0.3, inference: { p50: 3, p90: 3.2, p99: 4.1 } },
  predictions: [{ index: 63, label: 'umbrella', probability: 0.931235 }, { index: 1, label: 'banana', probability: 0.0002 }],
  system: { cpu_percent: 12.5, per_core: [10, 15], memory_mb: 412, rss_mb: 160, temperature_c: 61.2, throttled: [],
            throttled_since_start: [], cpu_mhz: 1500, cpu_max_mhz: 1800 },
  outbox: { pending: 0, sent: 41, acknowledged: 41, resent: 0, dropped: 0 },
  link: { state: 'connected', since_ms: 1732262300456, last_error: null, last_error_ms: null },
  view: { version: '0.1.0', source: 'tests/data/clip.mp4, 640x480 at 30 fps', uptime_s: 100, named_ms_ago: 20, frame: { width: 640, height: 480 },
          crop: { x: 0.125, y: 0, width: 0.75, height: 1 }, viewers: { pictures: 1, events: 1 } },
});

const in_force = () => ({
  settings: { model: 'demo', quantized: false, top_k: 10, interval_s: 1 },
  limits: { top_k: { min: 1, max: 1000 }, interval_s: { min: 0, max: 86400 } },
  models: [{ name: 'demo', forms: ['float', 'int8'] }, { name: 'resnet18', forms: ['float'] }],
  changing: false,
});

class StandIn {
  status = known();
  settings = in_force();
  history = { time_ms: [], capture_fps: [], inference_fps: [], inference_p50_ms: [], frame_age_ms: [], cpu_percent: [], temperature_c: [] };
  picture = () => grey;
  refuse = null; // what GETs are answered with: {status, error}
  full = false; // of viewers of the pictures
  crowd = null; // why there is no room for another reader of the events
  silent = false; // to new readers
  refused = 0; // requests
  patches = [];
  /** Answers a PATCH: (change, this) => [status, body]. */
  answer = (change) => {
    Object.assign(this.settings.settings, change);
    return [200, this.settings];
  };
  #readers = new Set();
  #watchers = new Set();

  async start(port = 0) {
    this.server = http.createServer((request, response) => this.#serve(request, response));
    await new Promise((done) => { this.server.listen(port, '127.0.0.1', done); });
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}/`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((done) => { this.server.close(done); });
  }

  get watchers() { return this.#watchers.size; }
  get readers() { return this.#readers.size; }

  /** Sends every reader the state as it is now. */
  tell(...names) {
    for (const name of names) {
      for (const reader of this.#readers) reader.write(`event: ${name}\ndata: ${JSON.stringify(this[name])}\n\n`);
    }
  }

  /** The stream of pictures alone breaks off. */
  cut_pictures() {
    for (const watcher of this.#watchers) watcher.destroy();
  }

  send_picture() {
    const picture = this.picture();
    for (const watcher of this.#watchers) {
      watcher.write(`--part\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`);
      watcher.write(picture);
      watcher.write('\r\n');
    }
  }

  #stream(response, type, streams) {
    response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store' });
    streams.add(response);
    response.on('close', () => streams.delete(response));
  }

  async #serve(request, response) {
    const { pathname } = new URL(request.url, this.url);
    const json = (status, body) => {
      response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
      response.end(JSON.stringify(body));
    };
    response.setHeader('Content-Security-Policy', policy);
    if (this.refuse && /^\/(api|stream)/.test(pathname)) {
      ++this.refused;
      return json(this.refuse.status, this.refuse);
    }
    if (pathname === '/api/status') return json(200, this.status);
    if (pathname === '/api/settings' && request.method === 'PATCH') {
      let body = '';
      for await (const part of request) body += part;
      const change = JSON.parse(body);
      this.patches.push(change);
      return json(...await this.answer(change, this));
    }
    if (pathname === '/api/settings') return json(200, this.settings);
    if (pathname === '/api/events' && this.crowd) return json(503, { status: 503, error: this.crowd });
    if (pathname === '/api/events') {
      this.#stream(response, 'text/event-stream', this.#readers);
      for (const name of this.silent ? [] : ['settings', 'history', 'status']) response.write(`event: ${name}\ndata: ${JSON.stringify(this[name])}\n\n`);
      return undefined;
    }
    if (pathname === '/snapshot.jpg') {
      response.writeHead(200, { 'Content-Type': 'image/jpeg' });
      return response.end(this.picture());
    }
    if (pathname === '/stream.mjpg' && this.full) return json(503, { status: 503, error: 'full' });
    if (pathname === '/stream.mjpg') {
      this.#stream(response, 'multipart/x-mixed-replace; boundary=part', this.#watchers);
      return this.send_picture();
    }
    const file = pathname === '/chart.js' ? chart : path.join(page, pathname === '/' ? 'index.html' : path.basename(pathname));
    if (!fs.existsSync(file)) return json(404, { status: 404, error: `no such path: ${pathname}` });
    response.writeHead(200, { 'Content-Type': types[path.extname(file)] });
    return response.end(fs.readFileSync(file));
  }
}

module.exports = { StandIn };

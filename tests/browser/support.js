// What the tests of the page share: apt's Chromium, a page whose complaints are kept, and the program itself.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { setTimeout: pause } = require('node:timers/promises');
const { chromium } = require('playwright-core');

const root = path.join(__dirname, '../..');
const program = process.env.GLIMPSE ?? path.join(root, 'build/glimpse');
const artefacts = process.env.ARTEFACTS ?? path.join(root, 'build/browser');
// Only so that a hang fails at last: a sanitizer build on a busy machine is many times slower.
const patience_ms = 1000 * (process.env.PATIENCE_S ?? 300);
const sizes = { desktop: { width: 1280, height: 900 }, phone: { width: 360, height: 780 } };

let browser;

async function open(url, { size = 'desktop', ...options } = {}) {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--disable-dev-shm-usage'] });
  const page = await browser.newPage({ viewport: sizes[size], ...options });
  page.setDefaultTimeout(patience_ms);
  page.complaints = [];
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) page.complaints.push(message.text()); });
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  await page.goto(url);
  return page;
}

const close_browser = () => browser?.close();

/** The complaints, but for those that Chromium itself writes when a server is gone. */
const complaints = (page) => page.complaints.filter((text) => !text.startsWith('Failed to load resource: net::'));

async function until(condition, what) {
  const deadline = Date.now() + patience_ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`gave up waiting for ${what}`);
    await pause(20);
  }
}

const state = (page, word) => page.waitForSelector(`body[data-state=${word}]`);

/** Waits until the element has this text; if it never does, the error says what it had. */
async function text(page, selector, expected) {
  const has = async () => (await page.textContent(selector)).replace(/[\u00a0\u202f]/g, ' ').trim();
  const fits = (now) => (expected instanceof RegExp ? expected.test(now) : now === expected);
  try {
    await until(async () => fits(await has()), selector);
  } catch {
    assert.fail(`${selector} should be ${expected}, and is ${await has()}`);
  }
}

function free_port() {
  return new Promise((done) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/** The program on a port, playing the bundled clip, if no other --source is asked for. */
class Glimpse {
  constructor(port) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}/`;
    this.home = fs.mkdtempSync(path.join(os.tmpdir(), 'glimpse-test-'));
  }

  async start(...more) {
    const { home } = this;
    const clip = ['--source', 'tests/data/clip.mp4', '--loop', '--realtime'];
    this.process = spawn(program, ['run', ...(more.includes('--source') ? [] : clip), '--model', 'demo',
                                   ...(more.includes('--web') ? [] : ['--web', `127.0.0.1:${this.port}`]), ...more],
                         { cwd: root, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, XDG_STATE_HOME: home } });
    this.said = '';
    this.process.stderr.on('data', (data) => { this.said += data; });
    await until(async () => {
      if (this.process.exitCode !== null) throw new Error(`glimpse ended with ${this.process.exitCode}: ${this.said}`);
      return (await this.get('healthz').catch(() => null))?.healthy;
    }, 'glimpse');
    return this;
  }

  /** SIGKILL leaves connections as a power cut's reboot does; SIGTERM is the usual end. */
  async stop(signal = 'SIGTERM') {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((done) => { this.process.once('exit', done); });
    this.process.kill(signal);
    await ended;
  }

  async end() {
    await this.stop();
    fs.rmSync(this.home, { recursive: true, force: true });
  }

  async get(where) { return (await fetch(this.url + where)).json(); }

  async patch(change) {
    const answer = await fetch(`${this.url}api/settings`, { method: 'PATCH', headers: { 'Content-Type': 'application/json' },
                                                            body: JSON.stringify(change) });
    return answer.status;
  }
}

/** The picture on the page, in few pixels. */
const pixels = (page) => page.evaluate(() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 24 });
  const brush = canvas.getContext('2d');
  brush.drawImage(document.querySelector('#stream'), 0, 0, 32, 24);
  return [...brush.getImageData(0, 0, 32, 24).data];
});

/** How far two pictures are apart: the mean of the differences of their bytes. */
const distance = (a, b) => a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;

async function accessible(page) {
  await page.evaluate(fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate(() => axe.run()); // eslint-disable-line no-undef
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join('; ')}`);
}

const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

async function keep(page, name) {
  fs.mkdirSync(artefacts, { recursive: true });
  await page.screenshot({ path: path.join(artefacts, `${name}.png`), fullPage: true });
}

module.exports = { Glimpse, accessible, close_browser, complaints, distance, free_port, keep, open, overflow, pixels, sizes, state, text, until };

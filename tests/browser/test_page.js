// The page as a person has it: served by the program, which plays the bundled clip, in apt's Chromium.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, afterEach, before, beforeEach, test } = require('node:test');
const { StandIn } = require('./stand_in.js');
const { Glimpse, accessible, close_browser, complaints, distance, free_port, keep, open, overflow, pixels, sizes, state, text,
        until } = require('./support.js');

let glimpse;
let page;

before(async () => { glimpse = await new Glimpse(await free_port()).start(); });
// The settings as they are at a start: each test can be run alone.
beforeEach(async () => { assert.equal(await glimpse.patch({ model: 'demo', quantized: false, top_k: 10, interval_s: 1 }), 200); });
afterEach(() => page?.close());
after(async () => {
  await close_browser();
  await glimpse?.end();
});

async function show(options) {
  page = await open(glimpse.url, options);
  await state(page, 'live');
}

/** Another picture than the one there is now; and one of something, not a plain black. */
async function moves() {
  const first = await until(async () => {
    const now = await pixels(page);
    return Math.max(...now.filter((_, i) => i % 4 < 3)) > 60 && now;
  }, 'a picture');
  await until(async () => distance(first, await pixels(page)) > 5, 'another picture');
}

/** What is on top of the page and of /api/status, as soon as both are of the same frame. */
const same = () => page.evaluate(async () => {
  const { predictions, model, device } = await (await fetch('/api/status')).json();
  const rows = [...document.querySelectorAll('#bars li')].map((row) => ({
    label: row.querySelector('.label').textContent,
    percent: row.querySelector('.percent').textContent,
    part: row.querySelector('.bar').getBoundingClientRect().width / row.querySelector('.track').getBoundingClientRect().width,
  }));
  const percent = (p) => (p < 0.001 ? '<\u00a00.1\u00a0%' : `${(100 * p).toFixed(1)}\u00a0%`);
  const equal = rows.length === predictions.length && predictions.every(({ label, probability }, i) =>
    rows[i].label === label && rows[i].percent === percent(probability) && Math.abs(rows[i].part - probability) < 1e-3);
  return equal && document.querySelector('#top bdi').textContent === predictions[0].label &&
    document.querySelector('#device').textContent === device &&
    document.querySelector('#fact-model').textContent === `${model.name}, ${model.quantized ? 'int8' : 'float'}` && rows.length;
});

test('chromium --screenshot, which waits for no event, shows a picture and names', async () => {
  const loaded = () => requestAnimationFrame(() => requestAnimationFrame(() => {
    window.first = { width: Math.max(...['#first', '#stream'].map((image) => document.querySelector(image).naturalWidth)),
                     top: document.querySelector('#top bdi').textContent };
  }));
  page = await open('about:blank');
  await page.addInitScript(`addEventListener('load', ${loaded})`);
  await page.goto(glimpse.url);
  const first = await until(() => page.evaluate(() => window.first), 'two frames of the screen after the load');
  const { view: { frame } } = await glimpse.get('api/status');
  assert.equal(first.width, frame.width); // the clip is no wider than the pictures of the stream
  assert.notEqual(first.top, '');
});

test('the picture moves, with marks around what the network sees', async () => {
  await show();
  await moves();
  const { view: { crop, frame } } = await glimpse.get('api/status');
  const [marks, stream] = await Promise.all(['#crop', '#stream'].map((where) => page.locator(where).boundingBox()));
  assert.ok(Math.abs(stream.width / stream.height - frame.width / frame.height) < 0.01);
  assert.ok(Math.abs((marks.x - stream.x) / stream.width - crop.x) < 0.005);
  assert.ok(Math.abs(marks.width / stream.width - crop.width) < 0.005);
  assert.ok(Math.abs(marks.height / stream.height - crop.height) < 0.005);
  assert.deepEqual(complaints(page), []);
});

test('bars, names and facts are those of /api/status', async () => {
  await show({ reducedMotion: 'reduce' }); // a bar on its way has no length to compare
  assert.equal(await until(same, 'bars as /api/status has them'), 10);
});

test('the switch swaps the model, by keyboard, and the page says so', async () => {
  await show();
  await text(page, '#fact-model', 'demo, float');
  await page.focus('[name=quantized]:checked');
  await page.keyboard.press('ArrowRight');
  await text(page, '#answer', 'demo int8 runs now.');
  await text(page, '#fact-model', 'demo, int8');
  assert.equal((await glimpse.get('api/settings')).settings.quantized, true);
  assert.equal((await glimpse.get('api/status')).model.quantized, true);

  // Changed by somebody else: the page follows.
  assert.equal(await glimpse.patch({ quantized: false, top_k: 5, interval_s: 2 }), 200);
  await page.waitForSelector('[name=quantized][value=false]:checked', { state: 'attached' });
  await text(page, '#fact-model', 'demo, float');
  await until(async () => await page.locator('#bars li').count() === 5, 'five bars');
  assert.equal(await page.inputValue('[name=interval_s]'), '2');

  await page.fill('[name=top_k]', '10');
  await page.keyboard.press('Enter');
  await text(page, '#answer', 'Up to 10 names from now on.');
  assert.equal((await glimpse.get('api/settings')).settings.top_k, 10);
  await until(async () => await page.locator('#bars li:visible').count() === 10, 'ten bars');
  assert.deepEqual(complaints(page), []);
});

test('what the program refuses is told in its words', async () => {
  await show();
  await page.evaluate(() => document.querySelector('[name=top_k]').removeAttribute('max'));
  await page.fill('[name=top_k]', '1001');
  await page.keyboard.press('Enter');
  await text(page, '#answer', 'Refused. Names shown: expected a whole number from 1 to 1000, got 1001');
  await text(page, '#state', 'live');
  assert.equal(await page.inputValue('[name=top_k]'), '10');
});

test('a program that died and came back is shown so', async () => {
  await show();
  await moves();
  await glimpse.stop('SIGKILL');
  await state(page, 'lost');
  await text(page, '#state', 'connection lost');
  assert.ok(await page.isVisible('#notice'));
  await keep(page, 'lost');
  await glimpse.start('--quantized');
  await state(page, 'live');
  await moves();
  await text(page, '#fact-model', 'demo, int8');
  assert.ok(await page.isChecked('[name=quantized][value=true]'));
  assert.deepEqual(complaints(page), []);
});

test('a camera that gives no more is not shown as live, and is again when it gives', async () => {
  const camera = await new StandIn().start();
  const picture = Buffer.from(await (await fetch(`${glimpse.url}snapshot.jpg`)).arrayBuffer());
  camera.picture = () => picture;
  let gives = setInterval(() => camera.send_picture(), 50);
  const watching = new Glimpse(await free_port());
  try {
    await watching.start('--source', `${camera.url}stream.mjpg`);
    page = await open(watching.url);
    await state(page, 'live');
    await until(async () => (await watching.get('api/status')).view.named_ms_ago < 1000, 'frames');
    clearInterval(gives);
    await state(page, 'blind');
    await text(page, '#state', 'no frames');
    await text(page, '#notice', /^No frame from the source for \d+ s\.$/);
    await text(page, '#chart-latency i', '–unknown');
    const { view, fps, latency_ms } = await watching.get('api/status');
    assert.ok(view.named_ms_ago > 3000);
    assert.equal(latency_ms.inference, null);
    assert.ok(fps.inference > 0, 'a rate that has fallen to 0 would have been enough to go by');
    await keep(page, 'no-frames');
    gives = setInterval(() => camera.send_picture(), 50);
    await state(page, 'live');
    assert.deepEqual(complaints(page), []);
  } finally {
    clearInterval(gives);
    await page?.close();
    await watching.end();
    await camera.stop();
  }
});

test('the ninth viewer is told that there is no room, and comes in when one has left', async () => {
  const others = new AbortController();
  try {
    await Promise.all(Array.from({ length: 8 }, () => fetch(`${glimpse.url}api/events`, { signal: others.signal })));
    page = await open(glimpse.url);
    await text(page, '#state', 'busy');
    await text(page, '#notice', '8 viewers of /api/events are here already, and there is room for no more. Trying again…');
  } finally {
    others.abort();
  }
  await state(page, 'live');
});

test('a hidden page costs the program nothing', async () => {
  await show();
  const viewers = async () => (await glimpse.get('api/status')).view.viewers;
  await until(async () => (await viewers()).pictures === 1, 'a viewer');
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await until(async () => (({ pictures, events }) => pictures + events === 0)(await viewers()), 'no viewer');
});

test('on an address that others reach, the address with the token opens the page, for as long as the browser keeps it', async () => {
  const reachable = new Glimpse(await free_port());
  try {
    await reachable.start('--web', `0.0.0.0:${reachable.port}`);
    const token = fs.readFileSync(path.join(reachable.home, 'glimpse/web-token'), 'utf8').trim();
    page = await open(`${reachable.url}?token=${token}`);
    await state(page, 'live');
    await moves();
    assert.equal(page.url(), reachable.url); // a token is nothing for the history
    assert.deepEqual(complaints(page), []);
    await page.context().clearCookies();
    await reachable.stop();
    await reachable.start('--web', `0.0.0.0:${reachable.port}`);
    await text(page, '#state', 'token needed');
  } finally {
    await page.close();
    await reachable.end();
  }
});

for (const size of Object.keys(sizes)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`${size}, ${colorScheme}: accessible, in its width, and everything in reach of the keyboard`, async () => {
      await show({ size, colorScheme, reducedMotion: 'reduce' });
      await moves();
      await keep(page, `${size}-${colorScheme}`);
      assert.deepEqual(await accessible(page), []);
      assert.equal(await overflow(page), 0);
      const reached = [];
      for (let i = 0; i < 4; ++i) {
        await page.keyboard.press('Tab');
        reached.push(await page.evaluate(() => document.activeElement.name));
      }
      assert.deepEqual(reached, ['quantized', 'model', 'top_k', 'interval_s']);
      assert.deepEqual(complaints(page), []);
    });
  }
}

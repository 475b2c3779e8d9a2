// The page in states that the program cannot be brought into at will, before a stand-in for its server.
'use strict';
const assert = require('node:assert/strict');
const { after, afterEach, beforeEach, test } = require('node:test');
const { StandIn } = require('./stand_in.js');
const { accessible, close_browser, complaints, open, overflow, text, until } = require('./support.js');

let server;
let page;

beforeEach(async () => { server = await new StandIn().start(); });
afterEach(async () => {
  await page?.close();
  await server.stop();
});
after(close_browser);

async function show(options) {
  page = await open(server.url, options);
  await page.waitForSelector('body[data-state]:not([data-state=connecting])');
}

const labels = (list) => list.map((label, index) => ({ index, label, probability: 0.5 / (index + 1) }));

test('what the machine cannot know is a dash that is read out as unknown', async () => {
  Object.assign(server.status.system, { cpu_percent: null, temperature_c: null, throttled: null, rss_mb: null, memory_mb: null });
  server.status.latency_ms = { frame_age: null, preprocess: null, inference: null };
  server.status.view.frame = server.status.view.crop = null;
  server.status.predictions = [];
  server.status.view.named_ms_ago = null;
  server.status.view.uptime_s = 2;
  await show();
  for (const where of ['#chart-cpu b', '#chart-temperature b', '#chart-latency b', '#fact-throttled', '#fact-memory', '#top bdi']) {
    await text(page, where, '–unknown');
    assert.equal(await page.getAttribute(`${where} span:first-child`, 'aria-hidden'), 'true');
  }
  assert.ok(await page.isHidden('#crop'));
  assert.deepEqual(await accessible(page), []);
  assert.deepEqual(complaints(page), []);

  server.status.predictions = [{ index: 1, label: 'banana', probability: null }];
  server.tell('status');
  await text(page, '#top bdi', 'banana');
  await text(page, '#top .percent', '–unknown');
  await text(page, '#bars li:first-child .percent', '–unknown');
});

test('less than one a second is not rounded to none', async () => {
  server.status.fps.inference = 0.04;
  server.status.fps.capture = 0.96;
  await show();
  await text(page, '#chart-fps b', '0.04 fps');
  await text(page, '#chart-fps i', '0.96 fps');
  server.status.fps.inference = 0;
  server.tell('status');
  await text(page, '#chart-fps b', '0.0 fps');
});

test('throttling, link and outbox are told in words', async () => {
  await show();
  await text(page, '#fact-throttled', 'none');
  await text(page, '#fact-memory', 'glimpse 160 MiB, all programs 412 MiB');
  await text(page, '#fact-link', 'connected for 1 min');
  await text(page, '#fact-outbox', '0 waiting, 41 delivered');

  server.status.system.throttled_since_start = ['under-voltage'];
  server.status.link = { state: 'waiting', since_ms: 0, last_error: 'nothing listens on broker:8883', last_error_ms: 0 };
  server.status.outbox = { pending: 12345, sent: 9, acknowledged: 7, resent: 2, dropped: 3 };
  server.tell('status');
  await text(page, '#fact-throttled', 'none now; earlier under-voltage');
  await text(page, '#fact-link', 'waits for another attempt: nothing listens on broker:8883');
  await text(page, '#fact-outbox', '12 345 waiting, 7 delivered, 2 sent again, 3 given up');

  server.status.system.throttled = ['under-voltage', 'frequency capped'];
  server.status.link = null;
  server.tell('status');
  await text(page, '#fact-throttled', 'under-voltage, frequency capped');
  await text(page, '#fact-link', 'none: records stay here');
  await text(page, '#fact-outbox', 'none, without a broker');
  assert.deepEqual(await accessible(page), []);
});

test('labels of any length and script stay in their place, and are never markup', async () => {
  const hostile = '<img src=x onerror="document.title=1">';
  server.status.predictions = labels(['umbrella', 'banana', 'cup', 'key']);
  await show({ size: 'phone' });
  await text(page, '#top bdi', 'umbrella');
  await page.evaluate(() => {
    window.shifts = [];
    new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((entry) => entry.value)))
      .observe({ type: 'layout-shift' });
  });
  for (const long of [hostile, 'x'.repeat(256), 'صورة جدار جميل جدا مع كلمات كثيرة', '日本語のとても長いラベル'.repeat(12), 'a '.repeat(128)]) {
    server.status.predictions = labels([long, 'banana', long, long]);
    server.tell('status');
    await text(page, '#top bdi', long.trim());
    assert.equal(await overflow(page), 0, long);
  }
  assert.equal(await page.locator('#predictions img').count(), 0);
  assert.deepEqual(await page.evaluate(() => window.shifts), []);
  assert.deepEqual(await accessible(page), []);
  assert.deepEqual(complaints(page), []);
});

test('more names than fit scroll, by keyboard too', async () => {
  server.settings.settings.top_k = 91;
  server.status.predictions = labels(Array.from({ length: 91 }, (_, i) => `thing ${i}`));
  await show();
  await text(page, '#bars li:last-child .label', 'thing 90');
  await page.focus('#bars');
  assert.equal(await page.getAttribute('#bars', 'aria-labelledby'), 'predictions-title');
  await page.keyboard.press('End');
  await page.waitForFunction(() => document.querySelector('#bars').scrollTop > 0);
  assert.deepEqual(await accessible(page), []);
});

/** The chart is told so to those who do not see it. */
const told = (chart, expected) => until(async () =>
  (await page.getAttribute(`#chart-${chart} canvas`, 'aria-label')).replaceAll('\u00a0', ' ') === expected, expected);

test('the charts draw what the server remembers, and tell it', async () => {
  const seconds = Array.from({ length: 200 }, (_, i) => i);
  const end = server.status.time_ms;
  Object.assign(server.history, {
    time_ms: seconds.map((i) => end - 200_000 + 1000 * i), capture_fps: seconds.map(() => 36),
    inference_fps: seconds.map((i) => 20 + (i % 10)), inference_p50_ms: seconds.map(() => 3), frame_age_ms: seconds.map(() => 9),
    cpu_percent: seconds.map(() => 50), temperature_c: seconds.map(() => null),
  });
  server.status.fps.inference = 31;
  await show();
  await told('fps', 'Frame rate over the last five minutes: frames named from 20.0 fps to 31.0 fps, now 31.0 fps; ' +
             'from source from 36.0 fps to 36.0 fps, now 36.0 fps');
  await told('temperature', 'Temperature over the last five minutes: from 61 °C to 61 °C, now 61 °C');
  await text(page, '#chart-fps b', '31.0 fps');
  await text(page, '#chart-latency i', '9.1 ms');
  // The accent's pixels from left to right: the line has begun 100 s after the left edge.
  const columns = await page.evaluate(() => {
    const canvas = document.querySelector('#chart-cpu canvas');
    const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const drawn = (x) => Array.from({ length: height }, (_, y) => 4 * (y * width + x)).some((at) => data[at + 3] > 0 && data[at + 1] - data[at] > 60);
    const green = Array.from({ length: width }, (_, x) => x).filter(drawn);
    return { first: green[0] / width, last: green.at(-1) / width };
  });
  assert.ok(columns.first > 0.25 && columns.first < 0.35, JSON.stringify(columns));
  assert.ok(columns.last > 0.8, JSON.stringify(columns));
});

test('after the machine\'s clock was set back the charts begin anew', async () => {
  const end = server.status.time_ms;
  const before = Array.from({ length: 100 }, (_, i) => end + 86_400_000 + 1000 * i);
  const since = Array.from({ length: 100 }, (_, i) => end - 100_000 + 1000 * i);
  server.history.time_ms = [...before, ...since];
  for (const name of Object.keys(server.history).slice(1)) server.history[name] = server.history.time_ms.map((_, i) => (i < 100 ? 99 : 5));
  await show();
  await told('cpu', 'CPU load over the last five minutes: from 5 % to 13 %, now 13 %');
  server.status.time_ms -= 3_600_000; // once more
  server.status.system.cpu_percent = 42;
  server.tell('status');
  await told('cpu', 'CPU load over the last five minutes: from 42 % to 42 %, now 42 %');
});

test('who wants no motion gets none', async () => {
  await show({ reducedMotion: 'reduce' });
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('.bar')).transitionDuration), '0s');
});

// The page in states that the program cannot be brought into at will, before a stand-in for its server.
'use strict';
const assert = require('node:assert/strict');
const { after, afterEach, beforeEach, test } = require('node:test');
const { StandIn } = require('./stand_in.js');
const { accessible, close_browser, complaints, open, overflow, state, text, until } = require('./support.js');

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
  await page.waitForSelector('body[data-state]');
}

const labels = (list) => list.map((label, index) => ({ index, label, probability: 0.5 / (index + 1) }));

test('what the machine cannot know is a dash that is read out as unknown', async () => {
  Object.assign(server.status.system, { cpu_percent: null, temperature_c: null, throttled: null, rss_mb: null, memory_mb: null });
  server.status.latency_ms = { frame_age: null, preprocess: null, inference: null };
  server.status.view.frame = server.status.view.crop = null;
  server.status.predictions = [];
  await show();
  for (const where of ['#chart-cpu b', '#chart-temperature b', '#chart-latency b', '#fact-throttled', '#fact-memory', '#top bdi']) {
    await text(page, where, '–unknown');
    assert.equal(await page.getAttribute(`${where} span:first-child`, 'aria-hidden'), 'true');
  }
  assert.ok(await page.isHidden('#crop'));
  assert.deepEqual(await accessible(page), []);
  assert.deepEqual(complaints(page), []);
});

test('throttling, link and outbox are told in words', async () => {
  await show();
  await text(page, '#fact-throttled', 'none');
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
  await page.keyboard.press('End');
  await page.waitForFunction(() => document.querySelector('#bars').scrollTop > 0);
  assert.deepEqual(await accessible(page), []);
});

test('a change is asked for as it was made, and until its answer the old one goes on', async () => {
  let let_go;
  server.answer = (change) => new Promise((done) => {
    let_go = () => {
      Object.assign(server.settings.settings, change);
      done([200, server.settings]);
    };
  });
  await show();
  await page.click('[name=quantized][value=true]');
  await text(page, '#answer', 'Loading demo int8. Until it is ready demo float goes on.');
  assert.ok(await page.isVisible('progress'));
  server.tell('settings'); // of before: the wish stays
  assert.ok(await page.isChecked('[value=true]'));
  await text(page, '#fact-model', 'demo, float');
  let_go();
  await text(page, '#answer', 'demo int8 runs now.');
  assert.ok(await page.isHidden('progress'));
  assert.deepEqual(server.patches, [{ quantized: true }]);

  await page.selectOption('[name=model]', 'resnet18'); // which has a float form alone
  await until(() => server.patches.length === 2, 'the second change');
  assert.deepEqual(server.patches[1], { model: 'resnet18', quantized: false });
  let_go();
  await text(page, '#answer', 'resnet18 float runs now.');
  assert.ok(await page.isDisabled('[value=true]'));

  await page.fill('[name=interval_s]', '0.5');
  await page.keyboard.press('Enter');
  await until(() => server.patches.length === 3, 'the third change');
  assert.deepEqual(server.patches[2], { interval_s: 0.5 });
  let_go();
  await text(page, '#answer', 'A record every 0.5 s from now on.');
  assert.deepEqual(complaints(page), []);
});

test('a refusal is told in its words, and the form goes back to what holds', async () => {
  server.answer = () => [422, { status: 422, error: 'model: hash', refusals: [{ setting: 'model', reason: 'its file has another hash' }] }];
  await show();
  await page.selectOption('[name=model]', 'resnet18');
  await text(page, '#answer', 'Refused. Model: its file has another hash');
  assert.equal(await page.inputValue('[name=model]'), 'demo');
  assert.ok(await page.isHidden('progress'));

  server.answer = () => [503, { status: 503, error: '4 changes wait already: ask again later' }];
  await page.click('[value=true]');
  await text(page, '#answer', 'Refused. 4 changes wait already: ask again later');
  assert.ok(await page.isChecked('[value=false]'));

  const asked = server.patches.length;
  await page.fill('[name=top_k]', '0');
  await page.keyboard.press('Enter');
  await text(page, '#answer', /^Names shown: /);
  assert.equal(server.patches.length, asked);

  await page.fill('[name=top_k]', '7'); // not yet entered: what others change does not take it away
  server.settings.settings.top_k = 3;
  server.tell('settings');
  await until(async () => await page.locator('#bars li').count() === 3, 'three bars');
  assert.equal(await page.inputValue('[name=top_k]'), '7');
});

test('a change that takes long is told when it has ended', async () => {
  server.answer = () => {
    server.settings.changing = true;
    return [202, server.settings];
  };
  await show();
  await page.click('[value=true]');
  await until(() => server.patches.length === 1, 'the change');
  server.tell('settings');
  await page.waitForSelector('progress:visible');
  server.settings.changing = false;
  server.settings.settings.quantized = true;
  server.tell('settings');
  await text(page, '#answer', 'demo int8 runs now.');

  await page.click('[value=false]');
  await until(() => server.patches.length === 2, 'the next change');
  server.tell('settings');
  await page.waitForSelector('progress:visible');
  server.settings.changing = false;
  server.tell('settings');
  await text(page, '#answer', 'Not carried out: the log of glimpse says why.');
  assert.ok(await page.isChecked('[value=true]'));
});

test('a network that fell silent is a lost connection, and one that speaks again is none', async () => {
  page = await open('about:blank');
  await page.clock.install();
  await page.goto(server.url);
  await state(page, 'live');
  await page.clock.fastForward(5_000);
  await state(page, 'lost');
  await text(page, '#state', 'connection lost');
  await text(page, '#notice', 'Connection lost. Trying again…');
  assert.ok(await page.isDisabled('[name=model]'));
  assert.deepEqual(await accessible(page), []);
  await page.clock.fastForward(1_000);
  await state(page, 'live');
  assert.ok(await page.isHidden('#notice'));
  assert.ok(await page.isEnabled('[name=model]'));
});

test('a server that wants a token says so on the page', async () => {
  server.refuse = { status: 401, error: 'token needed' };
  page = await open(server.url);
  await text(page, '#state', 'token needed');
  await text(page, '#notice', /\?token=/);
});

test('a source without frames is said to be one', async () => {
  server.status.fps.inference = 0;
  await show();
  await text(page, '#state', 'no frames');
  await text(page, '#notice', 'No frames come from the source.');
  server.status.fps.inference = 29;
  server.tell('status');
  await text(page, '#state', 'live');
  assert.ok(await page.isHidden('#notice'));
});

test('a stream of pictures that breaks off alone is told, and begun again', async () => {
  await show();
  await until(() => server.watchers === 1, 'a viewer');
  server.full = true;
  server.cut_pictures();
  await text(page, '#notice', 'No picture comes. Trying again…');
  await text(page, '#state', 'live');
  server.full = false;
  await until(() => server.watchers === 1, 'the viewer again');
  await until(async () => {
    server.send_picture();
    server.tell('status');
    return page.isHidden('#notice');
  }, 'the picture');
});

test('a hidden page watches nothing', async () => {
  await show();
  await until(() => server.watchers === 1 && server.readers === 1, 'a viewer');
  const hide = (hidden) => page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await hide(true);
  await until(() => server.watchers === 0 && server.readers === 0, 'no viewer');
  await hide(false);
  await until(() => server.watchers === 1 && server.readers === 1, 'the viewer again');
});

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
  await page.waitForSelector('#chart-fps canvas[aria-label="Frame rate over the last five minutes: from 20.0\u00a0fps to 31.0\u00a0fps"]');
  assert.equal(await page.getAttribute('#chart-temperature canvas', 'aria-label'),
               'Temperature over the last five minutes: from 61\u00a0°C to 61\u00a0°C');
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

test('who wants no motion gets none', async () => {
  await show({ reducedMotion: 'reduce' });
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('.bar')).transitionDuration), '0s');
});

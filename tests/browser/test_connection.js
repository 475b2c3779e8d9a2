// Whether the page says how it stands: connected, refused, full, without frames, not whole; before a stand-in for the server.
'use strict';
const assert = require('node:assert/strict');
const { after, afterEach, beforeEach, test } = require('node:test');
const { StandIn } = require('./stand_in.js');
const { accessible, close_browser, open, state, text, until } = require('./support.js');

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

const hide = (hidden) => page.evaluate((value) => {
  Object.defineProperty(document, 'hidden', { value, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}, hidden);

/** Whether the name and the first bar have the colours of what is not so now. */
async function is_muted(expected) {
  const [name, bar, muted, faint] = await page.evaluate(() => {
    const root = document.body.appendChild(document.createElement('p'));
    const named = (value) => {
      root.style.color = `var(${value})`;
      return getComputedStyle(root).color;
    };
    const style = (where) => getComputedStyle(document.querySelector(where));
    return [style('#top').color, style('.bar').backgroundColor, named('--muted'), named('--faint-line')];
  });
  assert.equal(name === muted, expected, name);
  assert.equal(bar === faint, expected, bar);
}

/** From now on what #state says is kept in window.states. */
const keep_states = () => page.evaluate(() => {
  window.states = [];
  new MutationObserver(() => window.states.push(document.querySelector('#state').textContent))
    .observe(document.querySelector('#state'), { childList: true, characterData: true, subtree: true });
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
  assert.equal(await page.getAttribute('[name=model]', 'aria-disabled'), 'true');
  assert.deepEqual(await accessible(page), []);
  await page.clock.fastForward(1_000);
  await state(page, 'live');
  assert.ok(await page.isHidden('#notice'));
  assert.equal(await page.getAttribute('[name=model]', 'aria-disabled'), 'false');
});

test('a server that wants a token says so on the page', async () => {
  server.refuse = { status: 401, error: 'token needed' };
  page = await open(server.url);
  await text(page, '#state', 'token needed');
  await text(page, '#notice', /\?token=/);
  // It is said once, and not taken back at each attempt.
  await keep_states();
  const asked = server.refused;
  await until(() => server.refused > asked + 4, 'more attempts'); // two requests each
  assert.deepEqual(await page.evaluate(() => window.states), []);
  server.refuse = null;
  await text(page, '#state', 'live');
});

test('a server that has no room says so on the page, and lets it in when there is', async () => {
  server.crowd = '8 viewers of /api/events are here already, and there is room for no more';
  page = await open(server.url);
  await text(page, '#state', 'busy');
  await text(page, '#notice', '8 viewers of /api/events are here already, and there is room for no more. Trying again…');
  server.crowd = null;
  await text(page, '#state', 'live');
});

test('a page that is looked at again without a network says that it connects, and shows nothing old as new', async () => {
  page = await open('about:blank');
  await page.clock.install();
  await page.goto(server.url);
  await state(page, 'live');
  await hide(true);
  await until(() => server.readers === 0, 'no reader');
  server.silent = true;
  await hide(false);
  await text(page, '#state', 'connecting');
  await text(page, '#notice', 'Connecting…');
  await is_muted(true);
  await until(() => server.readers === 1, 'the reader again');
  await page.clock.fastForward(10_000);
  await text(page, '#state', 'connection lost');
});

test('a source without frames is said to be one, and what it last showed is not shown as new', async () => {
  server.status.view.named_ms_ago = 3000;
  await show();
  await text(page, '#state', 'live');
  await is_muted(false);
  server.status.view.named_ms_ago = 3200; // the rates fall slowly, and never to 0
  server.tell('status');
  await text(page, '#state', 'no frames');
  await text(page, '#notice', 'No frame from the source for 3 s.');
  await is_muted(true);
  assert.deepEqual(await accessible(page), []);
  server.status.view.named_ms_ago = 20;
  server.tell('status');
  await text(page, '#state', 'live');
  assert.ok(await page.isHidden('#notice'));

  server.status.view.named_ms_ago = null; // none yet
  server.status.view.uptime_s = 65;
  server.tell('status');
  await text(page, '#notice', 'No frame from the source for 1 min.');
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
  await hide(true);
  await until(() => server.watchers === 0 && server.readers === 0, 'no viewer');
  await hide(false);
  await until(() => server.watchers === 1 && server.readers === 1, 'the viewer again');
});

test('a page of which a part does not come says so', async () => {
  page = await open('about:blank');
  await page.route('**/facts.js', (route) => route.abort());
  await page.goto(server.url);
  await text(page, '#state', 'The page did not load whole: reload it.');
});

test('without Chart.js the page has no charts, and all the rest', async () => {
  page = await open('about:blank');
  await page.route('**/chart.js', (route) => route.abort());
  await page.goto(server.url);
  await text(page, '#state', 'live');
  await text(page, '#top bdi', 'umbrella');
  await text(page, '#charts .grid', 'The charts did not load. Reload the page to try again.');
  assert.deepEqual(await accessible(page), []);
});

test('without JavaScript the page says what there is, and does not seem to connect', async () => {
  page = await open(server.url, { javaScriptEnabled: false });
  assert.ok(await page.locator('noscript p').isVisible());
  assert.ok(await page.isHidden('#state'));
  assert.ok(await page.isHidden('main'));
});

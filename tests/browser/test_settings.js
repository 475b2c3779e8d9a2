// The form of settings, before a stand-in for the server that answers as a test wants.
'use strict';
const assert = require('node:assert/strict');
const { after, afterEach, beforeEach, test } = require('node:test');
const { StandIn } = require('./stand_in.js');
const { close_browser, complaints, open, state, text, until } = require('./support.js');

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
  await state(page, 'live');
}

const focused = () => page.evaluate(() => document.activeElement.name ?? document.activeElement.tagName);

/** The page has dealt with all that it was told before. */
async function heard() {
  server.status.device += '.';
  server.tell('status');
  await text(page, '#device', server.status.device);
}

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
  await text(page, '#missing-form', 'resnet18 has no int8 form.');
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

test('no arrow key, no wheel and nothing left empty makes a record of every frame; a 0 that was typed does', async () => {
  await show();
  await page.focus('[name=interval_s]');
  for (const key of ['ArrowDown', 'ArrowDown', 'PageDown']) await page.keyboard.press(key);
  await page.locator('[name=interval_s]').hover();
  await page.mouse.wheel(0, 300);
  await page.keyboard.press('Tab');
  for (const nothing of ['', ' ', '0.0001', '-1', '86401', 'x', '1s']) {
    await page.fill('[name=interval_s]', nothing);
    await page.keyboard.press('Enter');
    await text(page, '#answer', 'Record every: expected 0, or 0.001 to 86400 seconds');
    await page.focus('[name=top_k]');
    assert.equal(await page.inputValue('[name=interval_s]'), '1', nothing);
    await page.fill('[name=top_k]', '0'); // another text, so that the next is known to be new
    await page.keyboard.press('Enter');
    await text(page, '#answer', /^Names shown/);
  }
  assert.deepEqual(server.patches, []);
  await page.fill('[name=interval_s]', '0,5');
  await page.keyboard.press('Enter');
  await text(page, '#answer', 'A record every 0.5 s from now on.');
  await page.fill('[name=interval_s]', '0');
  await page.keyboard.press('Enter');
  await text(page, '#answer', 'A record of every frame from now on.');
  assert.deepEqual(server.patches, [{ interval_s: 0.5 }, { interval_s: 0 }]);
});

test('what came of a change is told, not what was asked for', async () => {
  server.answer = () => {
    Object.assign(server.settings.settings, { top_k: 91, interval_s: 2 });
    return [200, server.settings];
  };
  await show();
  await page.fill('[name=top_k]', '1000');
  await page.keyboard.press('Enter');
  await text(page, '#answer', 'Up to 91 names from now on.');
  assert.equal(await page.inputValue('[name=top_k]'), '91');
  await page.fill('[name=interval_s]', '1.9999');
  await page.keyboard.press('Enter');
  await text(page, '#answer', 'A record every 2 s from now on.');
});

test('what was typed and taken back does not keep the server\'s from being shown', async () => {
  await show();
  await page.focus('[name=top_k]');
  await page.keyboard.press('End');
  await page.keyboard.type('5');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Tab');
  server.settings.settings.top_k = 3;
  server.tell('settings');
  await page.waitForFunction(() => document.querySelector('[name=top_k]').value === '3');
  assert.deepEqual(server.patches, []);
});

test('a lost connection takes neither the focus nor what is half typed, and nothing is changed without one', async () => {
  await show();
  await page.fill('[name=top_k]', '7');
  const { port } = server;
  await server.stop();
  await state(page, 'lost');
  assert.equal(await focused(), 'top_k');
  for (const name of ['model', 'top_k', 'interval_s', 'quantized'])
    assert.equal(await page.locator(`[name=${name}]`).first().getAttribute('aria-disabled'), 'true', name);
  await page.keyboard.type('7');
  assert.equal(await page.inputValue('[name=top_k]'), '7'); // nothing is typed into it now
  await page.evaluate(() => {
    const model = document.querySelector('[name=model]');
    model.value = 'resnet18';
    model.dispatchEvent(new Event('change', { bubbles: true }));
  });
  await text(page, '#answer', 'Not connected: nothing was changed.');
  assert.equal(await page.inputValue('[name=model]'), 'demo');
  const { patches } = server;
  await server.start(port);
  await state(page, 'live');
  assert.equal(await focused(), 'top_k');
  assert.equal(await page.inputValue('[name=top_k]'), '7');
  assert.deepEqual(patches, []);
  await page.keyboard.press('Enter');
  await text(page, '#answer', 'Up to 7 names from now on.');
});

test('a change without an answer is given up after 40 s', async () => {
  page = await open('about:blank');
  await page.addInitScript(() => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = (ms) => timeout(ms === 40_000 ? 1 : ms); // as if they had passed
  });
  await page.goto(server.url);
  await state(page, 'live');
  server.answer = () => new Promise(() => {});
  await page.click('[value=true]');
  await text(page, '#answer', 'No answer. What holds is shown here as soon as glimpse tells it.');
  assert.ok(await page.isChecked('[value=false]'));
  assert.ok(await page.isHidden('progress'));
});

test('an answer that comes after its events is not taken for news', async () => {
  let let_go;
  server.answer = () => new Promise((done) => { let_go = done; });
  await show();
  const ask = async (quantized) => {
    const asked = server.patches.length;
    await page.click(`[value=${quantized}]`);
    await until(() => server.patches.length > asked, 'the change');
    server.settings.changing = true;
    server.tell('settings');
    server.settings.changing = false;
  };

  await ask(true);
  server.settings.settings.quantized = true;
  server.tell('settings');
  await heard();
  let_go([202, { ...server.settings, changing: true }]);
  await text(page, '#answer', 'demo int8 runs now.');
  assert.ok(await page.isHidden('progress'));

  await ask(false);
  server.tell('settings'); // not carried out
  await heard();
  let_go([202, { ...server.settings, changing: true }]);
  await text(page, '#answer', 'Not carried out: the log of glimpse says why.');
  assert.ok(await page.isChecked('[value=true]'));

  await ask(false);
  server.settings.settings.quantized = false;
  server.tell('settings');
  const then = structuredClone(server.settings);
  server.settings.settings.top_k = 4; // by somebody else, at once
  server.tell('settings');
  await heard();
  let_go([200, then]);
  await text(page, '#answer', 'demo float runs now.');
  assert.equal(await page.inputValue('[name=top_k]'), '4');
});

test('a 202 for what has ended already is no wish', async () => {
  server.answer = () => [202, server.settings]; // changing: false
  await show();
  await page.click('[value=true]');
  await text(page, '#answer', 'Not carried out: the log of glimpse says why.');
  assert.ok(await page.isChecked('[value=false]'));
});

test('a change moves nothing on the page, and its end is not hidden from a screen reader', async () => {
  let let_go;
  server.answer = () => new Promise((done) => { let_go = done; });
  await show({ size: 'phone' }); // where all is in one column
  const place = () => page.evaluate(() => document.querySelector('#facts').getBoundingClientRect().top + scrollY);
  const before = await place();
  await page.click('[value=true]');
  await page.waitForSelector('progress:visible');
  assert.equal(await place(), before);
  assert.equal(await page.getAttribute('fieldset', 'aria-busy'), 'true');
  assert.equal(await page.locator('[aria-busy=true] #answer').count(), 0);
  let_go([200, server.settings]);
  await page.waitForSelector('progress', { state: 'hidden' });
  assert.equal(await place(), before);
  assert.deepEqual(complaints(page), []);
});

// Whether what the page says can be seen: names whole, large text, colours that are not the page's own.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, afterEach, beforeEach, test } = require('node:test');
const { StandIn } = require('./stand_in.js');
const { accessible, close_browser, complaints, keep, open, overflow, state, text } = require('./support.js');

const { labels } = JSON.parse(fs.readFileSync(path.join(__dirname, '../../models/demo/manifest.json'), 'utf8'));

let server;
let page;

beforeEach(async () => { server = await new StandIn().start(); });
afterEach(async () => {
  await page?.close();
  await server.stop();
});
after(close_browser);

async function show({ width = 1280, ...options } = {}) {
  page = await open(server.url, { viewport: { width, height: 900 }, ...options });
  await state(page, 'live');
}

/** Each word of the name on top that is cut off, or broken over two lines. */
const torn_words = () => page.evaluate(() => {
  const name = document.querySelector('#top bdi');
  const room = name.getBoundingClientRect();
  const range = document.createRange();
  return [...name.textContent.matchAll(/\S+/g)].filter(({ 0: word, index }) => {
    range.setStart(name.firstChild, index);
    range.setEnd(name.firstChild, index + word.length);
    const boxes = [...range.getClientRects()];
    const font = parseFloat(getComputedStyle(name).fontSize);
    // A line's box is higher than its letters: half of what is beyond the font's size is air below them.
    return boxes.length !== 1 || boxes[0].right > room.right + 1 || boxes[0].bottom - (boxes[0].height - font) / 2 > room.bottom + 1;
  }).map(([word]) => word);
});

for (const width of [360, 960, 1280]) {
  test(`each name of the demo model is whole on top, ${width} pixels wide`, async () => {
    await show({ width });
    const torn = [];
    for (const [probability, shown] of [[1, '100 %'], [0.05, '5 %']]) { // the name has the room that the number leaves
      for (const label of labels) {
        server.status.predictions = [{ index: 0, label, probability }];
        server.tell('status');
        await text(page, '#top bdi', label);
        await text(page, '#top .percent', shown);
        torn.push(...(await torn_words()).map((word) => `${word} of ${label}`));
      }
    }
    assert.deepEqual(torn, []);
    assert.equal(labels.length, 91);
  });
}

test('a name is whole also when the window has become another', async () => {
  server.status.predictions = [{ index: 0, label: 'watermelon', probability: 1 }];
  await show({ width: 1280 });
  for (const width of [960, 360, 320, 700, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
    assert.deepEqual(await torn_words(), [], `${width} pixels`);
  }
});

test('with text of twice the size nothing is squeezed', async () => {
  server.status.predictions = [{ index: 0, label: 'steam locomotive', probability: 1 }];
  await show({ width: 360 });
  await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
  await page.waitForFunction(() => document.querySelector('h1').getBoundingClientRect().height > 40);
  await keep(page, 'phone-large-text');
  // As many letters as fit on a line: a word in one piece.
  const broken = await page.evaluate(() => [...document.querySelectorAll('h1, #top, #charts figcaption, .switch span, legend, form label, dt, dd')]
    .flatMap((element) => {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      const range = document.createRange();
      const found = [];
      while (walker.nextNode()) {
        if (walker.currentNode.parentElement.closest('option')) continue;
        for (const { 0: word, index } of walker.currentNode.data.matchAll(/[^\s\u00a0]+/g)) {
          range.setStart(walker.currentNode, index);
          range.setEnd(walker.currentNode, index + word.length);
          if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) found.push(word);
        }
      }
      return found;
    }));
  assert.deepEqual(broken, []);
  assert.equal(await overflow(page), 0);
  assert.deepEqual(await torn_words(), []);
});

test('in the reader\'s own colours everything that colour tells can be seen', async () => {
  await show({ forcedColors: 'active' });
  await keep(page, 'forced-colours');
  const seen = await page.evaluate(() => {
    const colours = (where) => {
      const { color, backgroundColor, forcedColorAdjust } = getComputedStyle(document.querySelector(where));
      return { color, backgroundColor, forcedColorAdjust };
    };
    const line = (where) => getComputedStyle(document.querySelector(where), '::before');
    return {
      chosen: colours('.switch :checked + span'), other: colours('.switch :not(:checked) + span'),
      first: colours('#bars li:first-child .bar'), ground: colours('body'),
      veil: getComputedStyle(document.querySelector('#crop')).boxShadow,
      track: getComputedStyle(document.querySelector('.track')).outlineStyle,
      line: line('#chart-fps .line').borderTopStyle, faint: line('#chart-fps .faint').borderTopStyle,
    };
  });
  assert.notEqual(seen.chosen.backgroundColor, seen.other.backgroundColor);
  assert.notEqual(seen.chosen.color, seen.chosen.backgroundColor);
  assert.equal(seen.chosen.forcedColorAdjust, 'none'); // else the word is white on a white plate, which no other style tells
  assert.notEqual(seen.first.backgroundColor, seen.ground.backgroundColor);
  assert.equal(seen.track, 'solid');
  assert.notEqual(seen.line, seen.faint);
  assert.match(seen.veil, /^rgba\(0, 0, 0, 0\.45\)/); // over what the network does not see
  assert.deepEqual(await accessible(page), []);
  assert.deepEqual(complaints(page), []);
});

for (const colorScheme of ['light', 'dark']) {
  test(`both lines of a chart stand out from their ground, ${colorScheme}`, async () => {
    await show({ colorScheme });
    const [ground, ...lines] = await page.evaluate(() => {
      const parse = (colour) => colour.match(/\d+/g).slice(0, 3).map(Number);
      const border = (where) => parse(getComputedStyle(document.querySelector(where), '::before').borderTopColor);
      return [parse(getComputedStyle(document.documentElement).backgroundColor), border('#chart-fps .line'), border('#chart-fps .faint')];
    });
    // Relative luminance and contrast as WCAG 2 has them.
    const luminance = (colour) => colour.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    for (const line of lines) {
      const [a, b] = [luminance(line), luminance(ground)].sort((x, y) => y - x);
      assert.ok((a + 0.05) / (b + 0.05) >= 3, `${line} on ${ground}: ${(a + 0.05) / (b + 0.05)}`);
    }
  });
}

test('a chart says from when to when it goes', async () => {
  await show();
  for (const axis of await page.locator('#charts .axis').all()) assert.equal(await axis.innerText(), '5 min ago\nnow');
  assert.equal(await page.locator('#charts .axis').count(), 4);
});

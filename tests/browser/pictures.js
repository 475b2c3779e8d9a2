// Takes the pictures of the page for the docs: see scripts/page_pictures.sh. usage: node pictures.js FOLDER CONFIGURATION
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { Glimpse, close_browser, free_port, open, pixels, state, until } = require('./support.js');

const [folder, configuration] = process.argv.slice(2);
const history_s = process.env.HISTORY_S ?? 290;
const truth = fs.readFileSync(path.join(__dirname, '../data/clip.csv'), 'utf8').trim().split('\n').slice(1)
  .map((line) => line.split(','))
  .map(([first, last, label]) => ({ first: Number(first), last: Number(last), label }));

/** Takes it while the clip shows this thing, whole, and it is named on top; from before the picture until after it. */
async function take(glimpse, page, label, name, options) {
  const { first, last } = truth.find((thing) => thing.label === label);
  const shows = async (from, to) => {
    const { frames, predictions } = await glimpse.get('api/status');
    return frames.index >= from && frames.index <= to && predictions[0].label === label &&
      await page.textContent('#top bdi') === label;
  };
  const file = path.join(folder, `${name}.png`);
  await until(async () => {
    if (!await shows(first + 12, last)) return false;
    await page.screenshot({ path: file, ...options });
    return shows(first + 12, last);
  }, `a picture of the ${label}`);
  console.log(`${file}: ${label}, ${Math.round(fs.statSync(file).size / 1024)} KiB`);
}

async function main() {
  const glimpse = await new Glimpse(await free_port()).start('--quantized', '--config', configuration);
  try {
    await until(async () => (await glimpse.get('api/status')).view.uptime_s > history_s, 'history');
    const desktop = await open(glimpse.url, { colorScheme: 'light' });
    await state(desktop, 'live');
    await until(async () => Math.max(...(await pixels(desktop)).filter((_, i) => i % 4 < 3)) > 60, 'the picture');
    await take(glimpse, desktop, 'teddy bear', 'page-desktop', { fullPage: true });
    await desktop.close();
    const phone = await open(glimpse.url, { size: 'phone', colorScheme: 'dark', deviceScaleFactor: 2 });
    await state(phone, 'live');
    await take(glimpse, phone, 'panda', 'page-phone', {});
  } finally {
    await close_browser();
    await glimpse.end();
  }
}

main();

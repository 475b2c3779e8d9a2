// Four charts of the last five minutes, drawn by Chart.js. What they are called stands in index.html.
import { figure, write } from './words.js';

const span_ms = 5 * 60 * 1000;
const sample_ms = 1000;

/** The first line is what the chart is about, a second one is fainter. `of` takes a value from a status. */
const kinds = [
  {
    id: 'chart-fps', unit: 'fps', digits: 1, y: { min: 0, suggestedMax: 10 },
    lines: [
      { key: 'inference_fps', name: 'frames named', of: (s) => s.fps.inference },
      { key: 'capture_fps', name: 'from source', of: (s) => s.fps.capture },
    ],
  },
  {
    id: 'chart-latency', unit: 'ms', digits: 1, y: { min: 0, suggestedMax: 5 },
    lines: [
      { key: 'inference_p50_ms', name: 'inference', of: (s) => s.latency_ms.inference?.p50 ?? null },
      { key: 'frame_age_ms', name: 'camera to name', of: (s) => s.latency_ms.frame_age },
    ],
  },
  {
    id: 'chart-cpu', unit: '%', digits: 0, y: { min: 0, max: 100 },
    lines: [{ key: 'cpu_percent', name: 'CPU load', of: (s) => s.system.cpu_percent }],
  },
  {
    id: 'chart-temperature', unit: '°C', digits: 0, y: { suggestedMin: 20, suggestedMax: 80 }, step: 20,
    lines: [{ key: 'temperature_c', name: 'CPU', of: (s) => s.system.temperature_c }],
  },
];

class LineChart {
  constructor(kind) {
    const figureElement = document.getElementById(kind.id);
    this.kind = kind;
    this.title = figureElement.querySelector('figcaption').firstChild.textContent.trim();
    this.now = kind.lines.map((_, line) => figureElement.querySelector(line ? 'i' : 'b'));
    this.canvas = figureElement.querySelector('canvas');
    this.chart = new Chart(this.canvas, {
      type: 'line',
      data: {
        datasets: kind.lines.map(({ name }, line) => ({
          label: name, data: [], pointRadius: 0, pointHoverRadius: 3, borderWidth: line ? 1.5 : 1.75, borderDash: line ? [4, 2] : [],
          tension: 0, order: line,
        })),
      },
      options: {
        animation: false, maintainAspectRatio: false, parsing: false, normalized: true,
        interaction: { mode: 'index', intersect: false, axis: 'x' },
        layout: { padding: { top: 6 } },
        plugins: {
          legend: { display: false },
          tooltip: { displayColors: false, callbacks: { title: (items) => this.ago(items[0]), label: (item) => this.label(item) } },
        },
        scales: {
          x: { type: 'linear', grid: { display: false, drawBorder: false }, ticks: { display: false } },
          y: { ...kind.y, position: 'right', grid: { drawTicks: false, drawBorder: false },
               ticks: { maxTicksLimit: 4, stepSize: kind.step, padding: 6, precision: 0 }, afterFit: (scale) => { scale.width = 34; } },
        },
      },
    });
    this.paint();
  }

  /** Colours as colours.css has them now: light, dark, or the reader's own. */
  paint() {
    const colour = (name) => { // as a canvas takes it, which knows no system colours
      this.canvas.style.color = `var(${name})`;
      return getComputedStyle(this.canvas).color;
    };
    const { data, options } = this.chart;
    data.datasets.forEach((set, line) => {
      set.borderColor = set.backgroundColor = colour(line ? '--faint-line' : '--accent');
    });
    options.scales.y.grid.color = colour('--line');
    options.scales.y.ticks.color = colour('--muted');
    options.scales.y.ticks.font = { family: getComputedStyle(document.body).fontFamily, size: 11 };
    options.plugins.tooltip.backgroundColor = colour('--text');
    options.plugins.tooltip.titleColor = options.plugins.tooltip.bodyColor = colour('--ground');
    this.chart.update('none');
  }

  draw(times, samples) {
    const end = times.at(-1) ?? 0;
    this.kind.lines.forEach(({ key }, line) => {
      this.chart.data.datasets[line].data = times.map((x, i) => ({ x, y: samples[key][i] ?? NaN }));
    });
    this.chart.options.scales.x.min = end - span_ms;
    this.chart.options.scales.x.max = end;
    this.chart.update('none');
    this.describe(samples);
  }

  text(value) {
    return figure(value, this.kind.digits, this.kind.unit);
  }

  /** The chart for those who do not see it. */
  describe(samples) {
    const { lines } = this.kind;
    const told = lines.map(({ key, name }) => {
      const known = samples[key].filter((value) => typeof value === 'number');
      const range = known.length ? `from ${this.text(Math.min(...known))} to ${this.text(Math.max(...known))}` : 'unknown';
      return `${lines.length > 1 ? `${name} ` : ''}${range}, now ${this.text(samples[key].at(-1)) ?? 'unknown'}`;
    });
    this.canvas.setAttribute('aria-label', `${this.title} over the last five minutes: ${told.join('; ')}`);
  }

  ago(item) {
    const seconds = Math.round((this.chart.options.scales.x.max - item.parsed.x) / 1000);
    return seconds ? `${seconds} s ago` : 'now';
  }

  label(item) {
    return `${item.dataset.label}: ${this.text(item.parsed.y)}`;
  }
}

export class Charts {
  #times = [];
  #samples = {};
  #charts = kinds.map((kind) => new LineChart(kind));

  constructor() {
    this.replace({ time_ms: [] });
    for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)'])
      matchMedia(query).addEventListener('change', () => this.#charts.forEach((chart) => chart.paint()));
  }

  /** What the server remembers; of it, what came after the machine's clock was last set back. */
  replace(history) {
    const { time_ms: times } = history;
    const first = times.findLastIndex((time, i) => time < times[i - 1]);
    const kept = (list) => list.slice(Math.max(0, first));
    this.#times = kept(times);
    for (const { lines } of kinds) for (const { key } of lines) this.#samples[key] = kept(history[key] ?? []);
    this.#draw();
  }

  show(status) {
    for (const chart of this.#charts) chart.kind.lines.forEach(({ of }, line) => write(chart.now[line], chart.text(of(status))));
    const last = this.#times.at(-1);
    if (status.time_ms < last) this.#forget(); // the machine's clock was set back
    else if (status.time_ms < last + sample_ms) return;
    this.#times.push(status.time_ms);
    for (const { lines } of kinds) for (const { key, of } of lines) this.#samples[key].push(of(status));
    while (this.#times[0] < status.time_ms - span_ms) this.#each((list) => list.shift());
    this.#draw();
  }

  #forget() {
    this.#each((list) => { list.length = 0; });
  }

  #each(action) {
    [this.#times, ...Object.values(this.#samples)].forEach(action);
  }

  #draw() {
    for (const chart of this.#charts) chart.draw(this.#times, this.#samples);
  }
}

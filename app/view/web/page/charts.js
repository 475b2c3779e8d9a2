// Four charts of the last five minutes, drawn by Chart.js.
import { figure, write } from './words.js';

const span_ms = 5 * 60 * 1000;
const sample_ms = 1000;

/** The first line is what the chart is about, a second one is fainter. `of` takes a value from a status. */
const kinds = [
  {
    id: 'chart-fps', unit: 'fps', digits: 1, y: { min: 0, suggestedMax: 10 },
    lines: [
      { key: 'inference_fps', name: 'named', of: (s) => s.fps.inference },
      { key: 'capture_fps', name: 'read', of: (s) => s.fps.capture },
    ],
  },
  {
    id: 'chart-latency', unit: 'ms', digits: 1, y: { min: 0, suggestedMax: 5 },
    lines: [
      { key: 'inference_p50_ms', name: 'network', of: (s) => s.latency_ms.inference?.p50 ?? null },
      { key: 'frame_age_ms', name: 'in all', of: (s) => s.latency_ms.frame_age },
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
    this.now = figureElement.querySelector('b');
    this.canvas = figureElement.querySelector('canvas');
    this.chart = new Chart(this.canvas, {
      type: 'line',
      data: {
        datasets: kind.lines.map(({ name }, line) => ({
          label: name, data: [], pointRadius: 0, pointHoverRadius: 3, borderWidth: line ? 1 : 1.75, tension: 0, order: line,
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

  /** Colours as style.css has them now: light or dark. */
  paint() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
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
    this.describe(samples[this.kind.lines[0].key]);
  }

  /** The chart for those who do not see it. */
  describe(values) {
    const known = values.filter((value) => typeof value === 'number');
    const text = (value) => figure(value, this.kind.digits, this.kind.unit);
    const range = known.length ? `from ${text(Math.min(...known))} to ${text(Math.max(...known))}` : 'unknown';
    this.canvas.setAttribute('aria-label', `${this.title} over the last five minutes: ${range}`);
  }

  ago(item) {
    const seconds = Math.round((this.chart.options.scales.x.max - item.parsed.x) / 1000);
    return seconds ? `${seconds} s ago` : 'now';
  }

  label(item) {
    return `${item.dataset.label}: ${figure(item.parsed.y, this.kind.digits, this.kind.unit)}`;
  }
}

export class Charts {
  #times = [];
  #samples = {};
  #charts = kinds.map((kind) => new LineChart(kind));

  constructor() {
    this.replace({ time_ms: [] });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#charts.forEach((chart) => chart.paint()));
  }

  /** What the server remembers. */
  replace(history) {
    this.#times = history.time_ms;
    for (const { lines } of kinds) for (const { key } of lines) this.#samples[key] = history[key] ?? [];
    this.#draw();
  }

  show(status) {
    for (const { now, kind } of this.#charts) write(now, figure(kind.lines[0].of(status), kind.digits, kind.unit));
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

// uPlot, dressed in the page's colours. Each chart follows its box and the theme.

/* global uPlot */
import { TIERS } from "./dom.js";

const drawn = new Set();

const ofDay = (at) => new Date(at * 1000).toLocaleTimeString([], { hour12: false });

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export class Chart {
  // series: [{label, colour, fill?, stepped?}]; data comes later, through show().
  constructor(box, series, options = {}) {
    Object.assign(this, { box, series, options, plot: null, data: null });
    new ResizeObserver(() => this.#fit()).observe(box);
    drawn.add(this);
  }

  show(data) {
    this.data = data;
    if (!this.box.clientWidth) return;
    if (this.plot) this.plot.setData(data);
    else this.#make();
  }

  #make() {
    const axis = { stroke: colour("faint"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui", size: 48 };
    const { x = {}, y = {}, fromZero = false, ...rest } = this.options;
    this.plot = new uPlot({
      width: this.box.clientWidth, height: this.box.clientHeight,
      cursor: { y: false, points: { size: 6 } }, legend: { show: false }, padding: [10, 26, 0, 0],
      scales: { x: { time: !x.plain }, y: fromZero ? { range: (_, least, most) => uPlot.rangeNum(0, most || 1, 0.1, true) } : {} },
      axes: [{ ...axis, size: 28, space: 68, values: (_, at) => at.map(x.plain ? String : ofDay), ...x }, { ...axis, ...y }],
      series: [{}, ...this.series.map((one) => ({
        label: one.label, stroke: colour(one.colour), width: 1.8, points: { show: one.points ?? false, size: one.size ?? 5, fill: one.size ? colour(one.colour) : undefined }, spanGaps: true,
        fill: one.fill ? `${colour(one.colour)}${one.fill}` : undefined, dash: one.dash, paths: one.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
      }))],
      ...rest,
    }, this.data, this.box);
  }

  #fit() {
    if (!this.box.clientWidth || !this.data) return;
    if (this.plot) this.plot.setSize({ width: this.box.clientWidth, height: this.box.clientHeight });
    else this.#make();
  }

  redress() {
    this.plot?.destroy();
    this.plot = null;
    if (this.data) this.show(this.data);
  }
}

export const redressAll = () => drawn.forEach((chart) => chart.redress());

// Lines per tier, stacked from nano up: the last is drawn first, so that each fill shows.
export function stacked(xs, values) {
  const sums = [];
  TIERS.forEach((label, i) => {
    sums.push(values[label].map((value, j) => value + (i ? sums[i - 1][j] : 0)));
  });
  return [xs, ...sums.reverse()];
}

export const STACK = [...TIERS].reverse().map((label) => ({ label, colour: label, fill: "cc", stepped: true }));

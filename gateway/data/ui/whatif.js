// The recent traffic, decided again with another dial.

import { json } from "./api.js";
import { Chart } from "./charts.js";
import { $, TIERS, dollars, el, percent, tier } from "./dom.js";

let answer = null;
let chart = null;

export function start() {
  $("whatif-dial").addEventListener("input", show);
}

export async function shown() {
  answer = await json("whatif");
  $("whatif-empty").hidden = answer.calls > 0;
  $("whatif-result").hidden = $("whatif-figure").hidden = answer.calls === 0;
  chart ??= new Chart($("chart-whatif"), [{ label: "quality", colour: "accent", points: true }, { label: "dial", colour: "full", points: true, size: 11 }], {
    x: { plain: true, values: (_, values) => values.map(dollars) }, y: { values: (_, values) => values.map((value) => value.toFixed(2)) },
  });
  show();
}

function show() {
  const dial = Number($("whatif-dial").value);
  $("whatif-out").textContent = String(dial);
  if (!answer?.calls) return;
  const there = answer.dials.reduce((best, one) => (Math.abs(one.dial - dial) < Math.abs(best.dial - dial) ? one : best));
  $("whatif-result").replaceChildren(card("As decided", answer.decided), card(`With the dial at ${there.dial}`, there));
  curve(there);
}

function card(title, sums) {
  return el("article", { class: "answer" }, el("h3", {}, title),
    el("div", { class: "share", role: "img", "aria-label": TIERS.map((label) => `${label} ${percent(sums.tiers[label] / answer.calls)}`).join(", ") },
      ...TIERS.map((label) => bar(label, sums.tiers[label] / answer.calls))),
    el("ul", { class: "facts" },
      ...TIERS.map((label) => el("li", {}, tier(label), ` ${percent(sums.tiers[label] / answer.calls)}`)),
      el("li", {}, "predicted cost ", el("b", {}, dollars(sums.cost_usd))),
      el("li", {}, "predicted quality ", el("b", {}, sums.quality.toFixed(3))),
      el("li", {}, "calls ", el("b", {}, String(answer.calls)))));
}

function bar(label, share) {
  const made = el("i", { class: label });
  made.style.width = `${share * 100}%`;
  return made;
}

function curve(there) {
  // Dials that choose alike fall on one point; x must grow.
  const points = new Map(answer.dials.map((one) => [Number(one.cost_usd), one.quality]));
  const xs = [...points.keys()].sort((a, b) => a - b);
  chart.show([xs, xs.map((x) => points.get(x)), xs.map((x) => (x === Number(there.cost_usd) ? points.get(x) : null))]);
}

// What happens now: figures, charts, the latest decisions and the upstreams.

import { admin, events, json, metrics } from "./api.js";
import { Chart, STACK, stacked } from "./charts.js";
import { details, outcome } from "./decision.js";
import * as samples from "./samples.js";
import * as trouble from "./trouble.js";
import { $, TIERS, cells, clock, count, dollars, el, number, percent, rows, seconds, tier, toast } from "./dom.js";

const LEAST = 60; // seconds of the charts: since the first call that is known, within these
const MOST = 300;
const STEP = 5; // seconds a point
const MOST_KEPT = 20000;
const MOST_ROWS = 100;
const POLL = 2000;
const FAMILIES = [
  "gateway_requests_total", "gateway_cost_usd_total", "gateway_saved_usd_total", "gateway_cache_total", "gateway_in_flight",
  "gateway_attempts_total", "gateway_breaker_open", "gateway_overhead_seconds_sum", "gateway_overhead_seconds_count",
  "gateway_cache_bytes", "gateway_cache_entries", ...trouble.FAMILIES,
];

let kept = []; // oldest first
const known = new Set();
let fresh = [];
let caughtUp = false;
let held = false;
let drawing = false;
let charts = null;
let drawnAt = 0;

export function start(catalog) {
  trouble.start(catalog);
  samples.start(catalog);
  $("tier-legend").replaceChildren(...TIERS.map((label) => tier(label)));
  $("hold").addEventListener("click", () => {
    held = !held;
    $("hold").setAttribute("aria-pressed", held);
    if (!held) redraw(true);
  });
  $("filter-tier").addEventListener("change", () => redraw(true));
  $("recent").tBodies[0].addEventListener("click", (event) => {
    const id = event.target.closest("tr")?.dataset.id;
    if (id) open(id);
  });
  follow();
  poll();
  setInterval(() => { if (!document.hidden) poll(); }, POLL);
  setInterval(() => { if (!document.hidden) schedule(); }, 1000);
}

export const shown = () => redraw(false);

// Listen, catch up, go on listening: nothing is missed between; after a fault again, a little later each time.
async function follow() {
  for (let wait = 500; ; wait = Math.min(wait * 2, 10000)) {
    try {
      const reply = await admin("decisions/stream");
      if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
      const past = await json("decisions?limit=500");
      past.data.reverse().forEach(take);
      caughtUp = true;
      poll();
      schedule();
      state("live", "good");
      wait = 500;
      await events(reply, take);
    } catch { /* told below */ }
    state("reconnecting", "bad");
    await new Promise((done) => setTimeout(done, wait));
  }
}

function state(words, kind) {
  $("feed").textContent = words;
  $("feed").className = `badge ${kind}`;
}

function take(said) {
  if (!said.id || known.has(said.id)) return;
  known.add(said.id);
  const flat = { ...said, ...said.actual, at: Date.parse(said.at) / 1000 };
  kept.push(flat);
  fresh.push(flat);
  if (kept.length > MOST_KEPT) {
    kept.splice(0, MOST_KEPT / 4).forEach((old) => known.delete(old.id));
  }
  schedule();
}

function schedule() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (!$("live").hidden) redraw(false);
  });
}

function redraw(all) {
  table(all);
  const now = performance.now();
  if (all || now - drawnAt > 400) {
    drawnAt = now;
    chartAll();
  }
}

function table(all) {
  if (held && !all) return;
  const wanted = $("filter-tier").value;
  const fits = (said) => !wanted || said.tier === wanted;
  const body = $("recent").tBodies[0];
  if (all) {
    rows($("recent"), kept.filter(fits).slice(-MOST_ROWS).reverse().map((said) => row(said, false)));
  } else {
    body.prepend(...fresh.filter(fits).slice(-MOST_ROWS).reverse().map((said) => row(said, true)));
    while (body.rows.length > MOST_ROWS) body.lastElementChild.remove();
  }
  fresh = [];
  const lost = kept.length && $("welcome").contains(document.activeElement);
  for (const [id, shown] of [["welcome", caughtUp && !kept.length], ["live-charts", kept.length], ["recent-box", kept.length]]) $(id).hidden = !shown;
  // Whoever pressed the button that goes away finds the one that stops the calls.
  if (lost) $("recent-box").querySelector(".samples").focus();
}

function row(said, isFresh) {
  const made = el("tr", { class: isFresh ? "fresh" : "" }, ...cells(
    el("td", {}, el("button", { class: "rowlink", "aria-label": `Decision of ${clock(said.at)}` }, clock(said.at))),
    tier(said.tier), el("td", { class: "why" }, said.reasons?.[0] ?? said.reason),
    number(dollars(said.cost_usd)), number(seconds(said.total_seconds)), said.cache, number(String(said.status))));
  made.dataset.id = said.id;
  return made;
}

async function open(id) {
  const said = await json(`decisions/${encodeURIComponent(id)}`).catch((problem) => toast(problem.message));
  if (!said) return;
  $("detail-body").replaceChildren(details({ ...said, decision_id: said.id }), outcome(said));
  $("detail-title").textContent = `Decision of ${new Date(said.at).toLocaleString()}`;
  $("detail").showModal();
}

function chartAll() {
  charts ??= {
    tiers: new Chart($("chart-tiers"), STACK, { fromZero: true, y: { values: (_, values) => values.map((value) => value || "") } }),
    money: new Chart($("chart-money"), [{ label: "always full", colour: "full", dash: [5, 5] }, { label: "spent", colour: "mini", fill: "22" }], { fromZero: true, y: { values: (_, values) => values.map(dollars), size: 62 } }),
    ttft: new Chart($("chart-ttft"), TIERS.map((label) => ({ label, colour: label, points: true }))),
  };
  const last = Math.floor(Date.now() / 1000 / STEP) * STEP;
  const since = Math.min(Math.max(last - (kept[0]?.at ?? last), LEAST), MOST);
  const points = Math.ceil(since / STEP);
  const xs = Array.from({ length: points }, (_, i) => last - (points - 1 - i) * STEP);
  const empty = () => xs.map(() => 0);
  const calls = { nano: empty(), mini: empty(), full: empty() };
  const firsts = Object.fromEntries(TIERS.map((label) => [label, xs.map(() => [])]));
  const spent = empty(), saved = empty();
  for (let i = kept.length - 1; i >= 0; i -= 1) {
    const said = kept[i];
    const at = Math.floor((said.at - xs[0]) / STEP);
    if (at < 0) break;
    if (at >= xs.length) continue;
    spent[at] += Number(said.cost_usd);
    saved[at] += Number(said.saved_usd);
    if (!calls[said.tier]) continue;
    calls[said.tier][at] += 1;
    if (said.stream && said.ttft_seconds && said.cache === "miss") firsts[said.tier][at].push(said.ttft_seconds);
  }
  charts.tiers.show(stacked(xs, calls));
  let sum = 0, full = 0;
  const sums = spent.map((value) => (sum += value));
  charts.money.show([xs, spent.map((value, i) => (full += value + saved[i])), sums]);
  charts.ttft.show([xs, ...TIERS.map((label) => firsts[label].map(median))]);
}

function median(values) {
  if (!values.length) return null;
  values.sort((a, b) => a - b);
  return values[values.length >> 1];
}

async function poll() {
  let found;
  try {
    found = await metrics(FAMILIES);
  } catch {
    trouble.unseen();
    $("tiles").classList.add("stale");
    return;
  }
  $("tiles").classList.remove("stale");
  const of = (name) => found.filter((one) => one.name === name);
  const sum = (name, fits = () => true) => of(name).filter(fits).reduce((all, one) => all + one.value, 0);
  const calls = sum("gateway_requests_total"), spent = sum("gateway_cost_usd_total"), saved = sum("gateway_saved_usd_total");
  const looked = sum("gateway_cache_total"), hits = sum("gateway_cache_total", (one) => ["hit", "shared"].includes(one.labels.outcome));
  const horizon = Date.now() / 1000 - 30;
  const lately = kept.filter((said) => said.at > horizon);
  const firsts = lately.filter((said) => said.stream).map((said) => said.ttft_seconds).filter(Boolean);
  const tiles = [
    ["Calls", count(calls), ""], ["A second, now", (lately.length / 30).toFixed(1), ""], ["In flight", count(sum("gateway_in_flight")), ""],
    ["Spent", dollars(spent), ""], ["Saved", dollars(saved), spent + saved > 0 ? `${percent(saved / (spent + saved))} of always-full` : ""],
    ["From memory", looked ? percent(hits / looked) : "–", ""], ["First byte, median", seconds(median(firsts)), "streams, last 30 s"],
    ["Own time", seconds(sum("gateway_overhead_seconds_sum") / sum("gateway_overhead_seconds_count")), "the gateway's, a call"],
  ];
  $("tiles").replaceChildren(...tiles.map(([name, value, note]) => el("div", {}, el("dt", {}, name), el("dd", {}, value, " ", el("small", {}, note)))));
  trouble.look(of, lately);
  upstreams(of);
  $("cache").replaceChildren(...[["Replies kept", count(sum("gateway_cache_entries"))], ["Megabytes", (sum("gateway_cache_bytes") / 1e6).toFixed(1)],
    ...["hit", "shared", "miss", "bypass"].map((name) => [name, count(sum("gateway_cache_total", (one) => one.labels.outcome === name))])]
    .flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function upstreams(of) {
  const table = new Map();
  const at = (name) => table.get(name) ?? table.set(name, { tries: 0, failed: 0, open: false }).get(name);
  for (const one of of("gateway_breaker_open")) at(one.labels.deployment).open = one.value > 0;
  for (const one of of("gateway_attempts_total")) {
    at(one.labels.deployment).tries += one.value;
    if (one.labels.outcome !== "ok") at(one.labels.deployment).failed += one.value;
  }
  rows($("upstreams"), [...table].map(([name, seen]) => el("tr", {}, ...cells(
    name, el("td", { class: seen.open ? "bad" : "good" }, seen.open ? "resting" : "up"), number(count(seen.tries)), number(count(seen.failed))))));
}

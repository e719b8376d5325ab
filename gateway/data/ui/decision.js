// One decision, whole: why, what else there was, and what would have changed it.

import { cells, count, dollars, el, number, percent, seconds, tier } from "./dom.js";

// Takes what x-gateway-explain, /v1/route and /admin/v1/decisions give.
export function details(said) {
  const candidates = said.candidates ?? [];
  return el("div", { class: "decision" },
    el("p", {}, tier(said.tier), ` ${said.model ?? ""} – ${(said.reasons ?? []).join("; ") || said.reason}`),
    list("What was seen", said.signals),
    candidates.length ? table(candidates, said.tier) : null,
    list("What would have changed it", said.would_change_it),
    weights(said.weights),
    said.decision_id ? el("p", { class: "hint mono" }, said.decision_id) : null,
  );
}

function list(title, items) {
  if (!items?.length) return null;
  return el("div", {}, el("p", { class: "hint" }, title), el("ul", {}, ...items.map((item) => el("li", {}, item))));
}

function table(candidates, chosen) {
  const made = el("table", {}, el("thead", {}, el("tr", {},
    ...["Tier", "Quality", "Cost", "First byte", "Whole", "In time"].map((name, i) => el("th", { scope: "col", class: i ? "num" : "" }, name)),
    el("th", { scope: "col" }, "Verdict"))), el("tbody"));
  made.tBodies[0].append(...candidates.map((one) => el("tr", {}, ...cells(
    tier(one.tier), number(one.quality.toFixed(2)), number(dollars(one.cost_usd)), number(seconds(one.ttft_seconds)),
    number(seconds(one.total_seconds)), number(percent(one.in_time)), el("td", { class: "why" }, one.tier === chosen ? "taken" : one.verdict)))));
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Candidates" }, made);
}

function weights(said) {
  if (!said || said.dial === null) return null;
  return el("p", { class: "hint" }, `Dial ${said.dial}: a doubling of the cost weighs ${said.doubling}, a second ${said.second}, a dollar ${said.dollar}.`);
}

// What became of it, beside what was predicted.
export function outcome(said) {
  const { actual, predicted } = said;
  const pair = (name, is, was) => [name, was === undefined || was === null ? is : `${is} (predicted ${was})`];
  const used = actual.usage;
  return el("dl", { class: "pairs" }, ...[
    pair("Cost", dollars(actual.cost_usd), predicted && dollars(predicted.cost_usd)), ["Saved against always-full", dollars(actual.saved_usd)],
    ...(said.stream ? [pair("First byte", seconds(actual.ttft_seconds), predicted && seconds(predicted.ttft_seconds))] : []),
    pair("Whole", seconds(actual.total_seconds), predicted && seconds(predicted.total_seconds)),
    pair("Answer's tokens", count(used.completion), predicted && count(predicted.completion_tokens)),
    ["Prompt's tokens", `${count(used.prompt)}, ${count(used.cached)} cached`], ["Gateway's own time", seconds(actual.overhead_seconds)],
    ["Outcome", `${actual.status} ${actual.outcome}`], ["Cache", actual.cache], ["Attempts", actual.attempts],
    ...(actual.in_time === null ? [] : [["In time", actual.in_time ? "yes" : "no"]]),
    ["Deployment", said.deployment], ["Asked for", said.requested], ["Over", `${said.api}${said.stream ? ", streamed" : ""}`], ["Key", said.key], ["Team", said.team],
  ].flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value ?? "–"))]));
}

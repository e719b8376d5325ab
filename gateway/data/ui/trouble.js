// What somebody should know now, in words, above whatever view is open: nothing when all is well.
// The same conditions as the alerts', seen within a minute; docs/operations.md says more of each.

import { $, clock, el, percent } from "./dom.js";

export const FAMILIES = [
  "gateway_store_up", "gateway_breaker_open", "gateway_limited_total", "gateway_budget_pace_ratio", "gateway_loop_lag_seconds",
  "gateway_log_dropped_total", "gateway_queue_length", "gateway_model_succeeded",
];
const RECENT = 60; // seconds that a counted event stays shown
const LASTING = 30; // seconds: the worst of the last twenty is shown, and one hiccup is no trouble
const FEWEST = 5; // calls that a share of failures is told of
const FAILED = 0.05, PACE = 1.2, LAG = 0.1, NOTICE_DAYS = 30; // as in the alerts

const STORES = {
  redis: ["Redis cannot be reached.", "Keys that fail closed get 503, the others are served uncounted; kept replies of other gateways are misses. Bring it back and do not flush it: budgets live there."],
  disk: ["The data directory cannot be written.", "Calls go on in memory, and are written when it takes again. Look at its disk: full, or read-only?"],
};
const LIMITS = {
  allowance: ["Calls are refused: an allowance of a LEVEL does not hold them.", "429 until its window ends. Keys & budgets shows whose; raise it, or wait."],
  requests: ["Calls are refused: a LEVEL has its calls a minute used up.", "429 with retry-after, as the key says."],
  tokens: ["Calls are refused: a LEVEL has its tokens a minute used up.", "429 with retry-after, as the key says."],
  parallel: ["Calls are refused: a LEVEL has all its calls in flight.", "429 with retry-after, as the key says."],
};

const before = new Map(); // counter -> { value, until }
let lapsed = []; // of the catalog
let told = "[]";
let seenAt = null;
let lateSince = null;

export function start(catalog) {
  lapsed = catalog.simulated ? [] : catalog.models.filter((model) => model.shutdown_date && model.days_left <= NOTICE_DAYS);
}

// `of` finds the samples of a family, `lately` are decisions of the last half minute.
export function look(of, lately) {
  seenAt = Date.now() / 1000;
  show([...store(of), ...failures(lately), ...resting(of), ...limits(of), ...ends(of), ...strain(of)]);
}

export function unseen() {
  const since = seenAt === null ? "" : ` The figures are of ${clock(seenAt)}.`;
  show([["bad", "The gateway does not answer this page.", `Is it running, and can it be reached?${since}`]]);
}

function* store(of) {
  for (const one of of("gateway_store_up")) if (one.value < 1) yield ["bad", ...(STORES[one.labels.store] ?? ["A store is down.", ""])];
}

function* failures(lately) {
  const failed = lately.filter((said) => said.status >= 500);
  if (failed.length < FEWEST || failed.length / lately.length <= FAILED) return;
  const kinds = Map.groupBy ? Map.groupBy(failed, (said) => said.outcome) : new Map([[failed.at(-1).outcome, failed]]);
  const [most] = [...kinds].sort((a, b) => b[1].length - a[1].length)[0];
  yield ["bad", `${percent(failed.length / lately.length)} of the calls of the last half minute failed.`, `Mostly ${most}. Live shows which deployment, and each decision what became of it.`];
}

function* resting(of) {
  const all = of("gateway_breaker_open"), names = all.filter((one) => one.value > 0).map((one) => one.labels.deployment);
  if (!names.length) return;
  const every = names.length === all.length;
  yield [every ? "bad" : "warn", `${names.join(", ")} ${names.length > 1 ? "rest" : "rests"} behind ${names.length > 1 ? "their breakers" : "its breaker"}.`,
    every ? "No deployment is left: calls get 503 until one answers a probe." : "It failed again and again; calls go to others of its tier, or to the tier above. It is probed every few seconds."];
}

// Counters: an event is shown for a minute after it was counted.
function grew(name, value) {
  const last = before.get(name) ?? { value: seenAt === null ? 0 : value, until: 0 };
  const until = value > last.value ? seenAt + RECENT : last.until;
  before.set(name, { value, until });
  return until > seenAt;
}

function* limits(of) {
  for (const one of of("gateway_limited_total")) {
    const { level, limit } = one.labels;
    if (!grew(`${level} ${limit}`, one.value) || !LIMITS[limit]) continue;
    const [what, then] = LIMITS[limit];
    yield ["warn", what.replace("LEVEL", level), then];
  }
  for (const one of of("gateway_budget_pace_ratio")) {
    if (one.value > PACE) yield ["warn", `An allowance of a ${one.labels.level} goes ${one.value.toFixed(1)} times as fast as it lasts.`, "Keys & budgets shows whose."];
  }
}

function* ends(of) {
  const moved = new Set(of("gateway_model_succeeded").filter((one) => one.value > 0).map((one) => one.labels.model));
  for (const model of lapsed) {
    if (moved.has(model.model)) continue;
    const when = model.days_left < 0 ? `was switched off on ${model.shutdown_date}` : `is switched off on ${model.shutdown_date}`;
    yield [model.days_left < 0 ? "bad" : "warn", `${model.model} (${model.tier}) ${when}.`, model.successor ? `Its successor is ${model.successor}.` : "Choose another for its tier."];
  }
}

function* strain(of) {
  const lag = Math.max(0, ...of("gateway_loop_lag_seconds").map((one) => one.value));
  lateSince = lag > LAG ? lateSince ?? seenAt : null;
  if (lateSince !== null && seenAt - lateSince > LASTING) yield ["warn", `The gateway was ${Math.round(lag * 1000)} ms late.`, "Its processor is full, or shared: more gateways, or fewer neighbours."];
  const dropped = of("gateway_log_dropped_total").reduce((sum, one) => sum + one.value, 0);
  if (grew("log", dropped)) yield ["warn", "Log lines are dropped.", "What reads the log is slower than the calls; the figures here are whole."];
}

function show(found) {
  const said = JSON.stringify(found);
  if (said === told) return; // or a screen reader would say it every two seconds
  told = said;
  $("trouble").hidden = !found.length;
  $("trouble").replaceChildren(...found.map(([kind, what, then]) => el("p", { class: kind }, el("b", {}, what), " ", el("span", {}, then))));
}

// Keys, budgets and spend: make, change, rotate, revoke; where the allowances stand.

import { json, send } from "./api.js";
import { Chart } from "./charts.js";
import { $, TIERS, cells, count, dollars, el, number, rows, seconds, toast } from "./dom.js";

const EVERY = 4000;
let selected = null;
let editing = null;
let chart = null;
let timer = null;
const history = new Map();

export function start() {
  $("key-new").addEventListener("click", () => edit(null));
  $("key-cancel").addEventListener("click", () => $("key-dialog").close());
  $("key-form").addEventListener("submit", save);
}

export async function shown() {
  await refresh();
  clearInterval(timer);
  timer = setInterval(() => { if (!$("money").hidden && !document.hidden) standing().catch(() => {}); }, EVERY);
}

async function refresh() {
  const [keys, spend] = await Promise.all([json("keys?limit=500"), json("spend?limit=200")]);
  $("keys-empty").hidden = keys.data.length > 0;
  rows($("keys"), keys.data.map(keyRow));
  rows($("spend"), spend.data.map((one) => el("tr", {}, ...cells(
    one.day, one.key_name || "–", one.team || "–", one.model, number(count(one.calls)),
    number(count(one.prompt_tokens + one.completion_tokens)), number(dollars(one.cost_usd)), number(dollars(one.saved_usd))))));
  const known = keys.data.find((key) => key.id === selected?.id) ?? keys.data.find((key) => key.status === "active");
  selected = known ?? null;
  await standing();
}

function keyRow(key) {
  const limits = [
    key.requests_per_minute && `${count(key.requests_per_minute)} calls/min`,
    key.tokens_per_minute && `${count(key.tokens_per_minute)} tokens/min`, key.parallel && `${key.parallel} at once`,
  ].filter(Boolean).join(", ");
  const act = (words, run, danger) => el("button", { class: danger ? "bad" : "", onclick: run, "aria-label": `${words} ${key.name}` }, words);
  const open = key.status === "active" && key.source === "store";
  return el("tr", {}, ...cells(
    el("td", {}, el("button", { class: "rowlink", onclick: () => { selected = key; standing().catch((problem) => toast(problem.message)); } }, key.name)),
    key.team ?? "–", key.allowances.join(", ") || "none", limits || "none", (key.tiers ?? TIERS).join(", "),
    el("td", { class: key.status === "active" ? "good" : "warn" }, key.status),
    el("td", {}, ...(open ? [act("Edit", () => edit(key)), " ", act("Rotate", () => rotate(key)), " ", act("Revoke", () => revoke(key), true)]
      : [key.source === "store" ? "" : "in the configuration"]))));
}

async function standing() {
  $("standing-of").textContent = selected ? `of ${selected.name}` : "";
  if (!selected || selected.status !== "active") {
    $("standings").replaceChildren(el("p", { class: "empty" }, "Choose a key to see its allowances, and those of its team and organisation."));
    $("burn").hidden = true;
    return;
  }
  const now = await json(`standing?key=${encodeURIComponent(selected.id)}`);
  const shownRows = now.allowances.map(allowance);
  for (const [name, meter] of [["calls", now.requests], ["tokens", now.tokens]]) {
    if (meter) shownRows.push(el("div", { class: "standing" }, `${count(meter.remaining)} of ${count(meter.limit)} ${name} a minute left`));
  }
  $("standings").replaceChildren(...(shownRows.length ? shownRows : [el("p", { class: "empty" }, "No allowance binds this key.")]));
  burn(now.allowances[0]);
}

const levelName = (level) => (selected && level === `key:${selected.id}` ? `key ${selected.name}` : level.replace(":", " "));

function allowance(one) {
  const amount = Number(one.amount_usd), spent = Number(one.settled_usd) / amount, held = Number(one.held_usd) / amount;
  const ahead = spent > one.elapsed;
  const part = (name, left, width) => {
    const made = el("i", { class: name });
    made.style.left = `${left * 100}%`;
    if (width !== undefined) made.style.width = `${width * 100}%`;
    return made;
  };
  return el("div", { class: "standing" },
    el("div", { class: "bar" }, el("b", {}, levelName(one.level)), ` ${one.allowance ?? dollars(one.amount_usd)}`,
      el("span", { class: ahead ? "warn" : "good" }, ahead ? "ahead of its pace" : "within its pace")),
    el("div", { class: "meter", role: "img", "aria-label": `${dollars(one.settled_usd)} spent, ${dollars(one.held_usd)} held of ${dollars(one.amount_usd)}` },
      part("spent", 0, Math.min(spent, 1)), part("held", Math.min(spent, 1), Math.min(held, 1 - Math.min(spent, 1))), part("now", one.elapsed)),
    el("span", { class: "hint" }, `${dollars(one.settled_usd)} spent · ${dollars(one.held_usd)} held · ${dollars(one.remaining_usd)} left · renewed in ${seconds(one.reset_seconds)}`));
}

// From the window's first moment to its end: what was seen of it here, and the line of an even pace.
function burn(one) {
  const known = one && one.elapsed < 1 && one.reset_seconds > 0;
  $("burn").hidden = !known;
  if (!known) return;
  const now = Date.now() / 1000, amount = Number(one.amount_usd), end = now + one.reset_seconds;
  const begin = end - one.reset_seconds / (1 - one.elapsed), even = (at) => amount * (1 - (at - begin) / (end - begin));
  const name = `${one.level} ${one.amount_usd}`;
  const seen = (history.get(name) ?? []).filter(([at]) => at > begin).slice(-900);
  seen.push([now, Number(one.remaining_usd)]);
  history.set(name, seen);
  $("burn-title").textContent = `Left of ${one.allowance ?? levelName(one.level)}, dollars, and what an even pace would leave, to the end of its window`;
  chart ??= new Chart($("chart-burn"), [{ label: "left", colour: "mini", fill: "22" }, { label: "even pace", colour: "faint", dash: [5, 5] }], {
    fromZero: true, x: { values: (_, times) => times.map((at) => ofWindow(at, times)) }, y: { values: (_, values) => values.map(dollars), size: 80 },
  });
  const points = [[begin, amount], ...seen, [end, null]];
  chart.show([points.map(([at]) => at), points.map(([, left]) => left), points.map(([at]) => even(at))]);
}

const ofWindow = (at, times) => (times.at(-1) - times[0] > 2 * 86400
  ? new Date(at * 1000).toLocaleDateString([], { month: "short", day: "numeric" })
  : new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false }));

function edit(key) {
  editing = key;
  const form = $("key-form");
  form.reset();
  $("key-title").textContent = key ? `Change ${key.name}` : "New key";
  $("key-error").textContent = "";
  if (key) {
    form.name.value = key.name;
    form.team.value = key.team ?? "";
    form.allowances.value = key.allowances.join(", ");
    form.rpm.value = key.requests_per_minute ?? "";
    form.tpm.value = key.tokens_per_minute ?? "";
    form.parallel.value = key.parallel ?? "";
    for (const box of form.tier) box.checked = !key.tiers || key.tiers.includes(box.value);
  }
  $("key-dialog").showModal();
}

async function save(event) {
  event.preventDefault();
  const form = $("key-form");
  const tiers = [...form.tier].filter((box) => box.checked).map((box) => box.value);
  const whole = (field) => (field.value.trim() ? Number(field.value) : null);
  const asked = {
    name: form.name.value.trim(), team: form.team.value.trim() || null,
    allowances: form.allowances.value.split(",").map((one) => one.trim()).filter(Boolean),
    requests_per_minute: whole(form.rpm), tokens_per_minute: whole(form.tpm), parallel: whole(form.parallel),
    tiers: tiers.length === TIERS.length ? null : tiers,
  };
  try {
    if (editing) await send("PATCH", `keys/${editing.id}`, asked);
    else fresh(await send("POST", "keys", asked));
    $("key-dialog").close();
    await refresh();
  } catch (problem) {
    $("key-error").textContent = problem.message;
  }
}

function fresh(key) {
  const copy = el("button", { onclick: () => navigator.clipboard.writeText(key.key).then(() => toast("Copied.")) }, "Copy");
  $("key-fresh").replaceChildren(el("div", { class: "standing" }, el("b", {}, `The key of ${key.name}, shown this once:`), el("code", {}, key.key), el("div", {}, copy)));
}

async function rotate(key) {
  if (!confirm(`Give ${key.name} a new secret? The old one stops working.`)) return;
  await act(async () => fresh(await send("POST", `keys/${key.id}/rotate`)));
}

async function revoke(key) {
  if (!confirm(`Revoke ${key.name}? Its calls are refused from now on.`)) return;
  await act(() => send("DELETE", `keys/${key.id}`));
}

async function act(run) {
  try {
    await run();
    await refresh();
  } catch (problem) {
    toast(problem.message);
  }
}

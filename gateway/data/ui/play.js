// The playground: send a prompt, watch it stream, see the decision, compare the tiers.

import { events } from "./api.js";
import { details } from "./decision.js";
import { $, TIERS, count, dollars, el, seconds, tier, toast } from "./dom.js";

let running = null;

export function start(catalog) {
  const names = ["auto", "auto:floor", "auto:nitro", ...catalog.models.map((model) => model.tier), ...catalog.models.map((model) => model.model)];
  $("play-model").replaceChildren(...[...new Set(names)].map((name) => el("option", {}, name)));
  $("play-quality").addEventListener("input", () => { $("play-quality-out").textContent = $("play-quality").value; });
  $("play-form").addEventListener("submit", (event) => {
    event.preventDefault();
    run([{ model: $("play-model").value, title: "" }]);
  });
  $("play-compare").addEventListener("click", () => {
    const reachable = TIERS.filter((label) => catalog.models.some((model) => model.tier === label));
    if ($("play-form").reportValidity()) run(["auto", ...reachable].map((model) => ({ model, title: model })));
  });
  $("play-route").addEventListener("click", () => { if ($("play-form").reportValidity()) decideOnly(); });
  $("play-stop").addEventListener("click", () => running?.abort());
}

function body(model) {
  const messages = [{ role: "user", content: $("play-prompt").value }];
  if ($("play-system").value.trim()) messages.unshift({ role: "system", content: $("play-system").value });
  const most = Number($("play-max").value);
  return { model, messages, ...(most > 0 ? { max_completion_tokens: most } : {}) };
}

function headers(model) {
  const said = { "content-type": "application/json", "x-gateway-explain": "1" };
  const deadline = Number($("play-deadline").value);
  if ($("play-key").value.trim()) said.authorization = `Bearer ${$("play-key").value.trim()}`;
  if (model.startsWith("auto")) said["x-gateway-quality"] = $("play-quality").value;
  if ($("play-cost").value.trim()) said["x-gateway-max-cost-usd"] = $("play-cost").value.trim();
  if (deadline > 0) said["x-gateway-deadline-ms"] = String(Math.round(deadline * 1000));
  return said;
}

async function run(columns) {
  running?.abort();
  const mine = running = new AbortController();
  $("play-stop").disabled = false;
  const cards = columns.map((column) => ({ ...column, ...card(column.title) }));
  $("play-out").replaceChildren(...cards.map((one) => one.box));
  await Promise.all(cards.map((one) => ask(one, mine.signal)));
  if (running === mine) $("play-stop").disabled = true;
}

function card(title) {
  const text = el("pre"), facts = el("ul", { class: "facts" }), why = el("div");
  const box = el("article", { class: "answer" }, title ? el("h3", {}, title) : null, facts, text, why);
  return { box, text, facts, why };
}

async function ask(one, signal) {
  const began = performance.now();
  let first = null;
  try {
    const reply = await fetch("../v1/chat/completions", {
      method: "POST", signal, headers: headers(one.model),
      body: JSON.stringify({ ...body(one.model), stream: true, stream_options: { include_usage: true } }),
    });
    if (!reply.ok) throw new Error((await reply.json().catch(() => ({}))).error?.message ?? `HTTP ${reply.status}`);
    const head = reply.headers;
    let usage = null, decision = null;
    const show = () => facts(one, { head, first, usage, decision, took: performance.now() - began });
    await events(reply, (chunk) => {
      if (chunk.error) throw new Error(chunk.error.message);
      usage = chunk.usage ?? usage;
      decision = chunk.gateway ?? decision;
      const piece = chunk.choices?.[0]?.delta?.content;
      if (!piece) return;
      first ??= performance.now() - began;
      one.text.append(piece);
      show();
    });
    show();
    if (decision) one.why.replaceChildren(el("details", { open: !one.title }, el("summary", {}, "The decision"), details(decision)));
  } catch (problem) {
    one.text.append(el("span", { class: "bad" }, signal.aborted ? " (stopped)" : problem.message));
  }
}

function facts(one, { head, first, usage, decision, took }) {
  const fact = (name, value) => el("li", {}, `${name} `, el("b", {}, value));
  one.facts.replaceChildren(
    fact("tier", tier(head.get("x-gateway-tier"))),
    fact("model", head.get("x-gateway-model") ?? "–"),
    fact("first byte", first === null ? "–" : seconds(first / 1000)),
    fact("whole", seconds(took / 1000)),
    fact("tokens", usage ? `${count(usage.prompt_tokens)} + ${count(usage.completion_tokens)}` : "…"),
    fact(decision ? "cost" : "expected cost", dollars(decision?.cost_usd ?? head.get("x-gateway-cost-usd"))),
    fact("cache", head.get("x-gateway-cache") ?? "–"),
  );
}

async function decideOnly() {
  try {
    const model = $("play-model").value;
    const reply = await fetch("../v1/route", { method: "POST", headers: headers(model), body: JSON.stringify(body(model)) });
    const said = await reply.json();
    if (!reply.ok) throw new Error(said.error?.message ?? `HTTP ${reply.status}`);
    $("play-out").replaceChildren(el("article", { class: "answer" }, el("h3", {}, "Decided, not sent"), details(said)));
  } catch (problem) {
    toast(problem.message);
  }
}

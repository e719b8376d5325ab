// A minute of calls of every kind, sent from the page, so that there is something to watch. Only
// before a simulation: there they cost nothing.

import { $, toast } from "./dom.js";

const SECONDS = 60;
const EVERY = 300; // milliseconds
const ASKED = [
  "Hello!", "Thanks, that helped.", "What is the capital of Portugal?", "Translate to French: good morning.", "Is 97 prime?",
  "Write a haiku about rain.", "Classify the sentiment: the food was cold but the staff were kind.", "Convert 12 miles to kilometres.",
  "Summarize in one sentence: Rayleigh scattering bends short wavelengths more, so the sky looks blue.",
  "Write a polite email that moves a meeting to Thursday.", "Explain how a hash map handles collisions, with an example in Python.",
  "Compare TCP and QUIC for a mobile game, and recommend one with reasons.", "Write SQL for the three best customers of each month, ties included.",
  "Prove that the square root of 2 is irrational.", "Design a rate limiter for ten regions that never overspends, and argue why it is correct.",
  "Find the race condition: two workers read a balance, both subtract, both write. Fix it without a global lock and prove it.",
  "Derive the gradient of softmax cross-entropy step by step.", "Refactor a 400-line parser into a state machine: give the plan, the risks and the tests.",
];
const KINDS = [{}, { stream: true }, {}, { stream: true }, { model: "auto:floor" }, { model: "auto:nitro", stream: true }, {}];
const DIALS = ["0.5", "0.5", "0.9"]; // as callers who care more, or less

let timer = null;
let sent = 0;

export function start(catalog) {
  for (const button of document.querySelectorAll(".samples")) {
    button.hidden = !catalog.simulated;
    button.addEventListener("click", () => (timer ? stop() : go()));
  }
}

function go() {
  const until = Date.now() + SECONDS * 1000;
  timer = setInterval(() => (Date.now() < until ? ask() : stop()), EVERY);
  named("Stop the calls", true);
  ask();
}

function stop() {
  clearInterval(timer);
  timer = null;
  named("Send sample calls", false);
}

function named(words, pressed) {
  for (const button of document.querySelectorAll(".samples")) {
    button.textContent = words;
    button.setAttribute("aria-pressed", pressed);
  }
}

async function ask() {
  const kind = KINDS[sent % KINDS.length];
  const content = ASKED[(sent * 7) % ASKED.length];
  // One in four comes again word for word: the cache is to be seen at work.
  const again = sent % 4 === 0 ? "" : ` (${sent})`;
  sent += 1;
  const body = { model: "auto", max_completion_tokens: 200, messages: [{ role: "user", content: content + again }], ...kind };
  const reply = await fetch("../v1/chat/completions", { method: "POST", headers: headers(DIALS[sent % DIALS.length]), body: JSON.stringify(body) }).catch(() => null);
  await reply?.text().catch(() => "");
  if (reply?.status !== 401) return;
  if (timer) toast("The gateway asks for a key: write one into the playground's field.");
  stop();
}

function headers(dial) {
  const key = $("play-key").value.trim();
  return { "content-type": "application/json", "x-gateway-quality": dial, ...(key ? { authorization: `Bearer ${key}` } : {}) };
}

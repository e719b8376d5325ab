// The admin API, with its key when it asks for one. The key stays in this tab (sessionStorage).

import { $ } from "./dom.js";

const KEPT = "tiergate-admin-key";
let asking = null;

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function admin(path, options = {}) {
  for (;;) {
    const reply = await fetch(`../admin/v1/${path}`, { ...options, headers: headers(options.headers) });
    if (reply.status !== 401) return reply;
    await signIn(sessionStorage.getItem(KEPT) ? "That key was not accepted." : "");
  }
}

export async function json(path, options) {
  const reply = await admin(path, options);
  const body = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Refused(reply.status, body.error?.message ?? `HTTP ${reply.status}`);
  return body;
}

export const send = (method, path, body) =>
  json(path, { method, body: JSON.stringify(body ?? {}), headers: { "content-type": "application/json" } });

function headers(extra) {
  const key = sessionStorage.getItem(KEPT);
  return { ...extra, ...(key ? { authorization: `Bearer ${key}` } : {}) };
}

// All who wait for the key wait for the same dialog.
function signIn(problem) {
  asking ??= new Promise((done) => {
    const dialog = $("login");
    $("login-error").textContent = problem;
    $("login-form").onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEPT, $("login-key").value.trim());
      $("login-key").value = "";
      dialog.close();
      asking = null;
      done();
    };
    dialog.oncancel = (event) => event.preventDefault();
    dialog.showModal();
  });
  return asking;
}

// Server-sent events of a reply: calls `on` with each event's parsed data, until the end.
export async function events(reply, on) {
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) {
      const data = part.split(/\r?\n/).filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).trimStart()).join("\n");
      if (data && data !== "[DONE]") on(JSON.parse(data));
    }
  }
}

// The metrics page as [{name, labels, value}], for the families asked for.
export async function metrics(wanted) {
  const reply = await admin("metrics");
  if (!reply.ok) throw new Refused(reply.status, `metrics: HTTP ${reply.status}`);
  const found = [];
  for (const line of (await reply.text()).split("\n")) {
    const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match || !wanted.includes(match[1])) continue;
    const labels = {};
    for (const [, key, value] of (match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[key] = value;
    found.push({ name: match[1], labels, value: Number(match[3]) });
  }
  return found;
}

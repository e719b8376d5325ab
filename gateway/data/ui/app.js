// Tabs, theme, and who is shown when. Each view starts when it is first looked at.

import { json } from "./api.js";
import { redressAll } from "./charts.js";
import { $, toast } from "./dom.js";
import * as live from "./live.js";
import * as models from "./models.js";
import * as money from "./money.js";
import * as play from "./play.js";
import * as whatif from "./whatif.js";

const views = { live, play, whatif, money, models };
const tabs = [...document.querySelectorAll('[role="tab"]')];

function show(name, focus = false) {
  for (const tab of tabs) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    $(tab.getAttribute("aria-controls")).hidden = !chosen;
    if (chosen && focus) tab.focus();
  }
  history.replaceState(null, "", `#${name}`);
  Promise.resolve(views[name].shown?.()).catch((problem) => toast(problem.message));
}

$("tabs").addEventListener("click", (event) => {
  const tab = event.target.closest('[role="tab"]');
  if (tab) show(tab.id.slice(4));
});

$("tabs").addEventListener("keydown", (event) => {
  const at = tabs.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  show(tabs[(to + tabs.length) % tabs.length].id.slice(4), true);
});

function theme(name) {
  document.documentElement.dataset.theme = name;
  localStorage.setItem("tiergate-theme", name);
  redressAll();
}

$("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  theme(dark ? "light" : "dark");
});
if (localStorage.getItem("tiergate-theme")) theme(localStorage.getItem("tiergate-theme"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redressAll);

async function start() {
  const catalog = await json("catalog");
  $("version").textContent = catalog.version;
  $("simulated").hidden = !catalog.simulated;
  const base = new URL("../v1", location.href).href;
  $("base-url").textContent = base;
  $("welcome-curl").textContent = `curl ${base}/chat/completions -H 'content-type: application/json' \\\n  -d '{"model": "auto", "messages": [{"role": "user", "content": "Hello!"}]}'`;
  $("welcome-play").addEventListener("click", () => { show("play"); $("play-prompt").focus(); });
  for (const view of Object.values(views)) view.start?.(catalog);
  const wanted = location.hash.slice(1);
  show(Object.hasOwn(views, wanted) ? wanted : "live");
}

start().catch((problem) => {
  $("feed").textContent = "refused";
  $("feed").className = "badge bad";
  toast(problem.message);
});

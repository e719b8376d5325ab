// The models behind the tiers: prices, windows, and how long they live.

import { json } from "./api.js";
import { $, cells, count, el, number, rows, tier } from "./dom.js";

const perMillion = (usd) => (usd === null || usd === undefined ? "–" : `$${Number(usd)}`);

function life(model) {
  if (!model.shutdown_date) return "none announced";
  const days = model.days_left;
  const words = days < 0 ? `ended ${-days} days ago` : `in ${days} days`;
  return el("span", { class: days <= 30 ? "bad" : days <= 90 ? "warn" : "" }, `${model.shutdown_date} · ${words}`);
}

export async function shown() {
  const catalog = await json("catalog");
  rows($("catalog"), catalog.models.map((model) => el("tr", {}, ...cells(
    tier(model.tier), el("td", { class: "mono" }, model.model), model.deployments.join(", "),
    number(perMillion(model.usd_per_million.prompt)), number(perMillion(model.usd_per_million.cached)),
    number(perMillion(model.usd_per_million.completion)), number(count(model.context_window)),
    life(model), model.successor ?? "–",
  ))));
}

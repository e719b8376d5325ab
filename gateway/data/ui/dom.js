// Elements and numbers as people read them. Text goes in as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const TIERS = ["nano", "mini", "full"];

export const tier = (label) => el("span", { class: `tier ${TIERS.includes(label) ? label : ""}` }, label || "–");

export function dollars(value) {
  const number = Number(value);
  if (value === null || value === undefined || !Number.isFinite(number)) return "–";
  if (number === 0) return "$0";
  const size = Math.abs(number);
  if (size >= 100) return `$${number.toFixed(0)}`;
  if (size >= 1) return `$${number.toFixed(2)}`;
  return `$${number.toPrecision(size < 0.0001 ? 2 : 3).replace(/e.*/, "")}`.includes("e")
    ? `$${number.toFixed(9)}`
    : `$${Number(number.toPrecision(3)).toFixed(Math.min(9, 2 - Math.floor(Math.log10(size))))}`;
}

export function seconds(value) {
  if (value === null || value === undefined || !Number.isFinite(Number(value))) return "–";
  const number = Number(value);
  if (number < 0.001) return `${Math.round(number * 1e6)} µs`;
  if (number < 1) return `${Math.round(number * 1000)} ms`;
  if (number < 100) return `${number.toFixed(1)} s`;
  if (number < 7200) return `${Math.round(number / 60)} min`;
  return number < 172800 ? `${Math.round(number / 3600)} h` : `${Math.round(number / 86400)} days`;
}

export const percent = (share) => (Number.isFinite(share) ? `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %` : "–");

export function count(value) {
  const number = Number(value);
  if (!Number.isFinite(number)) return "–";
  if (number >= 1e6) return `${(number / 1e6).toFixed(1)}M`;
  return number >= 1e4 ? `${(number / 1e3).toFixed(1)}k` : String(Math.round(number));
}

export const clock = (at) => new Date(at * 1000).toLocaleTimeString([], { hour12: false });

export function toast(words) {
  const box = $("toast");
  box.textContent = words;
  box.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.hidden = true; }, 6000);
}

export function rows(table, made) {
  table.tBodies[0].replaceChildren(...made);
}

export const cells = (...values) => values.map((value) =>
  value instanceof HTMLTableCellElement ? value : el("td", {}, value ?? "–"));

export const number = (value) => el("td", { class: "num" }, value);

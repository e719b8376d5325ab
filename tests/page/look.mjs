// Uses the page as a person would, in a real browser, and reports what it saw as lines of JSON.
// Usage: node look.mjs BROWSER OPEN_URL LOCKED_URL ADMIN_KEY PICTURES

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [browserPath, url, locked, adminKey, pictures] = process.argv.slice(2);
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = ["live", "play", "whatif", "money", "models"];
const PATIENCE = 30000;
const SIZES = { wide: { width: 1280, height: 860 }, phone: { width: 380, height: 780 } };

const browser = await chromium.launch({
  executablePath: browserPath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const complaints = [];

function say(name, ok, seen = "") {
  process.stdout.write(`${JSON.stringify({ name, ok: Boolean(ok), seen: String(seen) })}\n`);
}

async function opened(address, size, scheme) {
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme: scheme, bypassCSP: false });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (said) => { if (said.type() === "error") complaints.push(said.text()); });
  page.on("pageerror", (problem) => complaints.push(problem.message));
  page.on("dialog", (dialog) => dialog.accept());
  await page.goto(`${address}/ui/`);
  return page;
}

async function step(name, run) {
  try {
    const seen = await run();
    say(name, seen !== false, seen ?? "");
  } catch (problem) {
    say(name, false, problem.message.split("\n")[0]);
  }
}

// axe goes in by the debugger's door: the page's own policy lets no foreign script in.
async function faults(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes[0].target} (${one.nodes.length})`);
}

async function look(size, scheme) {
  const page = await opened(url, size, scheme);
  await page.waitForSelector("#recent tbody tr:nth-child(20)");
  for (const view of VIEWS) {
    await step(`${view}: ${size}, ${scheme}`, async () => {
      await page.click(`#tab-${view}`);
      if (view === "play") await page.waitForSelector("#play-model option", { state: "attached" });
      if (view === "whatif") await page.waitForSelector("#whatif-result article");
      if (view === "money") await page.waitForSelector("#keys-empty:not([hidden]), #keys tbody tr");
      if (view === "models") await page.waitForSelector("#catalog tbody tr");
      await page.waitForTimeout(700);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      await page.screenshot({ path: `${pictures}/${view}-${size}-${scheme}.png` });
      const found = await faults(page);
      if (wide > 0) throw new Error(`${wide} px wider than the screen`);
      if (found.length) throw new Error(found.join("; "));
    });
  }
  await page.context().close();
}

async function live(page) {
  await step("the figures move", async () => {
    const calls = () => page.locator("#tiles dd").first().innerText();
    const before = await calls();
    await page.waitForFunction((was) => document.querySelector("#tiles dd").innerText !== was, before);
    return `${before} -> ${await calls()}`;
  });
  await step("every chart has drawn", async () => {
    const drawn = await page.locator("#live canvas").count();
    return drawn === 3 && `${drawn} charts`;
  });
  await step("frames are kept while decisions come in", async () => {
    const seen = await page.evaluate(async () => {
      const slow = [];
      new PerformanceObserver((list) => slow.push(...list.getEntries().map((one) => one.duration))).observe({ type: "longtask" });
      const rows = new Set();
      const began = performance.now();
      let frames = 0;
      await new Promise((done) => {
        const frame = () => {
          frames += 1;
          for (const row of document.querySelectorAll("#recent tbody tr")) rows.add(row.dataset.id);
          if (performance.now() - began > 5000) done(); else requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      });
      return { frames, decisions: rows.size - 100, blocked: slow.reduce((sum, one) => sum + one - 50, 0) };
    });
    const told = `${Math.round(seen.frames / 5)} frames/s, ${Math.round(seen.decisions / 5)} decisions/s, ${Math.round(seen.blocked / 50)} % blocked`;
    if (seen.decisions < 50 || seen.blocked > 1250) throw new Error(told);
    return told;
  });
  await step("a decision says why, and what would have changed it", async () => {
    await page.click("#hold");
    await page.locator("#recent tbody tr", { hasText: "miss" }).first().click();
    await page.waitForSelector("#detail[open] table");
    const words = await page.locator("#detail-body").innerText();
    await page.screenshot({ path: `${pictures}/decision.png` });
    await page.keyboard.press("Escape");
    return /Verdict/.test(words) && /predicted/.test(words);
  });
  await step("upstreams are listed", async () => `${await page.locator("#upstreams tbody tr").count()} deployments`);
}

async function playground(page) {
  await page.click("#tab-play");
  await step("a prompt is answered and explained", async () => {
    await page.fill("#play-prompt", "Say hello in French.");
    await page.click("#play-form .primary");
    await page.waitForSelector(".answer details table");
    return page.locator(".answer .facts").innerText();
  });
  await step("the tiers answer side by side", async () => {
    await page.click("#play-compare");
    await page.waitForFunction(() => document.querySelectorAll(".answer details").length === 4);
    await page.screenshot({ path: `${pictures}/compare.png` });
    return (await page.locator(".answer .facts li:first-child").allInnerTexts()).join(", ");
  });
  await step("a decision without a call", async () => {
    await page.click("#play-route");
    await page.waitForSelector("text=Decided, not sent");
  });
  await step("a refusal is shown in words", async () => {
    await page.fill("#play-cost", "0.0000001");
    await page.click("#play-form .primary");
    await page.waitForSelector(".answer .bad");
    await page.fill("#play-cost", "");
    return page.locator(".answer .bad").innerText();
  });
}

async function whatIf(page) {
  await page.click("#tab-whatif");
  await step("another dial shares the calls out differently", async () => {
    await page.waitForSelector("#whatif-result article");
    const read = () => page.locator("#whatif-result article").nth(1).innerText();
    await page.locator("#whatif-dial").fill("0");
    const low = await read();
    await page.locator("#whatif-dial").fill("1");
    const high = await read();
    return low !== high && high.split("\n").join(" ");
  });
}

async function keys(page) {
  await page.click("#tab-money");
  await step("a key is made, shown once, changed, rotated and revoked", async () => {
    await page.click("#key-new");
    await page.fill("#key-form [name=name]", "browser");
    await page.fill("#key-form [name=allowances]", "5usd/day");
    await page.click("#key-form .primary");
    await page.waitForSelector("#key-fresh code");
    const first = await page.locator("#key-fresh code").innerText();
    await page.click("text=Edit");
    await page.fill("#key-form [name=rpm]", "60");
    await page.click("#key-form .primary");
    await page.waitForSelector("#keys >> text=60 calls/min");
    await page.waitForSelector(".standing .meter");
    await page.waitForSelector("#chart-burn canvas");
    await page.screenshot({ path: `${pictures}/keys.png` });
    await page.click("text=Rotate");
    await page.waitForFunction((old) => document.querySelector("#key-fresh code").innerText !== old, first);
    await page.click("#keys >> text=Revoke");
    await page.waitForSelector("#keys >> text=revoked");
    return first.slice(0, 3);
  });
}

async function byKeyboard(page) {
  await step("the views can be changed by keyboard", async () => {
    await page.focus("#tab-live");
    await page.keyboard.press("ArrowRight");
    await page.waitForSelector("#play:not([hidden])");
    await page.keyboard.press("End");
    await page.waitForSelector("#models:not([hidden])");
  });
}

async function lockedDoor() {
  const page = await opened(locked, "wide", "light");
  await step("a guarded gateway asks for the admin key, twice if it was wrong", async () => {
    await page.fill("#login-key", "wrong");
    await page.click("#login-form .primary");
    await page.waitForFunction(() => document.querySelector("#login-error").innerText);
    await page.fill("#login-key", adminKey);
    await page.click("#login-form .primary");
    await page.waitForFunction(() => document.querySelector("#feed").innerText === "live");
  });
  await firstMinute(page);
  await trouble(page);
  await page.context().close();
}

// Before anybody has asked anything: the page says how, and calls are one button away.
async function firstMinute(page) {
  await step("a page without calls says what to do, and shows the calls it sends", async () => {
    await page.waitForSelector("#welcome:not([hidden])");
    const found = await faults(page);
    if (found.length) throw new Error(found.join("; "));
    await page.screenshot({ path: `${pictures}/welcome.png` });
    const began = Date.now();
    await page.click("#welcome .samples");
    await page.waitForSelector("#recent tbody tr:nth-child(5)");
    const took = Date.now() - began;
    await page.click("#recent-box .samples");
    return await page.locator("#welcome").isHidden() && `five decisions after ${took} ms`;
  });
}

async function trouble(page) {
  await step("what is wrong is told above every view, until it is over", async () => {
    if (await page.locator("#trouble p.bad").count()) throw new Error(await page.locator("#trouble").innerText());
    const data = { model: "mini", messages: [{ role: "user", content: "[[fault:status=503]] Hi" }] };
    for (let i = 0; i < 12; i += 1) await page.request.post(`${locked}/v1/chat/completions`, { data });
    await page.click("#tab-models");
    await page.waitForSelector("#trouble p.bad");
    const words = await page.locator("#trouble").innerText();
    const found = await faults(page);
    await page.screenshot({ path: `${pictures}/trouble.png` });
    if (found.length) throw new Error(found.join("; "));
    return words.split("\n").join(" | ");
  });
  await step("a gateway that does not answer is told of", async () => {
    await page.route("**/admin/v1/metrics", (route) => route.abort());
    await page.waitForSelector("#trouble >> text=does not answer");
  });
}

for (const [size, scheme] of [["wide", "light"], ["wide", "dark"], ["phone", "light"], ["phone", "dark"]]) await look(size, scheme);
const page = await opened(url, "wide", "light");
await page.waitForSelector("#recent tbody tr:nth-child(20)");
await live(page);
await playground(page);
await whatIf(page);
await byKeyboard(page);
await page.click("#tab-money");
await keys(page);
await page.context().close();
// A refusal that is meant shows as a failed request; only what the page itself did wrong counts.
const own = complaints.filter((words) => !/Failed to load resource.*(400|401)/.test(words));
say("the console is silent", own.length === 0, own.slice(0, 5).join(" | "));
await lockedDoor();
await browser.close();

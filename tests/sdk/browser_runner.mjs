// Runs vendor packages in headless Chromium, side by side, each in a context of its own:
//   node browser_runner.mjs PACKAGE=APP_ID ...
// The page's origin is not the mock's. Packages without host options meet the mock under the
// live host names. The facts are one JSON document on stdout.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { trustIn } from "./browser_trust.mjs";
import { FLOWS } from "./flows.mjs";
import { packageNamed } from "./packages.mjs";
import { servePages } from "./page_server.mjs";
import { keysFrom, report } from "./running.mjs";

const MODULES = ["flows", "long_session", "other_side", "snippets", "steps", "wire_tap", "world"];
const QUIET = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const { env } = process;
const httpsUrl = env.MOCKCHAT_HTTPS_URL;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The live host names lead to the mock, loopback stays itself, and nothing else resolves. */
function hostRules() {
  const mock = `MAP *.cometchat.io:443 127.0.0.1:${new URL(httpsUrl).port}`;
  return `--host-resolver-rules=${mock},MAP * ~NOTFOUND,EXCLUDE localhost,EXCLUDE 127.0.0.1`;
}

function launch(home) {
  return chromium.launch({
    executablePath: env.MOCKCHAT_CHROMIUM ?? "/usr/bin/chromium",
    chromiumSandbox: false,
    args: [...QUIET, hostRules()],
    env: { ...env, HOME: home },
  });
}

async function runPackage(browser, origin, row, appId) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const troubles = listen(page);
  const { label, realtime } = row;
  const hosts = row.override ? "override" : "live";
  const settings = { appId, httpsUrl, hosts, realtime, keys: keysFrom(env) };
  const facts = [];
  for (const run of FLOWS.steps.keys()) {
    await page.goto(origin);
    await page.addScriptTag({ url: `/${label}.js` });
    facts.push(await page.evaluate(inPage, { run, settings }));
  }
  await context.close();
  return { label, package: row.name, version: row.version, ...joined(facts), ...troubles };
}

/** Runs in the page, so it may use nothing but its argument. */
async function inPage({ run, settings }) {
  const { FLOWS } = await import("/flows.mjs");
  const { createWorld, take } = await import("/world.mjs");
  const { tapFetches, tapSockets } = await import("/wire_tap.mjs");
  const taps = { sockets: tapSockets(window), fetches: tapFetches(window) };
  const CometChat = window.CometChat.CometChat ?? window.CometChat;
  const steps = await take(FLOWS.steps[run], createWorld({ CometChat, ...settings, ...taps }));
  return { steps, ...taps };
}

const joined = (facts) => ({
  steps: Object.assign({}, ...facts.map(({ steps }) => steps)),
  sockets: facts.flatMap(({ sockets }) => sockets),
  fetches: facts.flatMap(({ fetches }) => fetches),
});

function listen(page) {
  const consoleErrors = [];
  const unhandled = [];
  page.on("console", (message) => {
    console.error(`[page] ${message.type()} ${message.text()}`);
    if (message.type() === "error") {
      consoleErrors.push({ text: message.text(), url: message.location().url });
    }
  });
  page.on("pageerror", (error) => unhandled.push(String(error)));
  return { consoleErrors, unhandled };
}

async function main() {
  const jobs = process.argv.slice(2).map((argument) => argument.split("="));
  const rows = jobs.map(([label]) => packageNamed(label));
  const files = new Map(MODULES.map((name) => [`/${name}.mjs`, here(`${name}.mjs`)]));
  for (const { label, bundle } of rows) files.set(`/${label}.js`, bundle);
  const home = mkdtempSync(join(tmpdir(), "mockchat-browser-"));
  trustIn(home, env.NODE_EXTRA_CA_CERTS);
  const [pages, browser] = await Promise.all([servePages(files), launch(home)]);
  try {
    const runs = jobs.map(([, appId], at) => runPackage(browser, pages.origin, rows[at], appId));
    return await Promise.all(runs);
  } finally {
    await browser.close();
    pages.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

await report(main());

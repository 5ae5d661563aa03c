// A headless Chromium that trusts the mock and finds it under the live host names, and an origin
// of its own for the pages in it. Every run has a context of its own.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { trustIn } from "./browser_trust.mjs";
import { FLOWS } from "./flows.mjs";
import { identity } from "./packages.mjs";
import { servePages } from "./page_server.mjs";
import { keysFrom } from "./running.mjs";

const MODULES = [
  ...["another_host", "calls", "faults", "flows", "long_session", "other_side"],
  ...["promises", "snippets", "steps", "wire_tap", "world"],
];
const LIVE_DOMAINS = ["cometchat.io", "cometchat.com"];
const QUIET = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
// Fonts and scripts of other servers, which the UI Kits and the Calls SDK load by themselves.
const OTHERS = {
  "https://fonts.googleapis.com/**": "text/css",
  "https://cdn.cometchat.io/**": "text/javascript",
};
const { env } = process;
const httpsUrl = env.MOCKCHAT_HTTPS_URL;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Starts the browser, has it used, and clears up. `files` adds to what the origin serves. */
export async function withBrowser(files, use) {
  const home = mkdtempSync(join(tmpdir(), "mockchat-browser-"));
  trustIn(home, env.NODE_EXTRA_CA_CERTS);
  const modules = MODULES.map((name) => [`/${name}.mjs`, here(`${name}.mjs`)]);
  const [pages, browser] = await Promise.all([
    servePages(new Map([...modules, ...files])),
    launch(home),
  ]);
  try {
    return await use(browser, pages.origin);
  } finally {
    await browser.close();
    pages.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** What the origin has to serve for these packages. */
export const bundlesOf = (rows) => rows.map(({ label, bundle }) => [`/${label}.js`, bundle]);

function launch(home) {
  return chromium.launch({
    executablePath: env.MOCKCHAT_CHROMIUM ?? "/usr/bin/chromium",
    chromiumSandbox: false,
    args: [...QUIET, ...(env.MOCKCHAT_PROXY_URL ? proxyRules() : hostRules())],
    env: { ...env, HOME: home },
  });
}

/**
 * The live host names lead to the mock, and so does port 443 of this machine, which the SDKs ask
 * for online counts. The rest of loopback stays itself, and nothing else resolves.
 */
function hostRules() {
  const { hostname, port } = new URL(httpsUrl);
  const mock = LIVE_DOMAINS.map((domain) => `MAP *.${domain}:443 127.0.0.1:${port}`);
  const rules = env.MOCKCHAT_HOST_RULES ?? `--host-resolver-rules=${mock}`;
  const own = ["localhost", "127.0.0.1"].map((name) => `MAP ${name} ${name}`);
  const counts = `MAP ${hostname}:443 127.0.0.1:${port}`;
  return [`${rules},${counts},${own},MAP * ~NOTFOUND`];
}

/** All goes by the mock's proxy, loopback too, and no name resolves here. */
function proxyRules() {
  const { hostname, host } = new URL(env.MOCKCHAT_PROXY_URL);
  const resolver = `--host-resolver-rules=MAP * ~NOTFOUND,EXCLUDE ${hostname}`;
  return [`--proxy-server=${host}`, "--proxy-bypass-list=<-loopback>", resolver];
}

/**
 * Takes a package through a flow. `hosts` is how it finds the mock, `stepLimit` how long a
 * step may take: one that never settles ends the run, and the facts tell which.
 */
export async function runPackage(browser, origin, row, given) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const troubles = listen(page);
  const { label, traits } = row;
  const { flow = "steps", hosts } = given;
  const otherUrl = env.MOCKCHAT_OTHER_URL;
  const settings = { ...given, flow, httpsUrl, otherUrl, traits, keys: keysFrom(env) };
  const facts = [];
  for (const run of FLOWS[flow].keys()) {
    await page.goto(origin);
    await page.addScriptTag({ url: `/${label}.js` });
    facts.push(await page.evaluate(inPage, { run, settings }));
    if (facts.at(-1).hung) break;
  }
  await context.close();
  const { unhandled, ...told } = joined(facts);
  troubles.unhandled.push(...unhandled);
  return { ...identity(row), hosts, ...told, ...troubles };
}

/** Runs in the page, so it may use nothing but its argument. */
async function inPage({ run, settings }) {
  const { FLOWS } = await import("/flows.mjs");
  const { createWorld, take } = await import("/world.mjs");
  const { rejected, tapFetches, tapSockets } = await import("/wire_tap.mjs");
  const taps = { sockets: tapSockets(window), fetches: tapFetches(window), unhandled: [] };
  window.addEventListener("unhandledrejection", (event) => {
    event.preventDefault(); // it is told here, code and all
    taps.unhandled.push(rejected(event.reason));
  });
  const CometChat = window.CometChat.CometChat ?? window.CometChat;
  const notifications = window.CometChatNotifications ?? window.CometChat.CometChatNotifications;
  const world = createWorld({ CometChat, notifications, ...settings, ...taps });
  const steps = {};
  const hung = await take(FLOWS[settings.flow][run], world, steps).catch((error) => error.message);
  return { steps, hung, ...taps };
}

const joined = (facts) => ({
  steps: Object.assign({}, ...facts.map(({ steps }) => steps)),
  hung: facts.at(-1).hung,
  sockets: facts.flatMap(({ sockets }) => sockets),
  fetches: facts.flatMap(({ fetches }) => fetches),
  unhandled: facts.flatMap(({ unhandled }) => unhandled),
});

/** Stands in for the other servers, which nothing here asks. */
export async function answerOthers(context) {
  for (const [urls, contentType] of Object.entries(OTHERS)) {
    await context.route(urls, (route) => route.fulfill({ contentType, body: "" }));
  }
}

/** Notes what a page says on its console and the promises it leaves rejected. */
export function listen(page) {
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

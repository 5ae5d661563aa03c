// Runs one vendor package in Node:  node node_runner.mjs PACKAGE [FLOW]
// The facts are one JSON document on stdout; everything an SDK says goes to stderr.

import { createRequire } from "node:module";

import { FLOWS } from "./flows.mjs";
import { stubNativeModules } from "./native_stubs.mjs";
import { becomeBrowserLike, hurry, obeyProxyVariables } from "./node_environment.mjs";
import { identity, packageNamed } from "./packages.mjs";
import { keysFrom, report } from "./running.mjs";
import { createWorld, take } from "./world.mjs";
import { rejected, tapFetches, tapSockets } from "./wire_tap.mjs";

const [label, flow = "steps"] = process.argv.slice(2);
const HURRY = { "long-session": 30, faults: 30 };

/** Loads an SDK as a process started anew would: nothing but the storage is left of the last. */
function freshly(bundle) {
  const require = createRequire(import.meta.url);
  delete require.cache[bundle];
  const { URL, URLSearchParams } = globalThis;
  const loaded = require(bundle);
  // A Calls SDK brings a URL class for devices, which parses nothing in Node.
  Object.assign(globalThis, { URL, URLSearchParams });
  return { CometChat: loaded.CometChat ?? loaded, notifications: loaded.CometChatNotifications };
}

function worldFromEnvironment(row, taps) {
  const { env } = process;
  return createWorld({
    ...freshly(row.bundle),
    appId: env.MOCKCHAT_APP_ID ?? "APP_ID",
    httpUrl: env.MOCKCHAT_URL,
    httpsUrl: env.MOCKCHAT_HTTPS_URL,
    otherUrl: env.MOCKCHAT_OTHER_URL,
    hosts: env.MOCKCHAT_PROXY_URL ? "live" : "override",
    traits: row.traits,
    keys: keysFrom(env),
    ...taps,
  });
}

async function main() {
  const row = packageNamed(label);
  const unhandled = [];
  process.on("unhandledRejection", (reason) => unhandled.push(rejected(reason)));
  becomeBrowserLike();
  if (process.env.MOCKCHAT_PROXY_URL) obeyProxyVariables();
  stubNativeModules();
  hurry(HURRY[flow] ?? 1);
  const taps = { sockets: tapSockets(globalThis), fetches: tapFetches(globalThis) };
  const steps = {};
  for (const run of FLOWS[flow]) {
    await take(run, worldFromEnvironment(row, taps), steps);
  }
  return { ...identity(row), steps, unhandled, ...taps };
}

await report(main());

// Runs the module of a page of docs/sdks, which no browser can, with the vendor's package in Node:
//   node recipe_module.mjs FOLDER MODULE chat|calls|none
// The facts are one JSON document on stdout.

import Module, { createRequire } from "node:module";

import { stubNativeModules } from "./native_stubs.mjs";
import { becomeBrowserLike } from "./node_environment.mjs";
import { mintToken } from "./other_side.mjs";
import { keysFrom, report } from "./running.mjs";
import { BUNDLES, buildModule } from "./uikit/recipe_build.mjs";

const { env } = process;
const backend = { appId: "APP_ID", adminUrl: `${env.MOCKCHAT_URL}/v3`, keys: keysFrom(env) };

const FLOWS = {
  /** Whom each step of the page names; `null` is nobody. */
  async chat({ start, logIn, logInByToken, logOut }) {
    answerChatToken(await mintToken(backend, "cometchat-uid-2"));
    const shown = [];
    const steps = [start, () => logIn("cometchat-uid-1"), logOut, logInByToken, logOut];
    for (const step of steps) shown.push((await step())?.getName() ?? "nobody");
    return { shown };
  },

  async calls({ start, callToken }) {
    await start();
    const authToken = await mintToken(backend, "cometchat-uid-1");
    const token = await callToken("a-session", authToken);
    const headers = { callToken: token };
    const response = await fetch(`${env.MOCKCHAT_URL}/v3.0/call_tokens`, { headers });
    return (await response.json()).data.payload.data;
  },
};

/** Plays the app's own back end; everything else goes on as it is. */
function answerChatToken(token) {
  const real = globalThis.fetch;
  globalThis.fetch = async (url, options) =>
    `${url}`.endsWith("/chat-token") ? new Response(token) : real(url, options);
}

function requireFromPackages() {
  const load = Module._load;
  Module._load = (request, ...rest) => load(BUNDLES[request] ?? request, ...rest);
}

async function main(folder, name, flow) {
  const built = await buildModule(folder, name);
  if (flow === "none") return { built };
  becomeBrowserLike();
  stubNativeModules();
  requireFromPackages();
  const { URL, URLSearchParams } = globalThis;
  const module = createRequire(import.meta.url)(built);
  // A Calls SDK brings a URL class for devices, which parses nothing in Node.
  Object.assign(globalThis, { URL, URLSearchParams });
  return FLOWS[flow](module);
}

await report(main(...process.argv.slice(2)));

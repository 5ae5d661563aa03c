// Makes Node look like the browser the vendor's bundles expect. Nothing of an SDK is replaced.

import { Console } from "node:console";

import { JSDOM } from "jsdom";
import { EnvHttpProxyAgent, WebSocket as ProxiedWebSocket, setGlobalDispatcher } from "undici";
import { WebSocket } from "ws";

const FROM_THE_WINDOW = ["document", "localStorage", "sessionStorage", "navigator", "Image"];

export function becomeBrowserLike() {
  globalThis.console = new Console(process.stderr, process.stderr);
  const { window } = new JSDOM("", { url: "https://app.example/" });
  window.matchMedia = () => ({ matches: false });
  define("window", window);
  define("self", globalThis);
  for (const name of FROM_THE_WINDOW) define(name, window[name]);
  define("WebSocket", QuietWebSocket);
  define("fetch", withoutReferrer(globalThis.fetch));
}

/** HTTPS_PROXY counts for fetch and WebSocket, as NODE_USE_ENV_PROXY makes it in newer Nodes. */
export function obeyProxyVariables() {
  setGlobalDispatcher(new EnvHttpProxyAgent());
  define("WebSocket", ProxiedWebSocket);
}

/** Waits of a second and more pass `factor` times faster for all who set a timer from now on. */
export function hurry(factor) {
  for (const name of ["setTimeout", "setInterval"]) {
    const timer = globalThis[name];
    define(name, (callback, delay, ...rest) =>
      timer(callback, delay < 1_000 ? delay : delay / factor, ...rest),
    );
  }
}

function define(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

/** A failing socket without a listener is nothing to a browser; to Node it would be the end. */
class QuietWebSocket extends WebSocket {
  constructor(...args) {
    super(...args);
    this.on("error", (error) => console.error(`socket: ${error.message}`));
  }
}

/** Node's fetch refuses `referrer: "no-referrer"`, which browsers take for a relative address. */
function withoutReferrer(fetch) {
  return (url, { referrer, ...options } = {}) => fetch(url, options);
}

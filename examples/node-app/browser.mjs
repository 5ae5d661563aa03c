// The chat SDK is for browsers: these are the globals that it looks for. Import it before the SDK.
import { JSDOM } from "jsdom";
import { WebSocket } from "ws";

const { window } = new JSDOM("", { url: "https://app.example/" });
window.matchMedia = () => ({ matches: false });
define("window", window);
define("self", globalThis);
for (const name of ["document", "localStorage", "sessionStorage", "navigator"]) {
  define(name, window[name]);
}

/** A socket that fails is nothing to a browser; in Node an error without a listener ends the process. */
class QuietWebSocket extends WebSocket {
  constructor(...args) {
    super(...args);
    this.on("error", () => {});
  }
}
define("WebSocket", QuietWebSocket);

// Node's fetch refuses the SDK's `referrer: "no-referrer"`.
const { fetch } = globalThis;
define("fetch", (url, { referrer, ...options } = {}) => fetch(url, options));

function define(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

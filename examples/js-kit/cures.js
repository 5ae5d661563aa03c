// What the chat SDK needs in Node, where it finds no browser.
import { readFileSync } from "node:fs";
import tls from "node:tls";
import { transferableAbortController } from "node:util";

const CURED = Symbol.for("mockchat.cured");

/**
 * Trust the CA in this process. Node reads NODE_EXTRA_CA_CERTS only when a process starts, which is
 * too late for a server that the process itself has started.
 */
export function trustCa(path = process.env.MOCKCHAT_CA) {
  if (!path || tls[CURED] === path) return;
  const ca = readFileSync(path, "utf8");
  const { createSecureContext } = tls;
  tls.createSecureContext = (options = {}) => {
    const made = createSecureContext(options);
    if (!options.ca) made.context.addCACert(ca);
    return made;
  };
  tls[CURED] = path;
}

/** Return `fetch` without the option `referrer`: Node refuses the SDK's `no-referrer`. */
export function withoutReferrer(fetch) {
  if (fetch[CURED]) return fetch;
  const cured = (resource, { referrer, ...options } = {}) => fetch(resource, options);
  return Object.assign(cured, { [CURED]: true });
}

/**
 * Let Node's event targets take the events of jsdom. jsdom's WebSocket makes an `Event` by the
 * global name, which is jsdom's class in a test; Node refuses it: 'The "event" argument …'.
 */
export function acceptForeignEvents() {
  const { signal, abort } = anAbortion();
  let targets = signal;
  while (!Object.hasOwn(targets, "dispatchEvent")) targets = Object.getPrototypeOf(targets);
  const { dispatchEvent } = targets;
  if (dispatchEvent[CURED]) return;
  const NodeEvent = abort.constructor;
  targets.dispatchEvent = Object.assign(
    function dispatch(event) {
      const known = event instanceof NodeEvent ? event : new NodeEvent(event.type, event);
      return dispatchEvent.call(this, known);
    },
    { [CURED]: true },
  );
}

/** Return a signal and an event that are Node's own, whatever the global names are. */
function anAbortion() {
  const controller = transferableAbortController();
  const found = { signal: controller.signal };
  const note = (event) => {
    found.abort = event;
  };
  controller.signal.addEventListener("abort", note, { once: true });
  controller.abort();
  return found;
}

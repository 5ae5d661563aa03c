// The control API: calls, and the events that it pushes.

import { byId, field, form, h, show } from "./dom.js";

const TOKEN = "mockchat-control-token";
const [FIRST_PAUSE, LONGEST_PAUSE, SILENCE] = [500, 8000, 40_000]; // milliseconds
/** The app that all views are about; empty means all apps. */
export const chosen = { app: "" };

const credentials = () => {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { Authorization: `Bearer ${token}` } : undefined;
};
/** @type {Promise<void> | null} */
let asking = null;
/** Asks for the control token, once for all calls that wait for it. */
function askForToken() {
  asking ??= new Promise((resolve) => {
    const input = field("Control token", { name: "token", type: "password", required: true, autofocus: true });
    const dialog = show("This server asks for its control token",
      h("p", {}, "It is the value of --control-token, or of MOCKCHAT_CONTROL_TOKEN. This tab keeps it until it is closed."),
      form([input, h("div", { class: "actions" }, h("button", { class: "primary" }, "Continue"))],
        ({ token }) => (sessionStorage.setItem(TOKEN, token), dialog.close())));
    dialog.addEventListener("close", () => ((asking = null), resolve()), { once: true });
  });
  return asking;
}
/** @param {string} path @param {RequestInit} options @returns {Promise<Response>} */
async function ask(path, options) {
  const response = await fetch(`/_mock/${path}`, { ...options, headers: credentials() });
  if (response.ok) return response;
  const { error } = await response.json();
  if (response.status === 401) {
    sessionStorage.removeItem(TOKEN);
    await askForToken();
    if (credentials()) return ask(path, options);
  }
  const details = Object.values(error.details ?? {}).flat().join(" ");
  throw new Error(details || error.message);
}
/** Calls the control API for the chosen app. @param {string} method @param {string} path
 * @param {Record<string, any>} [body] @returns {Promise<any>} */
export async function control(method, path, body) {
  const app = /** @type {Record<string, string>} */ (chosen.app ? { app: chosen.app } : {});
  if (method === "GET") return (await ask(`${path}?${new URLSearchParams({ ...app, ...body })}`, { method })).json();
  return (await ask(path, { method, body: JSON.stringify({ ...app, ...body }) })).json();
}
/** Carries out an operation of the emulated API as a back end, without a trace in the journal.
 * @param {string} operation @param {{path?: object, query?: object, body?: object}} [parts]
 * @returns {Promise<{result: any, meta?: any}>} */
export const perform = (operation, parts) => control("POST", `operations/${operation}`, { app: userApp(), ...parts });
/** The app whose users are shown: the chosen one, else the default one. */
export const userApp = () => chosen.app || status.default;
/** @type {Record<string, any>} What the server last said of itself. */
export const status = { apps: [], default: "", changes: -1 };
/** Watches events for as long as the page is visible; connects again by itself.
 * @param {{exchanges: (some: any[]) => void, status: (now: any) => void, lost: (count: number) => void}} heard */
export function watch(heard) {
  let cursor = "", pause = FIRST_PAUSE;
  /** @type {AbortController | null} */
  let running = null;
  const say = (/** @type {string} */ state, /** @type {string} */ text) => {
    Object.assign(byId("connection").dataset, { state });
    byId("connection").textContent = text;
  };

  async function run() {
    if (running || document.hidden) return;
    const mine = (running = new AbortController());
    try {
      const query = new URLSearchParams(cursor ? { cursor } : {});
      const response = await ask(`events?${query}`, { signal: mine.signal });
      say("live", "live");
      pause = FIRST_PAUSE;
      await read(/** @type {ReadableStream<Uint8Array>} */ (response.body), mine);
    } catch (error) {
      if (document.hidden) return void say("paused", "in the background");
      say("lost", error instanceof TypeError || mine.signal.aborted ? "disconnected, trying again …" : String(error));
    } finally {
      running = null;
    }
    if (document.hidden) return;
    if (byId("connection").dataset.state === "live") say("lost", "disconnected, trying again …");
    setTimeout(run, pause);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }

  /** @param {ReadableStream<Uint8Array>} body @param {AbortController} mine */
  async function read(body, mine) {
    const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
    for (let text = ""; ; ) {
      const silence = setTimeout(() => mine.abort(), SILENCE); // a heartbeat comes every 15 seconds
      const { done, value } = await reader.read();
      clearTimeout(silence);
      if (done) return;
      const events = (text + value).split("\n\n");
      text = events.pop() ?? "";
      hear(events.map((one) => Object.fromEntries(one.split("\n").map((line) => line.split(/: (.*)/s, 2)))));
    }
  }

  /** @param {Record<string, string>[]} events */
  function hear(events) {
    const exchanges = events.filter((one) => one.event === "exchange");
    cursor = exchanges.at(-1)?.id ?? cursor;
    if (exchanges.length) heard.exchanges(exchanges.map((one) => JSON.parse(one.data)));
    for (const { event, data } of events) {
      if (event === "status") heard.status(JSON.parse(data));
      if (event === "lost") heard.lost(JSON.parse(data).count);
    }
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? running?.abort() : run()));
  run();
}

// The requests view: a live, bounded list with filters, a chart, and one exchange in full.

import { chosen, control, status } from "./api.js";
import { button, copy, copyButton, date, field, guarded, h, pairs, pretty, time } from "./dom.js";
import { startPage } from "./start.js";

/** @typedef {{id: number, app: string, at: number, milliseconds: number, method: string, path: string, target: string,
 *   operation?: string, uid?: string, status: number, code?: string, faults?: string[], hint?: string}} Exchange
 * @typedef {{headers: [string, string][], body: any}} Message
 * @typedef {Exchange & {request: Message, response: Message, frames?: {sent: boolean, at: number, text: string}[]}} Whole */
const [MOST, MINUTES] = [1000, 30];
const CLASSES = ["ok", "refused", "failed", "none"];
const WORDS = /** @type {Record<string, string>} */ (
  { ok: "answered", refused: "refused (4xx)", failed: "failed (5xx)", none: "without an answer" });
const STATUSES = [["", "any"], ["2", "2xx"], ["4", "4xx"], ["5", "5xx"], ["0", "no answer"], ["f", "with a fault"]];
const HEADS = ["Time", "Method", "Path", "Operation", "App", "UID", "Status", "Took", "Fault"];
const NOT_SENT = /^(host|content-length|connection|accept-encoding|user-agent|origin|referer|te|sec-.*|upgrade.*)$/i;
/** @type {{exchange: Exchange, row: HTMLElement}[]} newest first */
let entries = [];
/** @type {Exchange[]} that came while the list is paused */
let held = [];
let [paused, open, shown] = [false, 0, 0];
/** @type {HTMLElement | undefined} where the view is drawn */
let place;
/** @param {Exchange} one */
const classOf = ({ status: code }) => (code === 0 ? "none" : code < 400 ? "ok" : code < 500 ? "refused" : "failed");

// --- the list -------------------------------------------------------------------------------
// The rows are grids, so that the browser lays out only those in view; the roles keep it a table.
const rows = h("tbody", { role: "rowgroup" });
const list = h("div", { class: "list", tabindex: 0, role: "region", "aria-label": "Requests" },
  h("table", { role: "table", "aria-label": "Requests, the newest first", keydown: move },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
      HEADS.map((head) => h("th", { role: "columnheader", class: head.toLowerCase() }, head)))), rows));
const nothing = h("p", { class: "empty", hidden: true }, "No request fits the filters. ",
  button("Show all", () => (filters.reset(), filter()), "small"));
const [chart, count] = [h("div", { class: "chart" }), h("span", { class: "count", role: "status" })];
const pauseButton = button("Pause", () => pause(!paused), "", { "aria-pressed": "false" });
const operations = field("Operation", { name: "operation", options: [["", "any"]] });
const filters = h("form", { class: "filters", input: filter, submit: (/** @type {Event} */ event) => event.preventDefault() },
  field("Find", { name: "text", type: "search", placeholder: "path, code, hint, fault", "aria-keyshortcuts": "/" }),
  operations, field("Status", { name: "status", options: STATUSES }), field("UID", { name: "uid", type: "search" }));
const detail = h("section", { class: "detail", hidden: true, "aria-label": "One request", tabindex: -1 });
const box = h("div", { class: "requests" },
  h("div", { class: "tools" }, filters, h("div", { class: "actions" }, count, pauseButton, button("Clear", clear))),
  chart, h("div", { class: "split" }, h("div", { class: "side" }, list, nothing), detail));

export const requests = {
  title: "Requests",
  /** @param {HTMLElement} here */
  render(here) {
    place = here;
    filter();
    if (!entries.length && !held.length && !status.exchanges) return startPage(here, true);
    here.replaceChildren(box);
  },
  /** @param {string} id */
  open: (id) => (id ? show(Number(id)) : close()),
};
/** Adds exchanges, the newest last. @param {Exchange[]} some */
export function add(some) {
  if (paused) {
    held = [...held, ...some].slice(-MOST);
    pauseButton.textContent = `Resume (${held.length}${held.length === MOST ? "+" : ""} new)`;
    return;
  }
  if (!entries.length) place?.replaceChildren(box);
  const known = /** @type {HTMLSelectElement} */ (operations.querySelector("select"));
  for (const name of new Set(some.map((one) => one.operation ?? ""))) {
    if (![...known.options].some((one) => one.value === name)) known.append(h("option", {}, name));
  }
  const fresh = some.slice(-MOST).reverse().map((exchange) => ({ exchange, row: rowOf(exchange) }));
  entries = [...fresh, ...entries];
  const old = entries.splice(MOST);
  sift(fresh);
  shown -= old.filter(({ row }) => !row.hidden).length;
  rows.prepend(...fresh.map(({ row }) => row));
  for (const { row } of old) row.remove();
  tell();
}
/** @param {Exchange} one */
function rowOf(one) {
  const cells = [
    time(one.at), one.method, h("button", { type: "button", class: "link", title: one.target }, one.path),
    one.operation ?? "–", one.app, one.uid ?? "–",
    [h("span", { class: `pill ${classOf(one)}` }, one.status || "none"), h("span", { class: "why" }, one.code ?? "")],
    `${one.milliseconds < 10 ? one.milliseconds.toFixed(1) : Math.round(one.milliseconds)} ms`,
    one.faults ? h("span", { class: "pill fault" }, one.faults.join(", ")) : "",
  ];
  return h("tr", { role: "row", click: () => (location.hash = `#/requests/${one.id}`), "data-id": one.id },
    cells.map((cell, at) => h("td", { role: "cell", class: HEADS[at].toLowerCase() }, cell)));
}

function filter() {
  shown = 0;
  sift(entries);
  tell();
}
/** Shows and counts the entries that fit the filters. @param {typeof entries} some */
function sift(some) {
  const wanted = Object.fromEntries([...new FormData(filters)].map(([name, value]) => [name, String(value).trim().toLowerCase()]));
  for (const { exchange, row } of some) {
    row.hidden = !fits(exchange, wanted);
    shown += Number(!row.hidden);
  }
}
/** Says how many are shown, and draws the chart. */
function tell() {
  box.classList.toggle("one-app", Boolean(chosen.app) || status.apps.length < 2);
  nothing.hidden = shown > 0;
  count.textContent = `Requests: ${shown}${shown === entries.length ? "" : ` of ${entries.length}`}`;
  planned ??= setTimeout(draw, 250);
}
/** @param {Exchange} one @param {Record<string, string>} wanted */
function fits(one, wanted) {
  const text = [one.method, one.target, one.code, one.hint, ...(one.faults ?? [])].join(" ").toLowerCase();
  return (!chosen.app || one.app === chosen.app) && text.includes(wanted.text) &&
    (!wanted.operation || one.operation === wanted.operation) && (one.uid ?? "").toLowerCase().includes(wanted.uid) &&
    (!wanted.status || (wanted.status === "f" ? Boolean(one.faults) : String(one.status)[0] === wanted.status));
}
/** @param {boolean} wish */
function pause(wish) {
  paused = wish;
  pauseButton.setAttribute("aria-pressed", String(paused));
  pauseButton.textContent = paused ? "Resume" : "Pause";
  if (!paused) add(held.splice(0));
}

async function clear() {
  await guarded(() => control("DELETE", "journal"));
  entries = entries.filter(({ exchange, row }) => (chosen.app && exchange.app !== chosen.app ? true : void row.remove()));
  held = [];
  location.hash = "#/requests";
  filter();
}
/** Moves by the arrow keys from row to row. @param {KeyboardEvent} event */
function move(event) {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  /** @type {any} */
  let row = step && /** @type {HTMLElement} */ (event.target).closest("tbody tr");
  do row = row?.[step ?? ""]; while (row?.hidden);
  if (!row) return;
  event.preventDefault();
  row.querySelector("button").focus();
  if (open) location.replace(`#/requests/${row.dataset.id}`);
}

// --- the chart ------------------------------------------------------------------------------
/** @type {number | undefined} */
let planned;
/** Draws the shown requests by minute and status, up to the newest one's minute or now. */
function draw() {
  planned = undefined;
  const seen = entries.filter(({ row }) => !row.hidden).map(({ exchange }) => exchange);
  const [newest, now] = [Math.max(...seen.map(({ at }) => at), 0), Date.now() / 1000];
  const end = Math.floor((Math.abs(now - newest) < MINUTES * 60 ? Math.max(now, newest) : newest) / 60);
  const bars = Array.from({ length: MINUTES }, () => /** @type {Record<string, number>} */ ({}));
  for (const one of seen) {
    const bar = bars[MINUTES - 1 - (end - Math.floor(one.at / 60))];
    if (bar) bar[classOf(one)] = (bar[classOf(one)] ?? 0) + 1;
  }
  const total = (/** @type {Record<string, number>} */ bar) => Object.values(bar).reduce((sum, one) => sum + one, 0);
  const most = Math.max(...bars.map(total), 1);
  const columns = bars.map((bar) => {
    const column = h("span", { class: "bar" }, CLASSES.filter((name) => bar[name]).map((name) => {
      const part = h("i", { class: name });
      part.style.flexGrow = bar[name];
      return part;
    }));
    column.style.height = `${(100 * total(bar)) / most}%`;
    return column;
  });
  const sums = CLASSES.map((name) => /** @type {[string, number]} */ ([name, bars.reduce((sum, bar) => sum + (bar[name] ?? 0), 0)]));
  const legend = sums.filter(([, sum]) => sum).map(([name, sum]) =>
    h("span", {}, h("i", { class: name }), `${sum} ${WORDS[name]}`));
  chart.replaceChildren(h("div", { class: "bars", "aria-hidden": "true" }, columns, h("span", { class: "peak" }, `peak ${most}/min`)),
    h("p", { class: "legend" }, h("span", {}, `the last ${MINUTES} minutes`), legend));
}
setInterval(() => box.isConnected && draw(), 15_000);

// --- one exchange ---------------------------------------------------------------------------
function close() {
  const [chosenRow, here] = [mark(0), document.activeElement];
  if (here === document.body || detail.contains(here)) chosenRow?.querySelector("button").focus();
}
/** Marks the open exchange, and makes room for it; returns the row marked before. @param {number} id */
function mark(id) {
  const before = rows.querySelector(`[data-id="${open}"]`);
  before?.removeAttribute("aria-selected");
  open = id;
  detail.hidden = !id;
  box.classList.toggle("with-detail", Boolean(id));
  const now = rows.querySelector(`[data-id="${id}"]`);
  now?.setAttribute("aria-selected", "true");
  now?.scrollIntoView({ block: "nearest" });
  return before;
}
/** @param {number} id */
async function show(id) {
  mark(id);
  try {
    const whole = await control("GET", `journal/${id}`);
    if (open === id) fill(whole); // else another one was opened meanwhile
  } catch (error) {
    const gone = error instanceof Error && /no exchange/i.test(error.message);
    if (open === id) detail.replaceChildren(head(`#${id}`), h("p", { class: "empty" },
      gone ? "The journal does not have this request any more: it was cleared, reset or pushed out by newer ones." : String(error)));
  }
}
/** @param {...any} title */
const head = (...title) => h("header", {}, h("h2", {}, title),
  button("×", () => (location.hash = "#/requests"), "quiet", { "aria-label": "Close", title: "Escape" }));
/** @param {Whole} one */
function fill(one) {
  const facts = { Time: date(one.at), App: one.app, Operation: one.operation, UID: one.uid, Code: one.code,
    Took: `${one.milliseconds} ms`, Faults: one.faults?.join(", "), Exchange: `#${one.id}` };
  detail.replaceChildren(
    head(h("span", { class: "method" }, one.method), ` ${one.path} `,
      h("span", { class: `pill ${classOf(one)}` }, one.status || "no answer")),
    h("div", { class: "body" },
      one.hint && h("p", { class: "hint" }, h("b", {}, "Hint: "), one.hint),
      h("div", { class: "actions" },
        button("Copy as curl", () => copy(asCurl(one), "the curl line"), "small"),
        button("Copy as pytest", () => copy(asPytest(one), "the assertion"), "small"),
        one.operation && button("Let it fail …", () => (location.hash = `#/faults/${one.operation}`), "small")),
      pairs("facts", Object.entries(facts).filter(([, value]) => value)),
      message("Request", `${one.method} ${one.target}`, one.request),
      message("Response", one.status ? `${one.status} ${one.code ?? ""}` : "no answer was sent", one.response),
      one.frames && h("section", {}, h("h3", {}, `WebSocket messages (${one.frames.length})`),
        one.frames.map((frame) => h("details", { class: "frame" },
          h("summary", {}, h("b", {}, frame.sent ? "→ client" : "← server"), ` ${time(frame.at)} `,
            h("code", {}, frame.text.slice(0, 90))),
          pretty(parsed(frame.text)))))));
  detail.focus();
}
/** @param {string} title @param {string} line @param {Message} one */
function message(title, line, { headers, body }) {
  const text = typeof body === "string" ? body : JSON.stringify(body, null, 2);
  return h("section", {}, h("h3", {}, title, body != null && copyButton(text, `the ${title.toLowerCase()}'s body`)),
    h("code", { class: "line" }, line),
    h("details", {}, h("summary", {}, `${headers.length} headers`), pairs("headers", headers)),
    body == null ? h("p", { class: "muted" }, "no body") : pretty(body));
}
/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

// --- copies ---------------------------------------------------------------------------------
/** @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
/** The request as a command that repeats it. @param {Whole} one */
export function asCurl(one) {
  const path = one.target.replace(/^https?:\/\/[^/]*/, "");
  const headers = one.request.headers.filter(([name]) => !NOT_SENT.test(name));
  if (!/\/apps\//.test(path) && !headers.some(([name]) => /^appid$/i.test(name))) headers.push(["appId", one.app]);
  const { body } = one.request;
  const data = body == null ? [] : ["--data-raw", quoted(typeof body === "string" ? body : JSON.stringify(body))];
  return ["curl", "-X", one.method, quoted(location.origin + path),
    ...headers.flatMap(([name, value]) => ["-H", quoted(`${name}: ${value}`)]), ...data].join(" ");
}
/** A value as Python writes it. @param {any} value @returns {string} */
function python(value) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, one]) => `${python(key)}: ${python(one)}`).join(", ")}}`;
  return JSON.stringify(value);
}
/** The request as an assertion of the pytest fixture. @param {Whole} one */
export function asPytest(one) {
  const { body } = one.request;
  const wanted = { operation: one.operation, method: one.method, path: one.path, uid: one.uid, status: one.status,
    code: one.code, json: body && typeof body === "object" ? body : undefined };
  const given = Object.entries(wanted).filter(([, value]) => value !== undefined && value !== "");
  return `mockchat.journal.assert_called(${given.map(([name, value]) => `${name}=${python(value)}`).join(", ")})`;
}

// The views that steer: faults, clock and logins, snapshots, settings, the error catalogue.

import { chosen, control } from "./api.js";
import { act, button, confirmed, date, field, form, h, table, toast } from "./dom.js";

const scope = () => (chosen.app ? `for ${chosen.app}` : "for all apps");
/** @param {string} title @param {...any} content */
const page = (title, ...content) => h("div", { class: "page" }, h("h1", {}, title), content);
/** @param {string} title @param {...any} content */
const card = (title, ...content) => h("section", { class: "card" }, h("h2", {}, title), content);
/** @param {string} text */
const submit = (text) => h("button", { class: "primary" }, text);
const OPERATIONS = "name of an operation, such as login or get_user";

// --- faults ---------------------------------------------------------------------------------
/** @typedef {{kind: string, does: string, channel: string, parameters: {name: string, help: string, default: any}[]}} Kind
 * @typedef {{id: number, kind: string, parameters: object, match: object, app?: string, struck: number, times?: number}} Fault */
const rules = h("div");
export const faults = {
  title: "Faults",
  /** @param {HTMLElement} main @param {string} operation @param {string} code */
  async render(main, operation, code) {
    /** @type {Kind[]} */
    const kinds = await control("GET", "faults/kinds");
    const parameters = h("div", { class: "fields" });
    const does = h("p", { class: "muted" });
    const choose = (/** @type {string} */ name) => {
      const kind = /** @type {Kind} */ (kinds.find((one) => one.kind === name));
      does.textContent = kind.does;
      parameters.replaceChildren(...kind.parameters.map((one) => field(one.name, { name: one.name, note: one.help,
        value: code && one.name === "code" ? code : "", placeholder: one.default ?? "" })));
    };
    const names = kinds.map((one) => [one.kind, `${one.kind}${one.channel === "http" ? "" : ` (${one.channel})`}`]);
    choose("error");
    main.replaceChildren(page("Faults", rules, card(`Add a fault ${scope()}`, form([
      field("Kind", { name: "kind", options: names, value: "error", change: (/** @type {any} */ event) => choose(event.target.value) }),
      does, parameters,
      h("fieldset", {}, h("legend", {}, "Which requests"), h("div", { class: "fields" },
        field("Operation", { name: "operation", value: operation, note: OPERATIONS }), field("Method", { name: "method" }),
        field("Path", { name: "path", note: "* for a segment, ** for several" }), field("UID", { name: "uid" }))),
      h("fieldset", {}, h("legend", {}, "How often"), h("div", { class: "fields" },
        field("Times", { name: "times", type: "number", min: 1, note: "empty: until it is removed" }),
        field("After", { name: "after", type: "number", min: 0, note: "so many go well first" }),
        field("Probability", { name: "probability", type: "number", min: 0, max: 1, step: "any", note: "from 0 to 1" }))),
      submit("Add the fault")],
    async (wish) => (await control("POST", "faults", wish), toast("The fault is in force."))))));
    await faults.refresh();
  },
  async refresh() {
    /** @type {Fault[]} */
    const found = await control("GET", "faults");
    const match = (/** @type {object} */ one) => Object.entries(one).map(([name, value]) => `${name} = ${value}`).join(", ");
    rules.replaceChildren(table("Faults in force", ["Kind", "Requests", "App", "Struck", ""], found.map((one) => [
      h("span", {}, h("b", {}, one.kind), " ", match(one.parameters)), match(one.match) || "all", one.app ?? "all",
      [`${one.struck}${one.times ? ` of ${one.times}` : ""} `, one.struck === one.times && h("span", { class: "pill" }, "spent")],
      act("Remove", `the fault ${one.kind}`, () => control("DELETE", `faults/${one.id}`))]),
    "No fault is in force: every request is answered as the service would."));
  },
};
export const removeFaults = () => control("DELETE", "faults");

// --- clock and logins -------------------------------------------------------------------------
const [clockBox, holdBox] = [h("div"), h("div")];
/** @type {number | null} seconds by which the shown clock is ahead; null where it is frozen */
let ahead = null;
setInterval(() => {
  const shown = clockBox.isConnected && ahead !== null && clockBox.querySelector("time");
  if (shown) shown.textContent = date(Date.now() / 1000 + (ahead ?? 0));
}, 1000);
/** @param {Record<string, any>} wish */
const move = (wish) => control("PATCH", "clock", wish);
export const resumeClock = () => move({ resume: true });
export const releaseLogins = () => control("DELETE", "logins", {});
export const time = {
  title: "Clock & logins",
  /** @param {HTMLElement} main */
  render(main) {
    main.replaceChildren(page("Clock & logins",
      card(chosen.app ? `The clock of ${chosen.app}` : "The clock of the server and of all apps", clockBox,
        form([field("Advance by", { name: "advance", placeholder: "90s, 1h, 30d", required: true }), submit("Advance")], move, "row"),
        form([field("Freeze at", { name: "at", placeholder: "2026-01-31T12:00:00Z" }), submit("Freeze")],
          (wish) => move({ freeze: true, ...wish }), "row")),
      card(`Held logins ${scope()}`, h("p", { class: "muted" },
        "A held login stays in progress until it is released; a second one is refused with ERROR_LOGIN_IN_PROGRESS."), holdBox,
        form([field("UID", { name: "uid", placeholder: "everybody" }), submit("Hold logins")],
          (wish) => control("POST", "logins", wish), "row"))));
    return time.refresh();
  },
  async refresh() {
    const [clock, { held, waiting }] = await Promise.all([control("GET", "clock"), control("GET", "logins")]);
    ahead = clock.frozen ? null : clock.now - Date.now() / 1000;
    const [tone, word] = clock.frozen ? ["refused", "frozen"] : ["ok", "ticking"];
    clockBox.replaceChildren(h("p", { class: "clock" }, h("time", {}, date(clock.now)), " ", h("span", { class: `pill ${tone}` }, word),
      " ", button("Back to real time", resumeClock, "small")));
    const rows = Object.entries(held).flatMap(([app, uids]) => uids.map((/** @type {string} */ uid) => [
      app, uid === "*" ? "everybody" : uid,
      String(waiting[app].filter((/** @type {string} */ one) => uid === "*" || one === uid).length),
      act("Release", `the logins of ${uid}`, () => control("DELETE", "logins", { app, ...(uid !== "*" && { uid }) }))]));
    holdBox.replaceChildren(table("Held logins", ["App", "UID", "Waiting", ""], rows, "No logins are held."));
  },
};

// --- snapshots ----------------------------------------------------------------------------------
const kept = h("div");
export const snapshots = {
  title: "Snapshots",
  /** @param {HTMLElement} main */
  render(main) {
    main.replaceChildren(page("Snapshots", kept,
      card(`Save a snapshot ${scope()}`, form([field("Name", { name: "name", required: true, placeholder: "before-the-test",
        pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}" }), submit("Save")],
        async ({ name }) => (await control("PUT", `snapshots/${name}`, {}), toast(`${name} is saved.`)), "row")),
      card(`Start again ${scope()}`, h("p", {}, "A reset goes back to the seed, without journal, faults and held logins. Snapshots stay."),
        button("Reset", () => confirmed(`Reset to the seed ${scope()}?`, () => control("POST", "reset", {})), "danger"))));
    return snapshots.refresh();
  },
  async refresh() {
    /** @type {{name: string, app?: string, apps: string[], users: number}[]} */
    const found = await control("GET", "snapshots");
    kept.replaceChildren(table("Snapshots", ["Name", "Of", "Users", ""], found.map((one) => {
      const [path, owner] = [`snapshots/${one.name}`, one.app ? { app: one.app } : {}];
      return [one.name, one.app ?? "all apps", String(one.users), h("span", { class: "actions" },
        button("Restore", () => confirmed(`Replace the data by ${one.name}?`, () => control("POST", `${path}/restore`, owner)), "small"),
        button("Delete", () => confirmed(`Delete ${one.name}?`, () => control("DELETE", path, owner)), "small"))];
    }), "No snapshot yet. Save one, and return to it after each try."));
  },
};

// --- settings ---------------------------------------------------------------------------------
export const settings = {
  title: "Settings",
  /** @param {HTMLElement} main */
  async render(main) {
    const { rules: now, settings: all } = await control("GET", "settings");
    main.replaceChildren(page("Settings",
      card(`Rules ${chosen.app ? scope() : "of all apps, and of those to come"}`, form([h("div", { class: "fields" },
        field("Error dialect", { name: "errors", options: ["auto", "documented", "live"], value: now.errors }),
        field("Auth tokens", { name: "tokens", options: ["reusable", "single-use"], value: now.tokens }),
        field("Lifetime of auth tokens", { name: "tokenTtl", value: now.tokenTtl ?? 0, note: "seconds, or like 1h; 0: no end" }),
        field("Duration of a login", { name: "loginLatency", value: now.loginLatency, note: "seconds, or like 25ms" }),
        field("Most users", { name: "maxUsers", type: "number", min: 0, value: now.maxUsers ?? 0, note: "of an app; 0: no limit" }),
        field("Writes to unbuilt paths", { name: "unbuilt", options: ["refuse", "accept"], value: now.unbuilt }),
        field("Rate limit", { name: "rateLimit", type: "number", min: 0, value: now.rateLimit ?? 0, note: "requests a minute; 0: none" }),
        field("Any api key is accepted", { name: "anyKey", type: "checkbox", checked: now.anyKey })), submit("Save")],
      async (wish) => (await control("PATCH", "settings", { ...wish, anyKey: "anyKey" in wish }),
        toast("The rules are changed, until the server stops.")))),
      h("h2", {}, "Settings of the start"),
      table("Settings of the start", ["Setting", "Value", "Meaning"], all.map((/** @type {any} */ one) => [
        h("code", {}, `--${one.name}`), h("code", {}, one.value), one.help]))));
  },
};

// --- errors -----------------------------------------------------------------------------------
export const errors = {
  title: "Errors",
  /** @param {HTMLElement} main */
  async render(main) {
    const rows = await control("GET", "errors");
    const place = h("div");
    const face = (/** @type {any} */ one) => [h("span", { class: "pill refused" }, one.status), " ", h("code", {}, one.code)];
    const heads = ["When", "SDK pages (documented)", "REST service (live)", ""];
    const list = (/** @type {string} */ text) => place.replaceChildren(table("The error catalogue", heads, rows
      .filter((/** @type {any} */ one) => JSON.stringify(one).toLowerCase().includes(text.trim().toLowerCase()))
      .map((/** @type {any} */ one) => [
        one.when, face(one.documented), one.live.code === one.documented.code ? "the same" : face(one.live),
        act("Provoke", one.live.code, () => (location.hash = `#/faults//${one.live.code}`))]), "No error fits."));
    list("");
    main.replaceChildren(page("Errors", h("p", { class: "lead" }, "All that an app may be refused with, in both dialects."),
      h("div", { class: "filters" }, field("Find", { type: "search", placeholder: "code, status or words",
        input: (/** @type {any} */ event) => list(event.target.value) })), place));
  },
};

// The frame: views by the address, what is in force, and the events of the server.

import { chosen, status, watch } from "./api.js";
import { button, byId, guarded, h, toast } from "./dom.js";
import { errors, faults, releaseLogins, removeFaults, resumeClock, settings, snapshots, time } from "./panels.js";
import { add, requests } from "./requests.js";
import { startPage } from "./start.js";
import { users } from "./users.js";

/** @typedef {(place: HTMLElement, ...rest: string[]) => any} Render
 * @typedef {{title: string, render: Render, refresh?: () => any, open?: (id: string) => void}} View */
/** @type {Record<string, View>} */
const views = { requests, users, faults, time, snapshots, settings, errors,
  connect: { title: "Connect", render: (place) => startPage(place, false) } };
const [main, picker] = [byId("main"), byId("app")];
let current = "";

const links = Object.entries(views).map(([name, view]) =>
  h("a", { href: `#/${name}`, "data-view": name }, view.title, h("span", { class: "badge", hidden: true })));
byId("nav").append(...links);
/** Shows the view that the address names. @param {boolean} [again] */
async function route(again = false) {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  const next = name in views ? name : "requests";
  const view = views[next];
  if (again || next !== current || !view.open) {
    const place = h("div", { class: "place" }, h("p", { class: "empty" }, "Loading …")); // of its own: a late view hits no other
    main.replaceChildren(place);
    if (current && current !== next) main.focus({ preventScroll: true });
    current = next;
    document.title = `${view.title} · mockchat`;
    for (const link of links) link.setAttribute("aria-current", link.dataset.view === next ? "page" : "false");
    byId("nav").querySelector('[aria-current="page"]').scrollIntoView({ block: "nearest", inline: "center" });
    try {
      await view.render(place, ...rest);
    } catch (error) {
      place.replaceChildren(h("div", { class: "page" }, h("h1", {}, "This did not work"), h("p", { class: "empty" }, String(error)),
        button("Try again", () => route(true), "primary")));
    }
  }
  view.open?.(rest[0] ?? "");
}
/** @type {number | undefined} */
let soon;
/** Shows what the server says of itself; views ask anew where something changed. @param {Record<string, any>} now */
function tell(now) {
  const first = !status.default;
  const changed = JSON.stringify(now) !== JSON.stringify(status);
  Object.assign(status, now);
  byId("version").textContent = now.version;
  const apps = [...new Set([now.default, ...now.apps, ...(chosen.app ? [chosen.app] : [])])];
  if (picker.options.length !== apps.length + 1 || apps.some((app, at) => picker.options[at + 1].value !== app)) {
    picker.replaceChildren(h("option", { value: "" }, "All apps"), ...apps.map((app) => h("option", { value: app }, app)));
    picker.value = chosen.app;
  }
  const badges = { users: now.online && `${now.online} online`, faults: now.faults, time: now.held };
  for (const link of links) {
    const text = badges[/** @type {keyof typeof badges} */ (link.dataset.view)];
    Object.assign(link.lastChild, { textContent: text || "", hidden: !text });
  }
  byId("banner").replaceChildren(...[
    now.faults && notice("faults", `Faults are in force: ${now.faults}.`, "Remove", removeFaults),
    now.frozen && notice("time", "A clock is frozen.", "Resume", resumeClock),
    now.held && notice("time", `Logins are held; waiting now: ${now.waiting}.`, "Release", releaseLogins),
  ].filter(Boolean));
  if (first) route(true);
  else if (changed) {
    soon ??= setTimeout(() => ((soon = undefined), guarded(() => views[current].refresh?.())), 300);
  }
}
/** @param {string} view @param {string} text @param {string} act @param {() => any} action */
const notice = (view, text, act, action) =>
  h("p", { class: "notice" }, h("a", { href: `#/${view}` }, text), button(act, action, "small"));

// --- theme, keys, app ---------------------------------------------------------------------------
const THEMES = ["auto", "light", "dark"];
/** @param {string} name */
function wear(name) {
  document.documentElement.dataset.theme = name;
  byId("theme").textContent = `Theme: ${name}`;
  localStorage.setItem("mockchat-theme", name);
}
wear(localStorage.getItem("mockchat-theme") ?? "auto");
byId("theme").addEventListener("click", () => wear(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "") + 1) % 3]));
document.addEventListener("keydown", (event) => {
  const typing = /** @type {HTMLElement} */ (event.target).closest("input, select, textarea, dialog");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (main.querySelector("input[type=search]"))?.focus();
  }
  if (event.key === "Escape" && !byId("dialog").open && current === "requests") location.hash = "#/requests";
});
picker.addEventListener("change", () => ((chosen.app = picker.value), route(true)));
chosen.app = /^\/apps\/([^/]+)/.exec(location.pathname)?.[1] ?? "";
addEventListener("hashchange", () => route());

watch({ exchanges: add, status: tell, lost: (count) => toast(`Requests that came too fast to be shown: ${count}.`, true) });

// Elements and texts. User content gets into the page as text alone: the page's policy forbids HTML.

/** @typedef {Node | string | number | null | undefined | false} Child */
/** Makes an element. Functions are listeners, `true` sets an attribute, `false` leaves it out.
 * @param {string} tag @param {Record<string, any>} [properties] @param {...(Child | Child[])} children
 * @returns {any} */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(.../** @type {(Node | string)[]} */ (children.flat().filter((one) => one !== false && one != null)));
  return element;
}
/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);
/** @param {string} text @param {() => any} action @param {string} [kind] @param {object} [more] */
export const button = (text, action, kind = "", more = {}) =>
  h("button", { type: "button", class: kind, click: () => guarded(action), ...more }, text);
/** A small button; `what` tells a screen reader what it acts on. @param {string} text @param {string} what @param {() => any} action */
export const act = (text, what, action) => button(text, action, "small", { "aria-label": `${text} ${what}` });

let fields = 0;
/** A field with its label; `options` make it a choice, `rows` a long text.
 * @param {string} label @param {Record<string, any>} given @returns {HTMLElement} */
export function field(label, { options, note, ...given }) {
  const [tag, id] = [options ? "select" : given.rows ? "textarea" : "input", `field-${(fields += 1)}`];
  const described = note ? `${id}-note` : null;
  const input = h(tag, { id, autocomplete: "off", spellcheck: "false", "aria-describedby": described, ...given });
  for (const one of options ?? []) {
    const [value, text] = Array.isArray(one) ? one : [one, one];
    input.append(h("option", { value, selected: value === given.value }, text));
  }
  if (given.rows) input.value = given.value ?? "";
  return h("div", { class: given.type === "checkbox" ? "check" : "field" }, h("label", { for: id }, label), input,
    note && h("small", { id: described }, note));
}
/** A form; `send` gets the filled fields, numbers as numbers.
 * @param {Child[]} content @param {(values: Record<string, any>) => any} send @param {string} [name] */
export function form(content, send, name = "") {
  return h("form", { class: name, submit: async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const target = /** @type {HTMLFormElement} */ (event.currentTarget);
    await guarded(() => send(Object.fromEntries([...new FormData(target)].filter(([, value]) => value !== ""))));
  } }, content);
}
/** Carries out an action and tells what went wrong. @param {() => any} action */
export async function guarded(action) {
  try {
    return await action();
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), true);
  }
}
/** @type {number | undefined} */
let fading;
/** @param {string} text @param {boolean} [bad] */
export function toast(text, bad = false) {
  const place = byId("toast");
  place.textContent = text;
  place.className = `toast shown ${bad ? "bad" : ""}`;
  clearTimeout(fading);
  fading = setTimeout(() => (place.className = "toast"), bad ? 8000 : 3000);
}
/** @param {string} text @param {string} what */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied ${what}.`);
  } catch { // without HTTPS, or where the browser forbids it
    show("Copy by hand", h("textarea", { rows: 8, readonly: true, "aria-label": what }, text));
  }
}
/** @param {string} text @param {string} what */
export const copyButton = (text, what) => act("Copy", what, () => copy(text, what));
/** Opens the dialog. @param {string} title @param {...(Child | Child[])} content */
export function show(title, ...content) {
  const dialog = byId("dialog");
  dialog.replaceChildren(
    h("header", {}, h("h2", { id: "dialog-title" }, title),
      button("×", () => dialog.close(), "quiet", { "aria-label": "Close" })),
    h("div", { class: "body" }, ...content));
  if (!dialog.open) dialog.showModal();
  return dialog;
}
/** Asks before something that cannot be undone. @param {string} question @param {() => any} action */
export function confirmed(question, action) {
  const dialog = show("Are you sure?", h("p", {}, question), h("div", { class: "actions" },
    button("Cancel", () => dialog.close()),
    button("Yes", () => (dialog.close(), action()), "danger")));
}
/** A table with a caption for screen readers. @param {string} caption @param {string[]} heads
 * @param {Child[][]} rows @param {string} [empty] */
export function table(caption, heads, rows, empty = "Nothing here.") {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, h("table", {},
    h("caption", { class: "hidden" }, caption),
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, at) => h("td", { "data-label": heads[at] }, cell)))))));
}
/** A list of names and values. @param {string} kind @param {[string, any][]} rows */
export const pairs = (kind, rows) => h("dl", { class: kind }, rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
/** JSON in colours, or a text as it is. @param {unknown} value */
export function pretty(value) {
  const box = h("pre", { tabindex: 0 });
  if (typeof value === "string") return box.append(value), box;
  const text = JSON.stringify(value, null, 2) ?? "";
  const tokens = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*/g;
  let end = 0;
  for (const found of text.matchAll(tokens)) {
    const [whole, string, colon] = found;
    box.append(text.slice(end, found.index),
      h("span", { class: string ? (colon ? "key" : "string") : "literal" }, string ?? whole), colon ?? "");
    end = found.index + whole.length;
  }
  box.append(text.slice(end));
  return box;
}
/** @param {number} seconds */
export function ago(seconds) {
  for (const [size, unit] of /** @type {[number, string][]} */ ([[86400, "d"], [3600, "h"], [60, "min"]])) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  }
  return `${Math.floor(seconds)} s`;
}
/** @param {number} at unix seconds */
export const time = (at) => new Date(at * 1000).toLocaleTimeString("en-GB") + "." + String(Math.floor((at % 1) * 1000)).padStart(3, "0");
/** @param {number} at unix seconds */
export const date = (at) => new Date(at * 1000).toISOString().replace("T", " ").slice(0, 19) + " UTC";

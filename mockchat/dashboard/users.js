// The users view: who is there, who is online, and the auth tokens with which clients log in.

import { control, perform, userApp } from "./api.js";
import { act, ago, button, confirmed, copy, copyButton, date, field, form, guarded, h, show, table, toast } from "./dom.js";

/** @typedef {{uid: string, name: string, role: string, status: string, createdAt: number, lastActiveAt?: number,
 *   deactivatedAt?: number, avatar?: string, statusMessage?: string, metadata?: object}} User
 * @typedef {{uid: string, name: string, authToken: string, age: number, device?: string, platform?: string, online: boolean}} Login */

const query = { searchKey: "", status: "", page: 1 };
const [people, logins] = [h("div"), h("div")];
let asked = 0;

export const users = {
  title: "Users",
  /** @param {HTMLElement} main */
  render(main) {
    main.replaceChildren(h("div", { class: "page" },
      h("header", { class: "head" }, h("h1", {}, "Users"), h("div", { class: "actions" },
        button("New user", () => edit(), "primary"), button("Fill with Faker", fill))),
      h("form", { class: "filters", input: search, submit: (/** @type {Event} */ event) => event.preventDefault() },
        field("Find", { name: "searchKey", type: "search", placeholder: "uid or name", value: query.searchKey }),
        field("Presence", { name: "status", options: [["", "any"], ["available", "online"], "offline"], value: query.status })),
      people, h("h2", {}, "Logins: auth tokens, the newest first"), logins));
    return users.refresh();
  },
  async refresh() {
    const [mine, wish] = [++asked, { ...query, status: query.status || null, perPage: 50, withDeactivated: true }];
    const [found, sessions] = await Promise.all([
      perform("list_users", { query: wish }), control("GET", "sessions", { app: userApp(), limit: 200 })]);
    if (mine !== asked) return; // the list was asked for anew meanwhile
    const { total, current_page: page, total_pages: pages } = found.meta.pagination;
    const none = query.searchKey || query.status ? "No user fits." : "This app has no users yet: make one, or fill it with Faker.";
    people.replaceChildren(
      table(`Users of ${userApp()}`, ["Name", "UID", "Presence", "Role", "Created", ""], found.result.map(userRow), none),
      h("p", { class: "pages" }, `Users in ${userApp()}: ${total}`,
        pages > 1 && [" · ", button("Newer", () => turn(-1), "small", { disabled: page <= 1 }),
          ` page ${page} of ${pages} `, button("Older", () => turn(1), "small", { disabled: page >= pages })]));
    logins.replaceChildren(loginTable(sessions, "Nobody has an auth token: nobody is logged in."));
  },
};
/** @param {Event} event */
function search(event) {
  Object.assign(query, Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget))), { page: 1 });
  guarded(users.refresh);
}
/** @param {number} by */
const turn = (by) => ((query.page += by), users.refresh());
/** @param {User} user */
const userRow = (user) => [
  h("button", { type: "button", class: "link who", click: () => guarded(() => open(user)) },
    h("span", { class: "avatar", "aria-hidden": "true" }, [...user.name][0] ?? "?"), user.name),
  h("code", {}, user.uid), presence(user.status === "available", user.deactivatedAt), user.role, date(user.createdAt).slice(0, 10),
  h("span", { class: "actions" }, !user.deactivatedAt && act("Mint token", `for ${user.name}`, () => mint(user.uid))),
];
/** @param {boolean} online @param {number} [deactivatedAt] */
const presence = (online, deactivatedAt) => h("span", { class: `presence ${online ? "online" : ""}` },
  deactivatedAt ? "deactivated" : online ? "online" : "offline");
/** @param {Login[]} rows @param {string} empty */
const loginTable = (rows, empty) => table("Logins", ["User", "Presence", "Device", "Age", "Auth token", ""], rows.map((one) => [
  h("span", {}, one.name, " ", h("code", {}, one.uid)), presence(one.online),
  [one.platform, one.device].filter(Boolean).join(", ") || "–", ago(one.age),
  h("span", { class: "token" }, h("code", { title: one.authToken }, one.authToken), copyButton(one.authToken, "the auth token")),
  act("Log out", `${one.name} on this device`, () => perform("delete_auth_token", { path: { uid: one.uid, authToken: one.authToken } })),
]), empty);
/** @param {string} uid */
async function mint(uid) {
  const { result } = await perform("create_auth_token", { path: { uid }, body: { force: true } });
  await copy(result.authToken, `a new auth token of ${uid}`);
}
/** Shows one user with everything that can be done to it. @param {User} user */
async function open(user) {
  const { uid, name } = user;
  const sessions = await control("GET", "sessions", { app: userApp(), uid });
  const sure = () => confirmed(`Delete ${name} (${uid}) for good, with all auth tokens?`,
    () => perform("delete_user", { path: { uid }, body: { permanent: true } }));
  const then = (/** @type {string} */ done, /** @type {string} */ operation, /** @type {object} */ parts) => async () => {
    await perform(operation, parts);
    dialog.close();
    toast(`${name} ${done}.`);
  };
  const dialog = show(name, h("div", { class: "actions" },
    !user.deactivatedAt && [button("Edit", () => edit(user)), button("Mint token", () => mint(uid)),
      button("Log out everywhere", then("is logged out", "flush_auth_tokens", { path: { uid } })),
      button("Deactivate", then("is deactivated", "deactivate_users", { body: { uidsToDeactivate: [uid] } }))],
    user.deactivatedAt && button("Reactivate", then("is active again", "reactivate_users", { body: { uidsToActivate: [uid] } })),
    button("Delete", sure, "danger")),
    h("h3", {}, "Logins"), loginTable(sessions, "No auth token: this user is logged in nowhere."));
}
/** Makes a user, or changes one. @param {User} [user] */
function edit(user) {
  const dialog = show(user ? `Edit ${user.name}` : "New user", form([
    !user && field("UID", { name: "uid", required: true, pattern: "[A-Za-z0-9_\\-]+", note: "letters, digits, - and _" }),
    field("Name", { name: "name", required: true, value: user?.name }),
    field("Role", { name: "role", value: user?.role ?? "default" }),
    field("Avatar", { name: "avatar", type: "url", value: user?.avatar, placeholder: "URL of a picture" }),
    field("Status message", { name: "statusMessage", value: user?.statusMessage }),
    field("Metadata", { name: "metadata", rows: 4, note: "a JSON object",
      value: user?.metadata && JSON.stringify(user.metadata, null, 2) }),
    h("div", { class: "actions" }, h("button", { class: "primary" }, "Save")),
  ], async (values) => {
    const emptied = user && { avatar: "", statusMessage: "", metadata: {} };
    if (values.metadata) values.metadata = JSON.parse(values.metadata);
    if (user) await perform("update_user", { path: { uid: user.uid }, body: { ...emptied, ...values } });
    else await perform("create_user", { body: values });
    dialog.close();
    toast(`${values.name} is saved.`);
  }));
}

function fill() {
  const dialog = show("Fill with Faker", form([
    field("Number of made-up users", { name: "users", type: "number", min: 1, max: 10000, value: 25, required: true }),
    h("div", { class: "actions" }, h("button", { class: "primary" }, "Add")),
  ], async ({ users: number }) => {
    const { users: added } = await control("POST", "seed", { app: userApp(), users: Number(number) });
    dialog.close();
    toast(`${added} users were added.`);
  }));
}

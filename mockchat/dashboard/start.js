// The start page: how a client gets here, with the addresses and keys of this very server.

import { control, perform, status, userApp } from "./api.js";
import { copyButton, field, h, pairs } from "./dom.js";

/** A builder's calls below each other. @param {string} first @param {string} indent @param {string[]} calls */
const chain = (first, indent, ...calls) => [first, ...calls.map((call) => indent + call)].join("\n");
/** Clients: the name, the pages of docs/sdks, and the code.
 * @param {{host: string, app: string, key: string, uid: string, base: string}} given @returns {[string, string[], string][]} */
function clients({ host, app, key, uid, base }) {
  const hosts = (/** @type {string} */ at) => [`.overrideAdminHost(${at})`, `.overrideClientHost(${at})`, ".build()"];
  const [quoted, builder] = [`"${host}"`, "AppSettings.AppSettingsBuilder()"];
  return [
    ["JavaScript, React, Vue, Angular, Ionic, React Native", ["javascript", "react", "vue", "angular", "ionic", "react-native"], [
      `${chain("const settings = new CometChat.AppSettingsBuilder()", "  ", '.setRegion("us")', ...hosts(quoted))};`,
      `await CometChat.init("${app}", settings);`, `await CometChat.login("${uid}", "${key}");`].join("\n")],
    ["UI Kit for React", ["react"], [
      chain("const settings = new UIKitSettingsBuilder()", "  ", `.setAppId("${app}")`, '.setRegion("us")', `.setAuthKey("${key}")`,
        `.setAdminHost(${quoted})`, `.setClientHost(${quoted})`, ".build();"),
      "await CometChatUIKit.init(settings);", `await CometChatUIKit.login("${uid}");`].join("\n")],
    ["Android (emulator)", ["android"], [
      `val host = "${host.replace(/^(localhost|127\.0\.0\.1)/, "10.0.2.2")}"`,
      chain(`val settings = ${builder}`, "    ", '.setRegion("us")', ...hosts("host")),
      `CometChat.init(context, "${app}", settings, callback) // and, when that is done:`,
      `CometChat.login("${uid}", "${key}", callback)`].join("\n")],
    ["iOS (simulator)", ["ios"], [
      chain(`let settings = ${builder}`, "    ", '.setRegion(region: "us")', ...hosts(quoted)),
      chain(`_ = CometChat.init(appId: "${app}", appSettings: settings, onSuccess: { _ in`, "    ",
        `CometChat.login(UID: "${uid}", authKey: "${key}", onSuccess: { _ in }, onError: { _ in })`),
      "}, onError: { _ in })"].join("\n")],
    ["Flutter 4", ["flutter"], [
      chain("final settings = (AppSettingsBuilder()", "      ", "..region = 'us'", `..adminHost = '${host}'`,
        `..clientHost = '${host}')`, ".build();"),
      `await CometChat.init('${app}', settings, onSuccess: print, onError: print);`,
      `await CometChat.login('${uid}', '${key}', onSuccess: print, onError: print);`].join("\n")],
    ["A back end, in any language", ["python", "node", "php", "ruby", "go", "csharp"],
      `# the base URL; the REST API key goes into the header "apikey"\n${base}/v3`],
  ];
}
/** @param {HTMLElement} main @param {boolean} waiting for the first request */
export async function startPage(main, waiting) {
  const page = h("div", { class: "page start" }, h("p", { class: "empty" }, "Loading …"));
  main.replaceChildren(page);
  const [{ httpsUrl, hasCa }, keys, users] = await Promise.all([control("GET", "settings"),
    perform("list_api_keys", { query: {} }), perform("list_users", { query: { perPage: 100 } })]);
  const keyOf = (/** @type {string} */ scope, /** @type {string} */ other) =>
    keys.result.findLast((/** @type {any} */ one) => one.scope === scope)?.apiKey ?? other;
  const [app, key] = [userApp(), keyOf("authOnly", "AUTH_KEY")];
  const user = users.result.find((/** @type {any} */ one) => one.uid === "cometchat-uid-1") ?? users.result[0];
  const uid = user?.uid ?? "alice";
  const { port } = new URL(httpsUrl ?? location.origin);
  const host = `${location.hostname}${port && `:${port}`}/v3.0`;
  const base = app === status.default ? location.origin : `${location.origin}/apps/${app}`;
  const [rows, code] = [clients({ host, app, key, uid, base }), h("div")];
  const choose = (/** @type {number} */ at) => code.replaceChildren(...block(rows[at][2], "the snippet"),
    h("p", { class: "muted" }, "More in the documentation: ", h("code", {}, rows[at][1].map((name) => `sdks/${name}`).join(", "))));
  choose(0);
  const titles = ["Connect a client", "Waiting for the first request"];
  const lead = ["Every client needs this server's address and keys, and most of them its CA.",
    "Nothing has asked this server yet. Paste this into a terminal, and the request shows up here at once."];
  const facts = { App: app, "Auth key": key, "REST API key": keyOf("fullAccess", "–"), HTTPS: httpsUrl ?? "off", "A user": uid };
  page.replaceChildren(h("h1", {}, waiting && h("span", { class: "pulse" }), titles[+waiting]),
    h("p", { class: "lead" }, lead[+waiting]),
    h("section", { class: "card" }, h("h2", {}, "1. Try it by curl"),
      block(`curl ${base}/login -d '${JSON.stringify({ uid, authKey: key })}'`, "the curl line")),
    h("section", { class: "card" }, h("h2", {}, "2. Trust the CA"), h("p", {}, hasCa
      ? ["SDKs speak only HTTPS. Import this file as an authority: ",
        h("a", { href: "/_mock/ca.pem", download: "mockchat-ca.pem" }, "download the CA"), ". Then open ",
        h("a", { href: `${httpsUrl}/_mock/health` }, "the health page by HTTPS"), ": without a warning SDKs get through as well."]
      : "This server makes no certificate of its own: it has no HTTPS, or was given a certificate.")),
    h("section", { class: "card" }, h("h2", {}, "3. Point your SDK here"), field("Client", {
      options: rows.map(([name], at) => [String(at), name]), change: (/** @type {any} */ event) => choose(+event.target.value) }), code),
    h("section", { class: "card" }, h("h2", {}, "Keys and users"), pairs("facts",
      Object.entries(facts).map(([name, value]) => [name, [h("code", {}, value), " ", copyButton(value, name)]]))));
}
/** @param {string} text @param {string} what */
const block = (text, what) => [h("div", { class: "code" }, h("pre", { tabindex: 0 }, text), copyButton(text, what))];

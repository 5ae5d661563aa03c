// Acts out the dashboard in headless Chromium, while the real chat SDK logs in on another page:
//   node dashboard_runner.mjs FOLDER
// Tells what was seen as one JSON document; the folder gets a picture of each view.

import { createServer, connect } from "node:net";
import { join } from "node:path";

import { bundlesOf, listen, withBrowser } from "./browser.mjs";
import { Dashboard, PATIENCE } from "./dashboard.mjs";
import { packageNamed } from "./packages.mjs";
import { report } from "./running.mjs";

const SDK = packageNamed("chat-4.2.0");
const VIEWS = ["requests", "users", "faults", "time", "snapshots", "settings", "errors", "connect"];
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };
const FLOOD = 1200;
const { MOCKCHAT_URL: url, MOCKCHAT_HTTPS_URL: httpsUrl, MOCKCHAT_GUARDED_URL: guarded } = process.env;
const KEY = { apikey: "REST_API_KEY", "content-type": "application/json" };

const ask = (path, options = {}) => fetch(url + path, { headers: KEY, ...options });
const steer = async (method, path, body) =>
  (await ask(`/_mock/${path}`, { method, body: body && JSON.stringify(body) })).json();

/** Asks until the status is as wanted: a dialog is closed before its action is done. */
async function until(path, status, left = 100) {
  const seen = (await ask(path)).status;
  if (seen === status) return;
  if (!left) throw new Error(`${path} stays ${seen}, not ${status}`);
  await until(path, status, left - 1);
}

/** A way to the server that can be cut and mended. */
async function cuttable() {
  const sockets = new Set();
  const server = createServer((client) => {
    const target = connect(new URL(url).port, "127.0.0.1");
    for (const one of [client, target]) {
      sockets.add(one);
      one.on("error", () => {}).on("close", () => (client.destroy(), target.destroy()));
    }
    client.pipe(target).pipe(client);
  });
  const open = (port) => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  await open(0);
  const { port } = server.address();
  const cut = () => {
    server.close();
    for (const one of sockets) one.destroy();
  };
  return { url: `http://127.0.0.1:${port}`, cut, mend: () => open(port) };
}

async function main(folder) {
  const way = await cuttable();
  return withBrowser(bundlesOf([SDK]), async (browser, origin) => {
    const context = await browser.newContext({ viewport: WIDE, permissions: ["clipboard-read", "clipboard-write"] });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const troubles = listen(page);
    const dialogs = [];
    page.on("dialog", (dialog) => (dialogs.push(dialog.message()), dialog.dismiss()));
    const d = new Dashboard(page, way.url);
    const facts = {};
    for (const [name, step] of Object.entries(STEPS)) {
      try {
        console.error(`[step] ${name}`);
        facts[name] = await step(d, { browser, context, origin, way, folder });
      } catch (error) {
        await page.screenshot({ path: join(folder, "failed.png") });
        throw new Error(`${name}: ${error.message}`, { cause: error });
      }
    }
    way.cut();
    return { ...facts, dialogs, pwned: await page.evaluate(() => window.pwned ?? null), ...troubles };
  });
}

const STEPS = {
  async start(d) {
    await d.page.goto(d.base);
    await d.see("Waiting for the first request");
    await d.live();
    await d.see("1. Try it by curl");
    const curl = await d.page.locator("pre").first().textContent();
    const clients = await d.field("Client").locator("option").allTextContents();
    const codes = {};
    for (const client of clients) {
      await d.field("Client").selectOption({ label: client });
      codes[client] = await d.page.locator("pre").nth(1).textContent();
    }
    return { curl, codes, ca: await d.page.getByText("download the CA").getAttribute("href") };
  },

  async sdk(d, { context, origin }) {
    const app = await context.newPage();
    await app.goto(origin);
    await app.addScriptTag({ url: `/${SDK.label}.js` });
    const name = await app.evaluate(async (host) => {
      const CometChat = window.CometChat.CometChat ?? window.CometChat;
      const settings = new CometChat.AppSettingsBuilder().setRegion("us").subscribePresenceForAllUsers();
      await CometChat.init("APP_ID", settings.overrideAdminHost(host).overrideClientHost(host).build());
      return (await CometChat.login("cometchat-uid-1", "AUTH_KEY")).getName();
    }, `${new URL(httpsUrl).host}/v3.0`);
    await d.page.locator("nav .badge", { hasText: "1 online" }).waitFor();
    for (const operation of ["create_auth_token", "update_me", "websocket"]) await d.see(operation);
    await d.page.locator("tr", { hasText: "websocket" }).getByRole("button").click();
    await d.see(/WebSocket messages/);
    const frame = await d.page.locator(".frame summary").first().textContent();
    await d.page.keyboard.press("Escape");
    await d.go("users");
    const row = d.page.locator("tr", { hasText: "cometchat-uid-1" });
    await row.first().getByText("online", { exact: true }).waitFor();
    const login = await row.nth(1).textContent();
    await app.close();
    await row.first().getByText("offline", { exact: true }).waitFor();
    await d.go("requests");
    return { name, frame, login };
  },

  async detail(d) {
    const body = { uid: "alice", name: "Alice's \"<b>\" \\ ü", metadata: { beta: true, none: null, seats: 3 } };
    await ask("/v3/users", { method: "POST", body: JSON.stringify(body) });
    await ask("/v3/user/alice", {});
    await d.page.locator("tr", { hasText: "create_user" }).click();
    await d.see('"seats"');
    const coloured = await d.page.locator(".detail pre .key").count();
    const curl = await d.copied(d.button("Copy as curl"));
    const pytest = await d.copied(d.button("Copy as pytest"));
    await d.page.locator("tr", { hasText: "/user/alice" }).click();
    await d.see("Hint:");
    const hint = await d.page.locator(".hint").textContent();
    await d.page.getByText(/^\d+ headers$/).first().click();
    const headers = await d.page.locator(".headers").first().textContent();
    return { coloured, curl, pytest, hint, headers };
  },

  async filters(d) {
    await d.page.keyboard.press("Escape");
    await ask("/apps/shop/v3/users");
    await d.see("/users");
    const [all, counts] = [await d.shown(), {}];
    for (const [name, value] of [["Find", "ALICE"], ["UID", "cometchat"]]) {
      await d.field(name).fill(value);
      counts[name] = await d.rows.allTextContents();
      await d.field(name).fill("");
    }
    for (const [name, value] of [["Operation", "create_user"], ["Status", "4"]]) {
      await d.field(name).selectOption(value);
      counts[name] = await d.rows.allTextContents();
      await d.field(name).selectOption("");
    }
    await d.field("App").selectOption("shop");
    counts.App = await d.rows.allTextContents();
    await d.field("Find").fill("nothing like it");
    await d.see("No request fits the filters.");
    await d.field("App").selectOption("");
    await d.button("Show all").click();
    return { counts, all, again: await d.shown() };
  },

  async late(d) {
    const [newer, older] = await d.rows.evaluateAll((rows) => rows.map((row) => row.dataset.id));
    const open = (id) => d.page.evaluate((id) => (location.hash = `#/requests/${id}`), id);
    const request = d.page.locator(".detail", { hasText: `#${newer}` });
    const one = d.page.locator(".pages", { hasText: /: 1$/ });
    const find = (text) => d.field("Find").fill(text);
    const stays = [
      await d.overtaken(new RegExp(`/journal/${older}\\b`), () => open(older), () => open(newer), request),
      await d.go("users").then(() =>
        d.overtaken(/list_users/, () => find("superhero"), () => find("cometchat-uid-2"), one)),
    ];
    await find("");
    await d.go("requests");
    return { stays };
  },

  async keyboard(d) {
    await d.page.keyboard.press("/");
    const find = await d.page.evaluate(() => document.activeElement.name);
    await d.rows.first().getByRole("button").focus();
    await d.page.keyboard.press("ArrowDown");
    await d.page.keyboard.press("Enter");
    await d.page.locator(".detail:focus h2").waitFor();
    const title = await d.page.locator(".detail h2").textContent();
    await d.page.keyboard.press("Escape");
    await d.page.waitForFunction(() => document.activeElement.closest("tr"));
    const back = await d.page.evaluate(() => document.activeElement.closest("tr").rowIndex);
    return { find, title, back };
  },

  async pause(d) {
    await d.button("Pause").click();
    const before = await d.rows.first().textContent();
    await ask("/v3/users/while-paused");
    await d.see("Resume (1 new)");
    const during = await d.rows.first().textContent();
    await d.button("Resume (1 new)").click();
    await d.see("/users/while-paused");
    return { same: before === during };
  },

  async flood(d) {
    await d.page.evaluate(() => {
      window.longest = 0;
      const note = (list) => list.getEntries().forEach((one) => (window.longest = Math.max(window.longest, one.duration)));
      new PerformanceObserver(note).observe({ entryTypes: ["longtask"] });
    });
    for (let sent = 0; sent < FLOOD; sent += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, at) => ask(`/v3/users/flood-${sent + at}`)));
    }
    await d.see(`/users/flood-${FLOOD - 1}`);
    const rows = await d.page.locator(".list tbody tr").count();
    await d.page.getByText(/(9\d\d|1000) refused \(4xx\)/).waitFor(); // it is drawn a moment later
    const chart = await d.page.locator(".chart").evaluate((box) => ({
      told: box.querySelector(".legend").textContent,
      heights: [...box.querySelectorAll(".bar")].map((bar) => parseFloat(bar.style.height)),
    }));
    return { rows, chart, longest: await d.page.evaluate(() => window.longest) };
  },

  async reconnect(d, { way }) {
    way.cut();
    await d.page.locator('#connection[data-state="lost"]').waitFor();
    const text = await d.page.locator("#connection").textContent();
    await ask("/v3/users/while-cut");
    await way.mend();
    await d.live();
    await d.see("/users/while-cut");
    return { text };
  },

  async users(d) {
    const { page } = d;
    await d.go("users");
    await d.see("<img src=x onerror=window.pwned=1>");
    const dialog = page.locator("dialog");
    await d.button("New user").click();
    await d.fill({ UID: "bob", Name: "<script>window.pwned=2</script>", Metadata: "{}" }, dialog);
    await d.button("Save", dialog).click();
    await d.button("<script>window.pwned=2</script>").click();
    await d.button("Edit", dialog).click();
    await d.fill({ Name: "Bobby", "Status message": "hi" }, dialog);
    await d.button("Save", dialog).click();
    const token = await d.copied(page.getByRole("button", { name: "Mint token for Bobby" }));
    const me = await (await ask("/v3/me", { headers: { authToken: token } })).json();
    await d.see(token);
    await page.getByRole("button", { name: "Log out Bobby on this device" }).click();
    await page.locator("code", { hasText: token }).waitFor({ state: "detached" });
    const dead = (await ask("/v3/me", { headers: { authToken: token } })).status;
    const bobby = page.getByRole("button", { name: "Bobby", exact: true });
    await bobby.click();
    await d.button("Deactivate", dialog).click();
    await page.locator("tr", { hasText: "Bobby" }).getByText("deactivated").waitFor();
    await bobby.click();
    await d.button("Reactivate", dialog).click();
    await page.locator("tr", { hasText: "Bobby" }).getByText("offline").waitFor();
    await bobby.click();
    await d.button("Delete", dialog).click();
    await d.button("Yes", dialog).click();
    await bobby.waitFor({ state: "detached" });
    await d.button("New user").click();
    await d.fill({ UID: "SUPERHERO1", Name: "Twin" }, dialog);
    await d.button("Save", dialog).click();
    const refused = await page.locator(".toast.bad").textContent();
    await d.button("Close", dialog).click();
    await d.button("Fill with Faker").click();
    await d.button("Add", dialog).click();
    await d.see("Users in APP_ID: 37");
    await d.fill({ Find: "superhero3" });
    await d.see("Users in APP_ID: 1");
    return { me: me.data, dead, refused, journal: await steer("GET", "journal?operation=delete_user") };
  },

  async faults(d) {
    await d.go("errors");
    await d.fill({ Find: "ERR_UID_NOT_FOUND" });
    await d.page.getByRole("button", { name: "Provoke ERR_UID_NOT_FOUND" }).first().click();
    await d.fill({ Operation: "list_users", Times: "1" });
    await d.button("Add the fault").click();
    await d.see("Faults are in force: 1.");
    const [struck, then] = [(await ask("/v3/users")).status, (await ask("/v3/users")).status];
    await d.see("spent");
    await d.field("Kind").selectOption("latency");
    await d.fill({ delay: "1ms" });
    await d.button("Add the fault").click();
    await d.page.locator("td", { hasText: "latency delay" }).waitFor();
    await d.button("Remove", d.page.locator("#banner")).click();
    await d.see("No fault is in force");
    return { struck, then };
  },

  async clockAndLogins(d) {
    await d.go("time");
    await d.fill({ "Freeze at": "2030-01-31T12:00:00Z" });
    await d.button("Freeze").click();
    await d.see("A clock is frozen.");
    await d.fill({ "Advance by": "1h" });
    await d.button("Advance").click();
    await d.see("2030-01-31 13:00:00 UTC");
    await d.button("Resume", d.page.locator("#banner")).click();
    await d.see("ticking");
    await d.fill({ UID: "superhero1" });
    await d.button("Hold logins").click();
    await d.see("waiting now: 0.");
    const login = ask("/v3/login", { method: "POST", body: JSON.stringify({ uid: "superhero1", authKey: "AUTH_KEY" }) });
    await d.see("waiting now: 1.");
    await d.page.getByRole("button", { name: "Release the logins of superhero1" }).first().click();
    const { status } = await login;
    await d.button("Release", d.page.locator("#banner")).click();
    await d.see("No logins are held.");
    return { login: status };
  },

  async snapshots(d) {
    await d.go("snapshots");
    await d.fill({ Name: "before" });
    await d.button("Save").click();
    await d.page.locator("td", { hasText: "before" }).waitFor();
    await ask("/v3/users/superhero2", { method: "DELETE", body: JSON.stringify({ permanent: true }) });
    await d.button("Restore").click();
    await d.button("Yes").click();
    await d.page.locator("dialog").waitFor({ state: "hidden" });
    await until("/v3/users/superhero2", 200);
    await d.button("Delete").click();
    await d.button("Yes").click();
    await d.see("No snapshot yet.");
    await d.button("Reset").click();
    await d.button("Yes").click();
    await d.page.locator("dialog").waitFor({ state: "hidden" });
    await until("/v3/users/alice", 404);
    return true;
  },

  async settings(d) {
    await d.go("settings");
    await d.field("Error dialect").selectOption("live");
    await d.fill({ "Rate limit": "77" });
    await d.button("Save").click();
    await d.see("The rules are changed, until the server stops.");
    const { rules } = await steer("GET", "settings");
    await steer("PATCH", "settings", { errors: "auto", rateLimit: 0 });
    return { rules, told: await d.page.locator("tr", { hasText: "--https-port" }).textContent() };
  },

  async views(d, { folder }) {
    await d.go("requests");
    await d.page.locator(".tools button", { hasText: "Clear" }).click(); // roles of 1,000 rows take long
    await d.see("Requests: 0");
    for (const path of ["/v3/users", "/v3/user/alice", "/v3/users/nobody"]) await ask(path);
    await ask("/v3/users", { headers: { ...KEY, "X-Mock-Fault": "error=503" } });
    await d.see("/user/alice");
    const found = {};
    for (const [size, colorScheme] of [[WIDE, "light"], [WIDE, "dark"], [NARROW, "light"], [NARROW, "dark"]]) {
      await d.page.setViewportSize(size);
      await d.page.emulateMedia({ colorScheme });
      for (const view of VIEWS) {
        await d.page.evaluate((name) => (location.hash = `#/${name}`), view);
        await d.page.locator(`nav a[data-view="${view}"][aria-current="page"]`).waitFor();
        await d.page.locator("main h1, main .list tbody tr:visible").first().waitFor();
        const name = `${view}-${size.width}-${colorScheme}`;
        await d.page.screenshot({ path: join(folder, `${name}.png`) });
        const wide = await d.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        const wrong = wide ? ["wider than the window"] : [];
        if (size === WIDE || colorScheme === "light") wrong.push(...(await d.axe()));
        if (wrong.length) found[name] = wrong;
      }
    }
    const images = await d.page.locator("img").evaluateAll((all) => all.map(({ src }) => new URL(src).pathname));
    await d.button("Theme: auto").click();
    return { found, images, theme: await d.page.evaluate(() => document.documentElement.dataset.theme) };
  },

  async token(_, { context }) {
    const page = await context.newPage();
    const d = new Dashboard(page, guarded);
    await page.goto(guarded);
    for (const token of ["wrong", "s3cret"]) {
      await page.locator("dialog[open]").waitFor();
      await d.fill({ "Control token": token });
      await d.button("Continue").click();
    }
    await d.live();
    await d.see("Waiting for the first request");
    const address = page.url();
    await page.close();
    return { address };
  },
};

await report(main(...process.argv.slice(2)));

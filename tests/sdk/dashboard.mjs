// The dashboard as a test sees it: its views, fields and buttons by the names that people read.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const PATIENCE = 10_000;

/** The dashboard as its user has it in hand. */
export class Dashboard {
  constructor(page, base) {
    Object.assign(this, { page, base, rows: page.locator(".list tbody tr:visible") });
  }
  button = (name, within = this.page) => within.getByRole("button", { name, exact: true }).first();
  field = (name, within = this.page) => within.getByLabel(name, { exact: true }).first();
  text = (what) => this.page.getByText(what).filter({ visible: true }).first();
  see = (what) => this.text(what).waitFor();
  live = () => this.page.locator('#connection[data-state="live"]').waitFor();
  async go(view) {
    await this.page.locator(`nav a[data-view="${view}"]`).click();
    await this.page.locator(`nav a[data-view="${view}"][aria-current="page"]`).waitFor();
  }
  async copied(button) {
    await this.page.evaluate(() => navigator.clipboard.writeText(""));
    await button.click();
    const text = await this.page.evaluate(async (patience) => {
      const end = Date.now() + patience;
      let found = "";
      while (!found && Date.now() < end) found = await navigator.clipboard.readText();
      return found;
    }, PATIENCE);
    await this.page.locator(".toast.shown").waitFor();
    return text;
  }
  async fill(values, within = this.page) {
    for (const [name, value] of Object.entries(values)) await this.field(name, within).fill(value);
  }
  /** Counts what `later` shows, once the answer that `sooner` waits for has come after it. */
  async overtaken(path, sooner, later, shown) {
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await this.page.route(path, (route) => released.then(() => route.continue()), { times: 1 });
    const held = this.page.waitForRequest(path);
    await sooner();
    const answered = (await held).response();
    await later();
    await shown.waitFor();
    release();
    await (await answered).finished();
    await this.page.evaluate(() => fetch("/_mock/health").then((answer) => answer.json()));
    return shown.count();
  }
  shown = async () => (await this.rows.allTextContents()).length;
  /** What axe finds that is serious or worse. */
  async axe() {
    // A message that fades has no contrast for a moment.
    await this.page.waitForFunction(() => getComputedStyle(document.getElementById("toast")).opacity === "0");
    await this.page.evaluate(AXE); // by the debugger, which the page's policy does not stop
    const found = await this.page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
    return found.violations
      .filter(({ impact }) => ["serious", "critical"].includes(impact))
      .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120))}`);
  }
}

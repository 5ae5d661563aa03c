// Builds the web apps of docs/sdks, as their pages print them, and uses them in headless Chromium:
//   node recipe_runner.mjs FOLDER...
// Each folder holds the project of one page; the facts are one JSON document on stdout.

import { basename } from "node:path";

import { listen, withBrowser } from "./browser.mjs";
import { mintToken } from "./other_side.mjs";
import { filesBelow } from "./page_server.mjs";
import { keysFrom, report } from "./running.mjs";
import { buildPages } from "./uikit/recipe_build.mjs";

const PATIENCE = 10_000;
const { env } = process;
const backend = { appId: "APP_ID", adminUrl: `${env.MOCKCHAT_URL}/v3`, keys: keysFrom(env) };

async function main(folders) {
  const files = [];
  for (const folder of folders) {
    files.push(...filesBelow(await buildPages(folder), `/${basename(folder)}`));
  }
  return withBrowser(files, async (browser, origin) => {
    const facts = {};
    for (const name of folders.map((folder) => basename(folder))) {
      const has = (page) => files.some(([path]) => path === `/${name}/${page}`);
      const open = (page, use) => opened(browser, `${origin}/${name}/${page}`, use);
      facts[name] = await open("index.html", useApp);
      if (has("kit.html")) facts[`${name} kit`] = await open("kit.html", lookAtKit);
    }
    return facts;
  });
}

async function opened(browser, url, use) {
  const context = await browser.newContext();
  await context.route("**/chat-token", async (route) =>
    route.fulfill({ body: await mintToken(backend, "cometchat-uid-2") }),
  );
  const page = await context.newPage();
  const troubles = listen(page);
  await page.goto(url);
  const shown = await use(page).catch((error) => [`${error}`]);
  await context.close();
  return { shown, ...troubles };
}

/** Clicks what there is to click, and tells what the page says before and after each. */
async function useApp(page) {
  const output = page.locator("output");
  const shown = [await changed(page, ["", "…"])];
  for (const label of ["Log in", "Log out", "Log in by token", "Log out"]) {
    const before = await output.innerText();
    await page.getByRole("button", { name: label, exact: true }).click();
    shown.push(await changed(page, [before]));
  }
  return shown;
}

async function changed(page, texts) {
  const differs = (old) => {
    const text = document.querySelector("output")?.textContent ?? "";
    return !old.includes(text) && text;
  };
  const handle = await page.waitForFunction(differs, texts, { timeout: PATIENCE });
  return handle.jsonValue();
}

async function lookAtKit(page) {
  const titles = page.locator(".cometchat-users__item-title");
  await titles.first().waitFor({ timeout: PATIENCE });
  await page.waitForLoadState("networkidle", { timeout: PATIENCE });
  return titles.allInnerTexts();
}

await report(main(process.argv.slice(2)));

// Builds the UI Kit's page, opens it in headless Chromium and tells what it shows:
//   node uikit_runner.mjs APP_ID FOLDER
// The folder gets the built app and a screenshot.

import { join } from "node:path";

import { answerPictures, listen, withBrowser } from "./browser.mjs";
import { filesBelow } from "./page_server.mjs";
import { report } from "./running.mjs";
import { buildApp } from "./uikit/build.mjs";

const VIEW = { width: 1100, height: 800 };
const PATIENCE = 20_000;

async function main(appId, folder) {
  const built = join(folder, "uikit-app");
  await buildApp(built);
  return withBrowser(servedFrom(built), async (browser, origin) => {
    const context = await browser.newContext({ viewport: VIEW });
    await answerPictures(context);
    const page = await context.newPage();
    const troubles = listen(page);
    const refused = noteRefusals(page);
    await page.goto(`${origin}/?${query(appId)}`);
    const shown = await whatIsShown(page);
    const screenshot = join(folder, "uikit.png");
    await page.screenshot({ path: screenshot });
    return { shown, screenshot, refused, ...troubles };
  });
}

const query = (appId) =>
  new URLSearchParams({ appId, host: `${new URL(process.env.MOCKCHAT_HTTPS_URL).host}/v3.0` });

const servedFrom = (folder) => [...filesBelow(folder), ["/", join(folder, "index.html")]];

function noteRefusals(page) {
  const refused = [];
  page.on("response", (response) => {
    if (response.status() >= 400) refused.push(`${response.status()} ${response.url()}`);
  });
  return refused;
}

/** Both lists ask, show that they wait, and then show what they got. */
async function whatIsShown(page) {
  const texts = (selector) => page.locator(selector).allInnerTexts();
  await Promise.all([
    page.locator(".cometchat-users__item-title").first().waitFor({ timeout: PATIENCE }),
    page.locator(".cometchat-conversations__empty-state").waitFor({ timeout: PATIENCE }),
    page.waitForLoadState("networkidle", { timeout: PATIENCE }),
  ]).catch((error) => console.error(error));
  return {
    users: await texts(".cometchat-users__item-title"),
    conversations: await texts(".cometchat-conversations__item"),
    empty: await texts(".cometchat-conversations__empty-state-title"),
    errors: await texts("[class*=error-state], [class*=error-boundary]"),
  };
}

await report(main(...process.argv.slice(2)));

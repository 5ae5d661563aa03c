// Builds the page of the UI Kits and opens it in headless Chromium without a network, once for each
// KIT, and tells what its screens show:
//   node uikit_runner.mjs APP_ID FOLDER KIT...
// A kit finds the mock by the live host names, `…-by-override` by the SDK's host options. The folder
// gets the built app and a picture of each page.

import { join } from "node:path";

import { answerOthers, listen, withBrowser } from "./browser.mjs";
import { filesBelow } from "./page_server.mjs";
import { report } from "./running.mjs";
import { buildApp } from "./uikit/build.mjs";

const VIEW = { width: 2200, height: 900 };
const PATIENCE = 30_000;
const OVERRIDE = "-by-override";
const WAITING =
  ":is([class*=shimmer], [class*=loading], [class*=spinner], cometchat-loader):visible";
// What a screen says when it has nothing to wait for: each list of the user's, and the open chat.
const REACT = {
  users: "Cyclops",
  groups: "No Groups Available",
  chat: "George Alan",
  feed: "Nothing here yet",
  calls: "No Call Logs Yet",
};
const SAID = {
  "react-7": { ...REACT, conversations: "No Conversations" },
  "react-6": { ...REACT, conversations: "No Conversations Yet" },
  vue: {
    users: "Cyclops",
    groups: "Groups", // what it says of none goes away when it has looked for the next page
    chat: "George Alan",
    calls: "No Calls Found",
    conversations: "No chats found",
  },
};

async function main(appId, folder, ...runs) {
  const built = join(folder, "uikit-app");
  await buildApp(built);
  const files = [...filesBelow(built), ["/", join(built, "index.html")]];
  return withBrowser(files, async (browser, origin) => {
    const facts = {};
    for (const run of runs) {
      const picture = join(folder, `${run}.png`);
      facts[run] = await look(browser, `${origin}/?${query(appId, run)}`, kitOf(run), picture);
    }
    return facts;
  });
}

const kitOf = (run) => run.replace(OVERRIDE, "");

function query(appId, run) {
  const host = `${new URL(process.env.MOCKCHAT_HTTPS_URL).host}/v3.0`;
  const option = run.endsWith(OVERRIDE) ? { host } : {};
  return new URLSearchParams({ appId, kit: kitOf(run), ...option });
}

async function look(browser, url, kit, picture) {
  const context = await browser.newContext({ viewport: VIEW });
  await answerOthers(context);
  const page = await context.newPage();
  const troubles = listen(page);
  const answers = noteAnswers(page);
  await page.goto(url);
  const silent = await silentScreens(page, SAID[kit]);
  await page.waitForLoadState("networkidle", { timeout: PATIENCE }).catch(() => silent.push("net"));
  await page.screenshot({ path: picture });
  const broken = await page
    .locator("#app img")
    .evaluateAll((all) => all.filter((one) => !one.naturalWidth).map(({ src }) => src));
  const waiting = await page.locator(WAITING).evaluateAll((all) => all.map((one) => one.className));
  await context.close();
  return { silent, waiting, broken, picture, ...answers, ...troubles };
}

/** Notes what was refused, and the pictures that came from elsewhere than the page. */
function noteAnswers(page) {
  const [refused, avatars] = [[], []];
  page.on("response", (response) => {
    const [url, status] = [response.url(), response.status()];
    const isPicture = response.request().resourceType() === "image" && url.startsWith("https:");
    if (status >= 400) refused.push(`${status} ${url}`);
    else if (isPicture) avatars.push(url);
  });
  page.on("requestfailed", (request) => refused.push(`no answer ${request.url()}`));
  return { refused, avatars };
}

/** Waits for what each screen is to say; answers with the screens that do not say it. */
async function silentScreens(page, said) {
  const silent = [];
  await Promise.all(
    Object.entries(said).map(([id, text]) =>
      page
        .locator(`#${id}`)
        .getByText(text, { exact: true })
        .first()
        .waitFor({ timeout: PATIENCE })
        .catch(() => silent.push(id)),
    ),
  );
  return silent;
}

await report(main(...process.argv.slice(2)));

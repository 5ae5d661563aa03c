// Pages that are not at localhost: Chromium's Local Network Access has a say in what they reach.
import { expect, test } from "mockchat-kit/playwright";

async function logIn(page) {
  await page.getByLabel("User").fill("cometchat-uid-2");
  await page.getByRole("button", { name: "Log in" }).click();
  return expect(page.getByRole("status"));
}

/** The page of the app, at an address that only this route knows. */
async function fulfilled(page, baseURL) {
  await page.route("https://app.example/**", async (route) => {
    const { pathname, search } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: `${baseURL}${pathname}${search}` }) });
  });
  await page.goto("https://app.example/");
}

test("a page by a made-up host logs in", async ({ page, baseURL }) => {
  await page.goto(`http://app.test:${new URL(baseURL).port}/`);

  await (await logIn(page)).toHaveText("George Alan is logged in");
});

test("a page that route.fulfill makes logs in", async ({ page, baseURL, mockchat }) => {
  await fulfilled(page, baseURL);

  await (await logIn(page)).toHaveText("George Alan is logged in");
  expect((await mockchat.journal.waitFor({ path: "/" })).status).toBe(101);
});

test("without the permission, it may not reach loopback", async ({ page, baseURL, context, mockchat }) => {
  await context.clearPermissions();
  await mockchat.fail(503, { operation: "login" });
  await fulfilled(page, baseURL);

  await (await logIn(page)).toHaveText("Login failed: FAILED_TO_FETCH");
});

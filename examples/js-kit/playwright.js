// Playwright: `test` with a mockchat app for each worker, and the entry of `webServer`.
import { test as base } from "@playwright/test";

import { connect } from "./client.js";

export { expect } from "@playwright/test";

/** Return the entry of `webServer` that starts mockchat, unless MOCKCHAT_URL names a server. */
export function mockchatServer({ command = "mockchat serve", port = 8080, httpsPort = 8443 } = {}) {
  const given = Boolean(process.env.MOCKCHAT_URL);
  process.env.MOCKCHAT_URL ??= `http://127.0.0.1:${port}`;
  process.env.MOCKCHAT_HTTPS_URL ??= `https://localhost:${httpsPort}`;
  return {
    command: `${command} --port ${port} --https-port ${httpsPort} --log-level error`,
    url: `${process.env.MOCKCHAT_URL}/_mock/health`,
    reuseExistingServer: given || !process.env.CI,
  };
}

export const test = base.extend({
  // mockchat's CA is its own. Chromium lets a page reach loopback only by this permission, unless
  // the page itself is served from there.
  ignoreHTTPSErrors: true,
  permissions: async ({ permissions, browserName }, use) => {
    const granted = browserName === "chromium" ? ["local-network-access"] : [];
    await use([...(permissions ?? []), ...granted]);
  },

  /** The control client of the worker's app, reset before each test. */
  mockchat: async ({}, use, testInfo) => {
    const mockchat = connect();
    await mockchat.reset();
    await use(mockchat);
    const faults = await mockchat.control("GET", "faults");
    for (const { id, kind } of faults.filter(({ struck }) => struck === 0)) {
      console.warn(`mockchat: fault ${id} (${kind}) never struck: is its match right?`);
    }
    if (testInfo.status !== testInfo.expectedStatus) {
      const body = JSON.stringify(await mockchat.journal.find(), null, 2);
      await testInfo.attach("mockchat journal", { body, contentType: "application/json" });
    }
  },

  /** Pages find the worker's app in `window.MOCKCHAT`. */
  context: async ({ context, mockchat }, use) => {
    const { appId, region, host, authKey } = mockchat;
    const facts = { appId, region, host, authKey };
    await context.addInitScript((told) => Object.assign(globalThis, { MOCKCHAT: told }), facts);
    await use(context);
  },
});

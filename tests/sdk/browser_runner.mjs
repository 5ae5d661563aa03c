// Runs vendor packages in headless Chromium, side by side, each in a context of its own:
//   node browser_runner.mjs PACKAGE=APP_ID ...
// The page's origin is not the mock's. Packages without host options, and all by the mock's
// proxy, meet the mock under the live host names. The facts are one JSON document on stdout.

import { bundlesOf, runPackage, withBrowser } from "./browser.mjs";
import { packageNamed } from "./packages.mjs";
import { report } from "./running.mjs";

async function main() {
  const jobs = process.argv.slice(2).map((argument) => argument.split("="));
  const rows = jobs.map(([label]) => packageNamed(label));
  return withBrowser(bundlesOf(rows), (browser, origin) =>
    Promise.all(jobs.map(([, appId], at) => run(browser, origin, rows[at], appId))),
  );
}

const byProxy = Boolean(process.env.MOCKCHAT_PROXY_URL);

async function run(browser, origin, row, appId) {
  const hosts = row.traits.override && !byProxy ? "override" : "live";
  const flow = byProxy ? "steps-by-proxy" : "steps";
  const facts = await runPackage(browser, origin, row, { appId, hosts, flow });
  if (facts.hung) throw new Error(`${row.label}: ${facts.hung}`);
  return facts;
}

await report(main());

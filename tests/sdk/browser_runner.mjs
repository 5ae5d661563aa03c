// Runs vendor packages in headless Chromium, side by side, each in a context of its own:
//   node browser_runner.mjs PACKAGE=APP_ID ...
// The page's origin is not the mock's. Packages without host options meet the mock under the
// live host names. The facts are one JSON document on stdout.

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

async function run(browser, origin, row, appId) {
  const hosts = row.traits.override ? "override" : "live";
  const facts = await runPackage(browser, origin, row, { appId, hosts });
  if (facts.hung) throw new Error(`${row.label}: ${facts.hung}`);
  return facts;
}

await report(main());

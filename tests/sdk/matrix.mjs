// Takes every package in a folder through the steps in headless Chromium, in each mode it has:
//   node matrix.mjs NODE_MODULES [TEXT IN THE LABEL]
// One line of JSON a run goes to stdout as soon as the run is over.

import { readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { bundlesOf, runPackage, withBrowser } from "./browser.mjs";
import { identity, packageNamed } from "./packages.mjs";
import { refusal, within } from "./world.mjs";

const LINES = /^(chat|ionic|pro)-/;
const AT_ONCE = 4;
const RUN_LIMIT = 60_000;
// A login that waits for XMPP waits for ever; all there is to find out is where.
const STEP_LIMIT = { finishes: 15_000, waits: 3_000 };

const modesOf = (row) => (row.traits.override ? ["override", "live"] : ["live"]);

async function take(browser, origin, { row, hosts }) {
  const appId = `MATRIX_${row.label}_${hosts}`.replace(/\W/g, "_").toUpperCase();
  const stepLimit = row.traits.finishes ? STEP_LIMIT.finishes : STEP_LIMIT.waits;
  const run = runPackage(browser, origin, row, { appId, hosts, stepLimit });
  return within(RUN_LIMIT, row.label, run).catch((error) => {
    return { ...identity(row), hosts, hung: refusal(error).message };
  });
}

/** A few workers that take the next job as soon as they are free. */
async function work(jobs, run) {
  const worker = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      process.stdout.write(`${JSON.stringify(await run(job))}\n`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function main(folder, text = "") {
  const modules = pathToFileURL(`${folder}/`);
  const labels = readdirSync(folder).filter((name) => LINES.test(name) && name.includes(text));
  const rows = labels.map((label) => packageNamed(label, modules));
  const jobs = rows.flatMap((row) => modesOf(row).map((hosts) => ({ row, hosts })));
  await withBrowser(bundlesOf(rows), (browser, origin) =>
    work(jobs, (job) => take(browser, origin, job)),
  );
}

await main(...process.argv.slice(2));

// The vendor packages under test, by their directory in node_modules (npm aliases that name the
// package line and the version).
//   realtime  the SDK speaks CometChat's WebSocket; older ones speak XMPP, which the mock does
//             not, so their connection never becomes live
//   override  the SDK has options for its hosts; others are led to the mock by name resolution

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const PACKAGES = {
  "chat-4.2.0": { realtime: true, override: true },
  "chat-4.0.0": { realtime: true, override: true },
  "ionic-4.0.4": { realtime: true, override: true },
  "pro-3.0.13": { realtime: true, override: true },
  "pro-3.0.0": { realtime: true, override: false },
  "pro-2.4.1": { realtime: false, override: false },
};

const modules = new URL("node_modules/", import.meta.url);

/** A package's row, with its name on the registry, its version and its bundle's path. */
export function packageNamed(label) {
  const row = PACKAGES[label];
  if (!row) throw new Error(`no package ${label}; there are ${Object.keys(PACKAGES).join(", ")}`);
  const folder = new URL(`${label}/`, modules);
  const { name, version, main } = JSON.parse(readFileSync(new URL("package.json", folder)));
  return { ...row, label, name, version, bundle: fileURLToPath(new URL(main, folder)) };
}

// The vendor packages under test, by their directory in node_modules: npm aliases that name the
// package line and the version, as `pro-3.0.13` does.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const MODULES = new URL("node_modules/", import.meta.url);

/** A package's row: its name on the registry, its version, its bundle's path and its traits. */
export function packageNamed(label, modules = MODULES) {
  const folder = new URL(`${label}/`, modules);
  const { name, version, main } = JSON.parse(readFileSync(new URL("package.json", folder)));
  const bundle = fileURLToPath(new URL(main, folder));
  return { label, name, version, bundle, traits: traitsOf(name, version) };
}

/** How the facts of a run tell which package it was. */
export const identity = ({ label, name, version, traits }) => ({
  label,
  package: name,
  version,
  traits,
});

/**
 *   override      it has options for its hosts; others are led to the mock by name resolution
 *   realtime      it speaks CometChat's WebSocket; older ones speak XMPP, which the mock does not,
 *                 so their connection never becomes live
 *   finishes      its login is over when the API has answered; older ones wait for XMPP
 *   changesUsers  it can log in a second user over the first; 2.1.3 and 2.1.4 trip over themselves
 *   pushes        it can register a push token; 3.0.11 looks for its settings in the wrong store
 *   leaves        it logs out by itself when its token turns out dead
 */
function traitsOf(name, version) {
  const since = (...first) => name !== "@cometchat-pro/chat" || isSince(version, first);
  return {
    override: since(3, 0, 11),
    realtime: since(3),
    finishes: since(2, 1, 3),
    changesUsers: since(2, 1, 5),
    pushes: version !== "3.0.11",
    leaves: since(2, 3, 1) && version !== "3.0.0-beta1",
  };
}

/** A beta counts as the version it precedes. */
function isSince(version, first) {
  const parts = version.split(/[.-]/).map(Number);
  const at = first.findIndex((part, index) => part !== parts[index]);
  return at < 0 || parts[at] > first[at];
}

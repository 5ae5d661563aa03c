// A home directory in which Chromium trusts the mock's CA, and only there.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const NICKNAME = "mockchat";

/** Fills `home` with an NSS database, the place where Chromium on Linux looks for local CAs. */
export function trustIn(home, caPath) {
  const folder = join(home, ".pki", "nssdb");
  mkdirSync(folder, { recursive: true });
  const database = ["-d", `sql:${folder}`];
  certutil("-N", ...database, "--empty-password");
  certutil("-A", ...database, "-n", NICKNAME, "-t", "C,,", "-i", caPath);
}

function certutil(...args) {
  execFileSync("certutil", args, { stdio: ["ignore", "ignore", "inherit"] });
}

// Playwright with Chromium: the live names lead to mockchat, whatever port it listens on.
// Its CA is trusted after `trust-ca` (Chromium on Linux reads ~/.pki/nssdb); Firefox and WebKit have
// stores of their own, there `ignoreHTTPSErrors: true` takes the place of trust.
import { execFileSync } from "node:child_process";

// The port is that of MOCKCHAT_HTTPS_PORT, else 8443; `--address` names another machine.
const hosts = ["hosts", "--app-id", "testapp", "--format", "chromium"];
const flag = execFileSync("mockchat", hosts, { encoding: "utf8" }).trim();

export default {
  testDir: "./tests",
  use: {
    browserName: "chromium",
    launchOptions: { args: [flag] },
  },
};

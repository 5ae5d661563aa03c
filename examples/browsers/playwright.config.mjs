// Playwright with Chromium: the live names lead to mockchat, whatever port it listens on.
// Its CA is trusted after `trust-ca` (Chromium on Linux reads ~/.pki/nssdb); Firefox and WebKit have
// stores of their own, there `ignoreHTTPSErrors: true` takes the place of trust.
const mockchat = process.env.MOCKCHAT_HTTPS ?? "localhost:8443";

export default {
  testDir: "./tests",
  use: {
    browserName: "chromium",
    launchOptions: {
      args: [`--host-resolver-rules=MAP *.cometchat.io:443 ${mockchat}`],
    },
  },
};

// Playwright installs no browser here, and `app.test` is a made-up host of this machine.
import config from "./playwright.config.js";

const launchOptions = {
  executablePath: process.env.CHROMIUM,
  args: ["--host-resolver-rules=MAP app.test 127.0.0.1"],
};

export default { ...config, reporter: "line", use: { ...config.use, launchOptions } };

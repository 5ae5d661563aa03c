// Jest: `testEnvironment`. It is jest-environment-jsdom with what that leaves out and the SDK needs.
import { TestEnvironment as JSDOMEnvironment } from "jest-environment-jsdom";

import { connect } from "./client.js";
import { trustCa, withoutReferrer } from "./cures.js";

// An aborted request needs the signal of the same world as `fetch`.
const MISSING = ["Headers", "Request", "Response", "FormData", "AbortController", "AbortSignal"];

export default class MockChatEnvironment extends JSDOMEnvironment {
  async setup() {
    await super.setup();
    trustCa();
    for (const name of MISSING) this.global[name] = globalThis[name];
    this.global.fetch = withoutReferrer(globalThis.fetch);
    this.global.mockchat = connect(); // tests in CommonJS need no import
  }
}

import type {
  PlaywrightTestArgs,
  PlaywrightTestOptions,
  PlaywrightWorkerArgs,
  PlaywrightWorkerOptions,
  TestType,
} from "@playwright/test";

import type { MockChat } from "./index.js";

export { expect } from "@playwright/test";

export const test: TestType<
  PlaywrightTestArgs & PlaywrightTestOptions & { mockchat: MockChat },
  PlaywrightWorkerArgs & PlaywrightWorkerOptions
>;

export interface ServerOptions {
  command?: string;
  port?: number;
  httpsPort?: number;
}

/** The entry of `webServer` that starts mockchat, unless MOCKCHAT_URL names a server. */
export function mockchatServer(options?: ServerOptions): {
  command: string;
  url: string;
  reuseExistingServer: boolean;
};

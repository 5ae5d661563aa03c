// Vitest without the cures of the kit.
import { defineConfig } from "vitest/config";

const environment = process.env.ENVIRONMENT;
const setupFiles = process.env.SETUP ? [process.env.SETUP] : [];

export default defineConfig({
  test: { environment, setupFiles, globalSetup: "mockchat-kit/global-setup" },
});

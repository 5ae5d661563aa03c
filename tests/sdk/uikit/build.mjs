// Builds the page with Vite, as an app is built for production.

import { fileURLToPath } from "node:url";

import { build } from "vite";

export const buildApp = (outDir) =>
  build({
    root: fileURLToPath(new URL(".", import.meta.url)),
    configFile: false,
    logLevel: "error",
    build: {
      outDir,
      emptyOutDir: true,
      target: "esnext",
      minify: false,
      // An optional part of the kit, imported when calls are switched on.
      rollupOptions: { external: ["@cometchat/calls-sdk-javascript"] },
    },
  });

// Builds the page with Vite, as an app is built for production.

import { fileURLToPath } from "node:url";

import { build } from "vite";

import { BUNDLES } from "./recipe_build.mjs";

export const buildApp = (outDir) =>
  build({
    root: fileURLToPath(new URL(".", import.meta.url)),
    configFile: false,
    logLevel: "error",
    resolve: { alias: BUNDLES },
    build: { outDir, emptyOutDir: true, target: "esnext", minify: false },
  });

// Builds the project of a page of docs/sdks with Vite, as its reader would.

import { existsSync } from "node:fs";
import { join } from "node:path";

import vue from "@vitejs/plugin-vue";
import { build } from "vite";

import { packageNamed } from "../packages.mjs";

const MODULES = new URL("../node_modules/", import.meta.url);
/** The packages that the tests have under another name, by the one that the pages import. */
const BUNDLES = Object.fromEntries(
  ["ionic-4.0.4", "native-4.0.21", "calls-4.2.6"]
    .map((label) => packageNamed(label, MODULES))
    .map(({ name, bundle }) => [name, bundle]),
);

const COMMON = { configFile: false, logLevel: "error", base: "./" };
const OUTPUT = { emptyOutDir: true, target: "esnext", minify: false };

/** Builds the HTML files of a folder into its `dist`; answers with that folder. */
export async function buildPages(root) {
  const outDir = join(root, "dist");
  const input = ["index.html", "kit.html"].map((name) => join(root, name)).filter(existsSync);
  await build({
    ...COMMON,
    root,
    plugins: [vue(), compiledInTheBrowser],
    oxc: { decorator: { legacy: true } },
    resolve: { alias: { "@cometchat/chat-sdk-ionic": BUNDLES["@cometchat/chat-sdk-ionic"] } },
    // The Calls SDK is an optional part of the UI Kit, imported when calls are switched on.
    build: {
      ...OUTPUT,
      outDir,
      rollupOptions: { input, external: ["@cometchat/calls-sdk-javascript"] },
    },
  });
  return outDir;
}

/** Angular's packages wait for a compiler, which is the CLI's or comes along. */
const compiledInTheBrowser = {
  name: "compiled-in-the-browser",
  transform(code) {
    return code.includes("bootstrapApplication(") && code.includes('from "./app/app"')
      ? `import "@angular/compiler";\n${code}`
      : null;
  },
};

/** Builds one module for Node; what it imports from elsewhere it requires when it is loaded. */
export async function buildModule(root, entry) {
  const outDir = join(root, "dist");
  await build({
    ...COMMON,
    root,
    build: {
      ...OUTPUT,
      outDir,
      lib: { entry: join(root, entry), formats: ["cjs"], fileName: () => "module.cjs" },
      rollupOptions: { external: (name) => !/^[./]/.test(name) },
    },
  });
  return join(outDir, "module.cjs");
}

export { BUNDLES };

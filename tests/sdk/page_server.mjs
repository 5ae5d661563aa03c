// Serves a blank page, the step modules and the vendor bundles, as an app's own origin would.

import { createReadStream, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, relative } from "node:path";

const BLANK = "<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>app</title>";
const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
};

/** `files` maps a served path to a file; the answer is the origin and a way to stop. */
export async function servePages(files) {
  const server = createServer((request, response) => {
    const file = files.get(request.url.split("?")[0]);
    if (!file) return response.setHeader("content-type", TYPES[".html"]).end(BLANK);
    response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return { origin: `http://127.0.0.1:${port}`, stop: () => server.close() };
}

/** The files of a folder, each with the path under which it is served. */
export const filesBelow = (folder, prefix = "") =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [`${prefix}/${relative(folder, file)}`, file]);

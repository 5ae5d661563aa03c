// Serves a blank page, the step modules and the vendor bundles, as an app's own origin would.

import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { basename, extname } from "node:path";

const BLANK = "<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>app</title>";
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript" };

/** `files` maps a served path to a file; the answer is the origin and a way to stop. */
export async function servePages(files) {
  const server = createServer((request, response) => {
    const file = files.get(request.url);
    if (!file) return response.setHeader("content-type", "text/html").end(BLANK);
    response.setHeader("content-type", TYPES[extname(basename(file))]);
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return { origin: `http://127.0.0.1:${port}`, stop: () => server.close() };
}

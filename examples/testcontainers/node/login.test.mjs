// A suite with a mockchat of its own: `node --test`. It needs Docker, or Podman's socket in
// DOCKER_HOST.
import assert from "node:assert/strict";
import { get } from "node:https";
import { after, before, test } from "node:test";

import { startMockChat } from "./mockchat.mjs";

const headers = { apikey: "REST_API_KEY" };
let mockchat;

before(async () => {
  mockchat = await startMockChat({ "random-seed": 1 });
});
after(() => mockchat?.stop());

test("a back end issues an auth token", async () => {
  const path = `${mockchat.url}/apps/backend/v3/users/cometchat-uid-1/auth_tokens`;

  const answer = await fetch(path, { method: "POST", headers });

  assert.equal((await answer.json()).data.uid, "cometchat-uid-1");
});

test("a client trusts the server", async () => {
  const path = `https://${mockchat.secureHost}/v3/users/cometchat-uid-2`;

  const status = await new Promise((resolve, reject) => {
    get(path, { headers, ca: mockchat.ca }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on("error", reject);
  });

  assert.equal(status, 200);
});

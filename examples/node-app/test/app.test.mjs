// The app against mockchat: `mockchat exec -- npm test` starts one and says where it is.
import assert from "node:assert/strict";
import { before, beforeEach, test } from "node:test";

import { logIn, logOut, start, whoIsThere } from "../app.mjs";

const { MOCKCHAT_URL } = process.env;

/** Asks the control API, which steers mockchat. */
async function mock(method, path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${MOCKCHAT_URL}/_mock/${path}`, {
    method,
    headers,
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

before(start);
beforeEach(async () => {
  await logOut().catch(() => {});
  await mock("POST", "reset");
});

test("nobody is logged in at first", async () => {
  assert.equal(await whoIsThere(), "Nobody is logged in");
});

test("a login shows the user's name", async () => {
  assert.equal(await logIn("cometchat-uid-1"), "Andrew Joseph is logged in");
});

test("a logout shows that nobody is left", async () => {
  await logIn("cometchat-uid-1");

  assert.equal(await logOut(), "Nobody is logged in");
});

test("a login of a uid that nobody has is refused by its code", async () => {
  assert.equal(await logIn("nobody"), "Login failed: ERR_UID_NOT_FOUND");
});

test("a fault is shown, and the next login is right", async () => {
  await mock("POST", "faults", { kind: "error", code: "ERR_UID_NOT_FOUND", times: 1 });

  assert.equal(await logIn("cometchat-uid-2"), "Login failed: ERR_UID_NOT_FOUND");
  assert.equal(await logIn("cometchat-uid-2"), "George Alan is logged in");
});

test("a login asks for one token", async () => {
  await logIn("cometchat-uid-3");

  const { exchanges } = await mock("GET", "journal?operation=create_auth_token");
  assert.equal(exchanges.length, 1);
});

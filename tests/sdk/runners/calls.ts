// What the kit's types take, and what they refuse.
import { connect, start } from "mockchat-kit";
import { expect, mockchatServer, test } from "mockchat-kit/playwright";

const mockchat = connect({ appId: "types" });

export async function right(): Promise<string> {
  const { uid } = await mockchat.createUser("alice", { name: "Alice", tags: ["new"] });
  const fault = await mockchat.fail("ERR_UID_NOT_FOUND", { operation: "login", times: 1 });
  await mockchat.journal.assertCalled({ uid }, { count: 1 });
  await mockchat.clock.freeze(new Date());
  await fault.assertStruck();
  return mockchat.issueToken(uid, { force: true });
}

export async function wrong(): Promise<void> {
  // @ts-expect-error a mistyped option
  await mockchat.fail("hang", { oparation: "login" });
  // @ts-expect-error a mistyped filter
  await mockchat.journal.find({ userId: "alice" });
  // @ts-expect-error a mistyped verb
  await mockchat.createUsr("alice");
  // @ts-expect-error a text is no number
  await mockchat.journal.assertCalled({}, { count: "1" });
}

test("the fixture is typed", async ({ mockchat: fixture, page }) => {
  expect(fixture.appId).toBe(page.url());
});

export const server = mockchatServer({ port: 9080 });
export const stop: Promise<() => Promise<void>> = start({ settings: { tokenTtl: "1h" } });

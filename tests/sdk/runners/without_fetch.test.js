// jest-environment-jsdom has no fetch.
const { logIn, start } = require("../src/chat.js");

test("a login never settles", async () => {
  await start({ appId: "APP_ID", region: "us", host: "localhost:1" });

  const settled = jest.fn();
  logIn("cometchat-uid-1", "AUTH_KEY").finally(settled);
  await new Promise((next) => setTimeout(next, 100));

  expect(globalThis.fetch).toBeUndefined();
  expect(settled).not.toHaveBeenCalled();
});

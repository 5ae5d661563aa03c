// Cypress: `setupNodeEvents`. Its proxy accepts any certificate, so no CA is to be trusted.
import { connect } from "./client.js";
import { start } from "./server.js";

/**
 * Start mockchat, or use that of MOCKCHAT_URL. Add the task `mockchat`, which calls a verb of the
 * control client, and `Cypress.env("mockchat")`: what the app has to know of the server.
 */
export async function mockchat(on, config, options) {
  await start(options);
  const client = connect();
  const { appId, region, host, authKey } = client;
  on("task", {
    mockchat: async ([verb, ...words]) => (await call(client, verb, words)) ?? null,
  });
  return { ...config, env: { ...config.env, mockchat: { appId, region, host, authKey } } };
}

/** `call(client, "journal.find", [{ uid: "alice" }])` is `client.journal.find({ uid: "alice" })`. */
function call(client, verb, words) {
  const [name, part] = verb.split(".").reverse();
  const owner = part === undefined ? client : client[part];
  if (typeof owner?.[name] !== "function") throw new Error(`mockchat has no verb ${verb}`);
  return owner[name](...words);
}

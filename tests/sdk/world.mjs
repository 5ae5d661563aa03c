// What the steps are given: one SDK, one app of the mock, and the ways to reach it.
// Everything here runs in Node and in a browser page alike.

export const REGION = "us";
const STEP_LIMIT = 10_000;

// Our own limits keep the real clock when an SDK's timers are hurried.
const { setTimeout, clearTimeout } = globalThis;

/**
 * `override` leads an SDK to the mock by its host options; `live` leaves the SDK alone and
 * relies on the live host names being resolved to the mock.
 */
export function createWorld({ httpUrl, httpsUrl, hosts, ...given }) {
  const { appId } = given;
  const live = hosts === "live";
  return {
    ...given,
    urls: { http: httpUrl, https: httpsUrl },
    override: live ? null : `${new URL(httpsUrl).host}/v3.0`,
    adminUrl: live ? `https://${appId}.api-${REGION}.cometchat.io/v3` : `${httpsUrl}/v3`,
    clientUrl: live ? `https://${appId}.apiclient-${REGION}.cometchat.io/v3` : `${httpsUrl}/v3`,
    freshUid: `fresh-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`,
  };
}

/**
 * Takes every step in turn and notes its facts. A step that throws has `unexpected` as its facts;
 * one that never settles ends the run.
 */
export async function take(steps, world, facts) {
  for (const [name, step] of Object.entries(steps)) {
    console.log(`step ${name}`);
    const told = step(world).catch((error) => ({ unexpected: refusal(error) }));
    facts[name] = await within(world.stepLimit ?? STEP_LIMIT, `step ${name}`, told);
  }
}

export function within(limit, what, promise) {
  let timer;
  const alarm = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing in ${limit} ms`)), limit);
  });
  return Promise.race([promise, alarm]).finally(() => clearTimeout(timer));
}

/** What an SDK reports of an error; anything else (a TypeError) is told by its text. */
export function refusal(error) {
  const { code, name, message } = error ?? {};
  return { code, name, message: message ?? String(error) };
}

/** The facts of a call that may be refused: what `describe` makes of it, or the refusal. */
export function outcome(promise, describe = () => ({ done: true })) {
  return promise.then(describe, (error) => ({ refused: refusal(error) }));
}

export const person = (user) => ({
  uid: user.getUid(),
  name: user.getName(),
  role: user.getRole(),
  status: user.getStatus(),
});

/** Waits until `condition` holds; some SDK changes come without an event. */
export async function until(condition, limit = 5_000) {
  const end = Date.now() + limit;
  while (Date.now() < end) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

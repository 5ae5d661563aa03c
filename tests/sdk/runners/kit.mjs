// The kit in plain Node: facts about it as JSON.
import { connect, MockChatError } from "mockchat-kit";
import { mockchat } from "mockchat-kit/cypress";

const tasks = {};
const config = await mockchat((_event, found) => Object.assign(tasks, found), { env: { own: 1 } });
const task = (...words) => tasks.mockchat(words);
const refused = (promise) => promise.then(() => "nothing", (error) => error);
const client = connect();

await task("reset");
await task("createUser", "alice", { name: "Alice" });
const token = await client.issueToken("alice");
const fault = await client.fail(503, { path: "/nowhere" });
const unstruck = await refused(fault.assertStruck());
const typo = await refused(client.fail("hang", { oparation: "login" }));
const missed = await refused(client.journal.assertCalled({ operation: "login" }));
const late = await refused(client.journal.waitFor({ uid: "alice" }, { count: 99, timeout: 0.01 }));
await client.clock.freeze("2030-01-01T00:00:00Z");
const { time } = await client.clock.advance("1h");
const hold = await client.holdLogins("alice");
const body = JSON.stringify({ uid: "alice", authKey: client.authKey });
const login = fetch(`${client.apiUrl}/login`, { method: "POST", body });
await hold.arrived();
await hold.release();
const loggedIn = (await login).status;
await client.revokeTokens("alice");
await client.deleteUser("alice");
const uids = (await client.users()).map(({ uid }) => uid);
const verb = await refused(task("journal.fnd"));
const faults = await connect({ appId: null }).control("GET", "faults");
await client.reset();

const errors = [unstruck, typo, missed, late];
console.log(
  JSON.stringify({
    env: config.env,
    token: token.split("_")[0],
    typed: errors.every((error) => error instanceof MockChatError),
    said: [...errors, verb].map((error) => error.message),
    time,
    loggedIn,
    uids,
    faults: faults.map(({ app }) => app),
  }),
);
process.exit();

// What an SDK makes of what the mock does wrong on purpose. It is run with a hurried clock
// (node_environment.mjs): an SDK takes up a lost connection after 5 seconds, and misses a pong 18
// seconds after a ping fell due.

import { init } from "./steps.mjs";
import { outcome, person, until } from "./world.mjs";

const UID = "cometchat-uid-1";
const A_LONG_WAIT = 2_000; // with the hurried clock a minute to the SDK

export const FAULTS = {
  init,

  async login_refused_by_code(world) {
    return refusedLogin(world, { kind: "error", code: "ERR_UID_NOT_FOUND" });
  },

  async login_refused_by_a_code_of_ones_own(world) {
    return refusedLogin(world, { kind: "error", code: "OUT_OF_TEA", status: 418 });
  },

  async login_refused_by_preset(world) {
    return refusedLogin(world, { kind: "token_expired" });
  },

  async login_refused_by_rate_limit(world) {
    return refusedLogin(world, { kind: "rate_limit", retryAfter: 30 });
  },

  async login_reset(world) {
    return refusedLogin(world, { kind: "reset" });
  },

  async login_truncated(world) {
    return refusedLogin(world, { kind: "truncated" });
  },

  async login_malformed(world) {
    return refusedLogin(world, { kind: "malformed" });
  },

  /** An SDK waits for an answer for as long as the connection is open. */
  async login_that_hangs(world) {
    let over = false;
    await addFault(world, { kind: "hang", operation: "create_auth_token" });
    const first = logIn(world).finally(() => (over = true));
    const waited = !(await until(() => over, A_LONG_WAIT));
    const second = await logIn(world);
    await removeFaults(world);
    return { waited, second, first: await first };
  },

  async login_after_all_that(world) {
    const user = await logIn(world);
    await accepted(world, 1);
    return { user, status: world.CometChat.getConnectionStatus() };
  },

  async socket_closed(world) {
    return lostSocket(world, { kind: "ws_close", closeCode: 1011, times: 1 });
  },

  async socket_cut(world) {
    return lostSocket(world, { kind: "ws_close", closeCode: 1006, times: 1 });
  },

  /** Refused twice, when it is taken up again. */
  async socket_refused(world) {
    await addFault(world, { kind: "ws_refuse", times: 2 });
    return lostSocket(world, { kind: "ws_close", closeCode: 1012, times: 1 });
  },

  async ping_unanswered(world) {
    return lostSocket(world, { kind: "ws_ignore_pings", times: 1 });
  },

  async pings_answered_again({ sockets }) {
    const before = sockets.filter(isPong).length;
    return { again: await until(() => sockets.filter(isPong).length > before + 1) };
  },

  async token_revoked(world) {
    const { CometChat } = world;
    await addFault(world, { kind: "token_revoked" });
    const fetched = await outcome(
      new CometChat.UsersRequestBuilder().setLimit(1).build().fetchNext(),
    );
    const loggedOut = await until(async () => !(await CometChat.getLoggedinUser()));
    await removeFaults(world);
    return { fetched, loggedOut };
  },
};

const isAcceptance = ({ way, frame }) =>
  way === "received" && frame.type === "auth" && frame.body.code === "200";
const isPong = ({ way, frame }) => way === "received" && frame.action === "pong";

const logIn = ({ CometChat, keys }) => outcome(CometChat.login(UID, keys.authKey), person);

const accepted = ({ sockets }, times) =>
  until(() => sockets.filter(isAcceptance).length >= times, 9_000);

async function refusedLogin(world, fault) {
  await addFault(world, fault);
  const login = await logIn(world);
  await removeFaults(world);
  return { login, user: await world.CometChat.getLoggedinUser() };
}

/** What becomes of the connection after a fault: how sockets ended, and whether one is back. */
async function lostSocket(world, fault) {
  const { sockets, CometChat } = world;
  const [from, before] = [sockets.length, sockets.filter(isAcceptance).length];
  await addFault(world, fault);
  const again = await accepted(world, before + 1);
  const closed = sockets.slice(from).filter(({ way }) => way === "closed");
  const codes = closed.map(({ code }) => code);
  await removeFaults(world);
  return { again, codes, status: CometChat.getConnectionStatus() };
}

const faultsOf = ({ urls, appId }) => `${urls.https}/_mock/faults?app=${appId}`;

const addFault = (world, fault) =>
  fetch(faultsOf(world), { method: "POST", body: JSON.stringify(fault) });

const removeFaults = (world) => fetch(faultsOf(world), { method: "DELETE" });

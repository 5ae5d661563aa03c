// What an app does with its SDK, step by step. Steps tell facts and never judge them: the
// assertions are in test_sdk.py. The same list runs in Node and in a browser page.

import { deleteTokens, mintToken, secondDevice } from "./other_side.mjs";
import { REGION, outcome, person, until, within } from "./world.mjs";

const UNKNOWN_UID = "nobody-of-that-name";

/** From the first start of an app to a session that is left open. */
export const STEPS = {
  init,

  async login_with_a_wrong_key({ CometChat }) {
    return outcome(CometChat.login("cometchat-uid-1", "no-such-key"), person);
  },

  async login_with_an_unknown_uid({ CometChat, keys }) {
    return outcome(CometChat.login(UNKNOWN_UID, keys.authKey), person);
  },

  async create_user({ CometChat, keys, freshUid }) {
    const user = new CometChat.User(freshUid);
    user.setName("Fresh User");
    const created = await outcome(CometChat.createUser(user, keys.authKey), person);
    const again = await outcome(CometChat.createUser(user, keys.authKey), person);
    return { asked: freshUid, created, again };
  },

  async login(world) {
    const connected = firstConnection(world.CometChat);
    const user = await signIn(world, "cometchat-uid-1");
    return { user: person(user), ...(await connection(world, connected)) };
  },

  async logged_in_user({ CometChat }) {
    return person(await CometChat.getLoggedinUser());
  },

  async login_again(world) {
    return person(await signIn(world, "cometchat-uid-1"));
  },

  async presence(world) {
    if (!world.traits.realtime) return { realtime: false };
    await acceptedOnTheSocket(world);
    const seen = listenToPresence(world.CometChat);
    const device = await secondDevice(world, "SUPERHERO2");
    const online = await within(5_000, "onUserOnline", seen.online);
    device.socket.close();
    const offline = await within(5_000, "onUserOffline", seen.offline);
    world.CometChat.removeUserListener("presence");
    return { answer: device.answer.body, online, offline };
  },

  async logout({ CometChat }) {
    const left = await outcome(CometChat.logout());
    return { left, user: await CometChat.getLoggedinUser() };
  },

  async two_logins_at_once(world) {
    const { CometChat, keys, freshUid } = world;
    const first = outcome(CometChat.login(freshUid, keys.authKey), person);
    const second = outcome(CometChat.login(freshUid, keys.authKey), person);
    const facts = { asked: freshUid, first: await first, second: await second };
    await CometChat.logout();
    return facts;
  },

  async login_by_auth_token(world) {
    const { CometChat } = world;
    const token = await mintToken(world, "cometchat-uid-2");
    const user = await outcome(CometChat.login(token), person);
    const sameToken = token === (await currentToken(CometChat));
    await CometChat.logout();
    return { user, sameToken };
  },

  async second_user(world) {
    const { CometChat } = world;
    const first = person(await signIn(world, "cometchat-uid-3"));
    if (!world.traits.changesUsers) await CometChat.logout();
    const second = person(await signIn(world, "SUPERHERO1"));
    const current = person(await CometChat.getLoggedinUser());
    await CometChat.logout();
    return { first, second, current };
  },

  async login_listener(world) {
    const { CometChat, keys } = world;
    const heard = listenToLogins(CometChat);
    await outcome(CometChat.login(UNKNOWN_UID, keys.authKey));
    await signIn(world, "cometchat-uid-4");
    await CometChat.logout();
    CometChat.removeLoginListener("logins");
    return { heard };
  },

  async session_left_open(world) {
    return person(await signIn(world, "cometchat-uid-1"));
  },
};

/** The same app started again, with what the SDK stored. */
export const STEPS_AFTER_RESTART = {
  init_again: init,

  async restored_session(world) {
    const { CometChat } = world;
    const user = person(await CometChat.getLoggedinUser());
    if (world.traits.realtime) await until(() => CometChat.getConnectionStatus() === "connected");
    const connection = CometChat.getConnectionStatus();
    const fetched = await outcome(fetchOneUser(CometChat), (list) => ({ users: list.length }));
    await CometChat.logout();
    return { user, connection, fetched };
  },
};

/** Two more starts, for up to 2.3.0 no login works in a page that was refused a dead token. */
export const STEPS_WITH_A_PAST_TOKEN = {
  init_once_more: init,

  async past_token(world) {
    const { CometChat } = world;
    await signIn(world, "cometchat-uid-1");
    const token = await currentToken(CometChat);
    await CometChat.logout();
    return outcome(CometChat.login(token), person);
  },
};

export const STEPS_WITH_A_DELETED_TOKEN = {
  init_a_last_time: init,

  async token_deleted_on_the_server(world) {
    const { CometChat } = world;
    const heard = listenToLogins(CometChat);
    await signIn(world, "cometchat-uid-5");
    await deleteTokens(world, "cometchat-uid-5");
    const fetched = await outcome(fetchOneUser(CometChat), (list) => ({ users: list.length }));
    const limit = world.traits.leaves ? 5_000 : 500;
    const loggedOut = await until(async () => !(await CometChat.getLoggedinUser()), limit);
    CometChat.removeLoginListener("logins");
    return { fetched, loggedOut, heard };
  },
};

export async function init({ CometChat, appId, override }) {
  const settings = CometChat.AppSettingsBuilder ? settingsOf(CometChat, override) : [];
  return outcome(CometChat.init(appId, ...settings), (answer) => ({ answer }));
}

/** The SDKs of 2018 and 2019 take no settings at all. */
function settingsOf(CometChat, override) {
  const settings = new CometChat.AppSettingsBuilder().subscribePresenceForAllUsers();
  settings.setRegion(REGION);
  if (override) settings.overrideAdminHost(override).overrideClientHost(override);
  return [settings.build()];
}

const fetchOneUser = (CometChat) =>
  new CometChat.UsersRequestBuilder().setLimit(1).build().fetchNext();

const signIn = ({ CometChat, keys }, uid) => CometChat.login(uid, keys.authKey);

const currentToken = async (CometChat) => (await CometChat.getLoggedinUser()).authToken;

function firstConnection(CometChat) {
  if (!CometChat.ConnectionListener) return null;
  return new Promise((resolve) => {
    const onConnected = () => resolve();
    CometChat.addConnectionListener("first", new CometChat.ConnectionListener({ onConnected }));
  });
}

async function connection({ CometChat, traits }, connected) {
  if (!connected) return {};
  if (traits.realtime) await within(5_000, "onConnected", connected);
  CometChat.removeConnectionListener("first");
  return { connection: CometChat.getConnectionStatus() };
}

/** The status `connected` only says that a socket is open; presence flows after the auth reply. */
function acceptedOnTheSocket({ sockets }) {
  return until(() => sockets.some(({ way, frame }) => way === "received" && frame.type === "auth"));
}

function listenToLogins(CometChat) {
  const heard = [];
  const listener = new CometChat.LoginListener({
    loginSuccess: (user) => heard.push(["loginSuccess", user.getUid()]),
    loginFailure: (error) => heard.push(["loginFailure", error.code]),
    logoutSuccess: () => heard.push(["logoutSuccess"]),
    logoutFailure: (error) => heard.push(["logoutFailure", error.code]),
  });
  CometChat.addLoginListener("logins", listener);
  return heard;
}

function listenToPresence(CometChat) {
  const seen = {};
  const handlers = {};
  seen.online = new Promise((resolve) => (handlers.onUserOnline = (u) => resolve(person(u))));
  seen.offline = new Promise((resolve) => (handlers.onUserOffline = (u) => resolve(person(u))));
  CometChat.addUserListener("presence", new CometChat.UserListener(handlers));
  return seen;
}

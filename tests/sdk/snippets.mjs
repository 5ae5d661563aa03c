// The JavaScript flows of the vendor's authentication pages, with the literals printed there.

import { init } from "./steps.mjs";
import { outcome, person } from "./world.mjs";

export const SNIPPETS = {
  init,

  async create_user({ CometChat }) {
    const user = new CometChat.User("user1");
    user.setName("Kevin");
    return outcome(CometChat.createUser(user, "AUTH_KEY"), person);
  },

  login_with_the_placeholder_uid: ({ CometChat }) => loginUnlessIn(CometChat, "UID", "AUTH_KEY"),

  login_with_the_placeholder_token: ({ CometChat }) => loginUnlessIn(CometChat, "AUTH_TOKEN"),

  async login_with_a_sample_user({ CometChat }) {
    const first = await loginUnlessIn(CometChat, "cometchat-uid-1", "AUTH_KEY");
    const again = await loginUnlessIn(CometChat, "cometchat-uid-1", "AUTH_KEY");
    return { first, again };
  },

  async logout({ CometChat }) {
    const answer = await outcome(CometChat.logout());
    return { answer, user: await CometChat.getLoggedinUser() };
  },

  async login_with_the_created_user({ CometChat }) {
    const facts = await loginUnlessIn(CometChat, "user1", "AUTH_KEY");
    await CometChat.logout();
    return facts;
  },

  async login_listener({ CometChat }) {
    const heard = [];
    const listener = new CometChat.LoginListener({
      loginSuccess: (user) => heard.push(["loginSuccess", user.getUid()]),
      loginFailure: (error) => heard.push(["loginFailure", error.code]),
      logoutSuccess: () => heard.push(["logoutSuccess"]),
      logoutFailure: (error) => heard.push(["logoutFailure", error.code]),
    });
    CometChat.addLoginListener("UNIQUE_LISTENER_ID", listener);
    await loginUnlessIn(CometChat, "AUTH_TOKEN");
    await loginUnlessIn(CometChat, "cometchat-uid-1", "AUTH_KEY");
    await CometChat.logout();
    CometChat.removeLoginListener("UNIQUE_LISTENER_ID");
    await loginUnlessIn(CometChat, "cometchat-uid-1", "AUTH_KEY");
    return { heard };
  },
};

/** Every page asks for an existing session before it logs in. */
async function loginUnlessIn(CometChat, ...credentials) {
  const user = await CometChat.getLoggedinUser();
  if (user) return { alreadyIn: user.getUid() };
  return outcome(CometChat.login(...credentials), person);
}

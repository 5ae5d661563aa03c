// Logs a user in by the chat SDK and shows who is logged in: `npm start cometchat-uid-1`.
import "./browser.mjs";

import { pathToFileURL } from "node:url";

import chatSdk from "@cometchat/chat-sdk-javascript";

const { CometChat } = chatSdk; // a CommonJS module, whose names Node cannot see
const { env } = process;

/** Prepares the SDK; without MOCKCHAT_HTTPS_URL it speaks to the live service. */
export async function start() {
  const settings = new CometChat.AppSettingsBuilder().setRegion(env.MOCKCHAT_REGION ?? "us");
  if (env.MOCKCHAT_HTTPS_URL) {
    const host = `${new URL(env.MOCKCHAT_HTTPS_URL).host}/v3.0`;
    settings.overrideAdminHost(host).overrideClientHost(host);
  }
  await CometChat.init(env.MOCKCHAT_APP_ID ?? "APP_ID", settings.build());
}

/** Resolves to what the app shows, be it the reason why nobody is logged in. */
export async function logIn(uid) {
  try {
    await CometChat.login(uid, env.MOCKCHAT_AUTH_KEY ?? "AUTH_KEY");
  } catch (error) {
    return `Login failed: ${error.code}`;
  }
  return whoIsThere();
}

export async function logOut() {
  await CometChat.logout();
  return whoIsThere();
}

export async function whoIsThere() {
  const user = await CometChat.getLoggedinUser();
  return user ? `${user.getName()} is logged in` : "Nobody is logged in";
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await start();
  console.log(await logIn(process.argv[2]));
  process.exit(); // the SDK keeps its WebSocket open
}

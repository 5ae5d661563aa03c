// The other parties of a login: the customer's back end with its REST API key, and a second
// device that speaks the wire protocol by itself. Both know nothing of the SDK under test.

import { within } from "./world.mjs";

const ANSWER_LIMIT = 5_000;

async function ask(world, method, url, headers, body) {
  const response = await fetch(url, {
    method,
    headers: { appId: world.appId, "content-type": "application/json", ...headers },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error.message), answer.error);
  return answer.data;
}

const asBackend = (world) => ({ apikey: world.keys.restApiKey });
const tokensOf = (world, uid) => `${world.adminUrl}/users/${uid}/auth_tokens`;

export const mintToken = async (world, uid) =>
  (await ask(world, "POST", tokensOf(world, uid), asBackend(world), { force: true })).authToken;

export const deleteTokens = (world, uid) =>
  ask(world, "DELETE", tokensOf(world, uid), asBackend(world));

/** Logs `uid` in on a second device and returns its authenticated socket. */
export async function secondDevice(world, uid) {
  const authToken = await mintToken(world, uid);
  const deviceId = `second-device-${uid}`;
  const me = await ask(world, "PUT", `${world.clientUrl}/me`, { authToken }, { deviceId });
  const { CHAT_HOST, CHAT_WSS_PORT } = me.settings;
  const socket = new WebSocket(`wss://${CHAT_HOST}:${CHAT_WSS_PORT}/`);
  const answered = firstFrame(socket);
  socket.onopen = () => socket.send(JSON.stringify(authFrame(world, me, deviceId)));
  return { socket, answer: await within(ANSWER_LIMIT, "second device", answered) };
}

function authFrame(world, me, deviceId) {
  const params = { platform: "javascript", userAgent: "second device", deviceId, appInfo: {} };
  return {
    appId: world.appId,
    type: "auth",
    sender: me.uid,
    deviceId,
    body: { auth: me.jwt, deviceId, params },
  };
}

function firstFrame(socket) {
  return new Promise((resolve, reject) => {
    socket.onmessage = (event) => resolve(JSON.parse(event.data));
    socket.onclose = (event) => reject(new Error(`socket closed with ${event.code}`));
    socket.onerror = () => reject(new Error("socket refused"));
  });
}

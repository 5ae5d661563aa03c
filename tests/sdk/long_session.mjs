// What an SDK does by itself in a session that lasts: pings, telemetry, reconnecting. It is run
// with a hurried clock (node_environment.mjs), for the first ping falls due after 15 seconds.

import { init } from "./steps.mjs";
import { person, until } from "./world.mjs";

export const LONG_SESSION = {
  init,

  async login({ CometChat, keys }) {
    return person(await CometChat.login("cometchat-uid-1", keys.authKey));
  },

  async pings({ CometChat, sockets }) {
    await until(() => count(sockets, isPong) >= 3);
    const closed = count(sockets, ({ way }) => way === "closed");
    const ping = sockets.find(isPing)?.frame;
    return { ping, pongs: count(sockets, isPong), closed, status: CometChat.getConnectionStatus() };
  },

  /** Due 5 seconds after a login, so long past when three pings were answered. */
  async telemetry({ fetches }) {
    return { reports: fetches.filter(({ path }) => path.endsWith("/user_sessions")) };
  },

  async reconnecting({ CometChat, sockets }) {
    const before = count(sockets, isAcceptance);
    sockets.latest.close(4000, "a lost network");
    const again = await until(() => count(sockets, isAcceptance) > before);
    return { again, status: CometChat.getConnectionStatus() };
  },
};

const count = (log, wanted) => log.filter(wanted).length;
const isPing = ({ way, frame }) => way === "sent" && frame.action === "ping";
const isPong = ({ way, frame }) => way === "received" && frame.action === "pong";
const isAcceptance = ({ way, frame }) => way === "received" && frame.type === "auth";

// Everything of an SDK that promises something, called at once: every request builder and every
// method in a table. What a version lacks is left out. What counts is that all of it settles.

import { init } from "./steps.mjs";
import { refusal, until, within } from "./world.mjs";

const LIMIT = 8_000;
const USER = "cometchat-uid-2";
const GROUP = "a-group";
const MESSAGE = "1";
const BUILDER = /RequestBuilder$/;
// What a JavaScript engine says of a mistake, rather than a server of a refusal.
const MISTAKES = /^(Type|Reference|Range|Syntax)Error|Cannot read|is not a function|is undefined/;

const MESSAGES = "MessagesRequestBuilder";
/** What a builder is made with and then given, by its name. */
const BUILT_FROM = {
  BannedMembersRequestBuilder: { made: [GROUP] },
  GroupMembersRequestBuilder: { made: [GROUP] },
  ReactionsRequestBuilder: { given: { setMessageId: MESSAGE } },
};
const SHAPES_OF_MESSAGES = {
  user: { setUID: USER },
  group: { setGUID: GROUP },
  thread: { setUID: USER, setParentMessageId: MESSAGE },
  search: { setUID: USER, setSearchKeyword: "hello" },
  unread: { setUID: USER, setUnread: true },
  updates: { setUID: USER, setUpdatedAfter: 1_700_000_000 },
  next: { setUID: USER, setMessageId: MESSAGE },
};

const textMessage = (CometChat) => new CometChat.TextMessage(USER, "hello", "user");
const sent = (CometChat) => {
  const message = textMessage(CometChat);
  message.setId(MESSAGE);
  message.setSender(new CometChat.User(USER));
  const sender = { entity: { uid: USER, name: "George Alan" }, entityType: "user" };
  message.data = { ...message.data, entities: { sender } }; // where some versions look for it
  return message;
};
const customMessage = (CometChat) => new CometChat.CustomMessage(USER, "user", "kind", { a: 1 });
const mediaMessage = (CometChat) => {
  const file = new File(["hello"], "hello.txt", { type: "text/plain" });
  return new CometChat.MediaMessage(USER, file, "file", "user");
};
const interactiveMessage = (CometChat) =>
  new CometChat.InteractiveMessage(USER, "user", "form", { title: "hello" });
const group = (CometChat) => new CometChat.Group(GROUP, "A group", "public", "");
const member = (CometChat) => new CometChat.GroupMember(USER, "participant");
const self = (CometChat) => {
  const user = new CometChat.User("cometchat-uid-4");
  user.setName("Susan Marie");
  return user;
};
const call = (CometChat) => new CometChat.Call(USER, "audio", "user");
const feedItem = (CometChat) => new CometChat.NotificationFeedItem({ id: MESSAGE });
const push = (CometChat) => new CometChat.PushNotification({ id: MESSAGE });

const nothing = () => [];
const given = (...values) => () => values;
const [ofUser, ofGroup] = [given(USER, "user"), given(GROUP, "group")];
const ofMessage = given(MESSAGE);

/** Methods by name, each with the argument lists that it is called with. */
const METHODS = {
  getUser: [given(USER)],
  updateCurrentUserDetails: [(CometChat) => [self(CometChat)]],
  updateUser: [(CometChat, keys) => [self(CometChat), keys.authKey]],
  blockUsers: [given([USER])],
  unblockUsers: [given([USER])],
  getOnlineUserCount: [nothing], // by override of port 443, whatever the port is
  getOnlineGroupMemberCount: [given([GROUP])],
  getLoggedInUser: [nothing],
  getLoggedinUser: [nothing],
  updateJWT: [nothing],
  getAppSettings: [nothing],
  getConversationUpdateSettings: [nothing],
  isExtensionEnabled: [given("polls")],
  getExtensionDetails: [given("polls")],
  isFeatureEnabled: [given("core.chat")],
  isAIFeatureEnabled: [given("smart-replies")],
  getGroup: [given(GROUP)],
  createGroup: [(CometChat) => [group(CometChat)]],
  createGroupWithMembers: [(CometChat) => [group(CometChat), [member(CometChat)], []]],
  updateGroup: [(CometChat) => [group(CometChat)]],
  deleteGroup: [given(GROUP)],
  joinGroup: [given(GROUP, "public", "")],
  leaveGroup: [given(GROUP)],
  addMembersToGroup: [(CometChat) => [GROUP, [member(CometChat)], []]],
  updateGroupMemberScope: [given(GROUP, USER, "participant")],
  kickGroupMember: [given(GROUP, USER)],
  banGroupMember: [given(GROUP, USER)],
  unbanGroupMember: [given(GROUP, USER)],
  transferGroupOwnership: [given(GROUP, USER)],
  sendMessage: [textMessage, customMessage, mediaMessage].map((make) => (CometChat) => [
    make(CometChat),
  ]),
  sendCustomMessage: [(CometChat) => [customMessage(CometChat)]],
  sendMediaMessage: [(CometChat) => [mediaMessage(CometChat)]],
  sendDirectMessage: [(CometChat) => [textMessage(CometChat)]],
  sendGroupMessage: [(CometChat) => [new CometChat.TextMessage(GROUP, "hello", "group")]],
  sendInteractiveMessage: [(CometChat) => [interactiveMessage(CometChat)]],
  editMessage: [(CometChat) => [sent(CometChat)]],
  deleteMessage: [ofMessage],
  flagMessage: [given(MESSAGE, { reasonId: "spam", remark: "" })],
  getFlagReasons: [nothing],
  getMessageDetails: [ofMessage],
  getMessageReceipts: [ofMessage],
  getLastDeliveredMessageId: [nothing],
  getMaxAttachmentCount: [nothing],
  markAsInteracted: [given(MESSAGE, "button")],
  markAsUnread: [(CometChat) => [sent(CometChat)]],
  markMessageAsUnread: [(CometChat) => [sent(CometChat)]],
  markAsRead: [(CometChat) => [sent(CometChat)]],
  markAsDelivered: [(CometChat) => [sent(CometChat)]],
  addReaction: [given(MESSAGE, "👍")],
  removeReaction: [given(MESSAGE, "👍")],
  subscribeToThread: [given(1)],
  unsubscribeFromThread: [given(1)],
  pinMessage: [ofMessage],
  unpinMessage: [ofMessage],
  saveMessage: [ofMessage],
  unsaveMessage: [ofMessage],
  isPinMessageEnabled: [nothing],
  isPinConversationEnabled: [nothing],
  isSaveMessageEnabled: [nothing],
  getPinnedMessagesLimit: [nothing],
  getPinnedConversationsLimit: [nothing],
  getSavedMessagesLimit: [nothing],
  getSystemPinnedMessagesLimit: [nothing],
  getSystemPinnedConversationsLimit: [nothing],
  getConversation: [ofUser, ofGroup],
  tagConversation: [given(USER, "user", ["a"])],
  pinConversation: [ofUser, ofGroup],
  unpinConversation: [ofUser, ofGroup],
  deleteConversation: [ofUser, ofGroup],
  markConversationAsRead: [ofUser, ofGroup],
  markConversationAsDelivered: [ofUser, ofGroup],
  getUnreadMessageCount: [nothing],
  getUnreadMessageCountForAllUsers: [nothing],
  getUnreadMessageCountForAllGroups: [nothing],
  getUnreadMessageCountForUser: [given(USER)],
  getUnreadMessageCountForGroup: [given(GROUP)],
  initiateCall: [(CometChat) => [call(CometChat)]],
  acceptCall: [given("session")],
  rejectCall: [given("session", "rejected")],
  endCall: [given("session")],
  sendUnansweredResponse: [given("session")],
  getSmartReplies: [given(USER, "user")],
  getConversationStarter: [ofUser, ofGroup],
  getConversationSummary: [ofUser, ofGroup],
  askBot: [given(USER, "user", "bot", "why?")],
  registerTokenForPushNotification: [given("push-token", {})],
  getNotificationFeedUnreadCount: [nothing],
  getNotificationFeedItem: [ofMessage],
  markFeedItemAsRead: [(CometChat) => [feedItem(CometChat)]],
  markFeedItemAsDelivered: [(CometChat) => [feedItem(CometChat)]],
  markFeedItemsAsDelivered: [(CometChat) => [[feedItem(CometChat)]]],
  reportFeedEngagement: [(CometChat) => [feedItem(CometChat), "seen"]],
  markPushNotificationClicked: [(CometChat) => [push(CometChat)]],
  markPushNotificationDelivered: [(CometChat) => [push(CometChat)]],
};

const conversation = { id: USER, type: "oneOnOne" };
const NOTIFICATIONS = {
  fetchPreferences: [nothing],
  fetchPushPreferences: [nothing],
  updatePreferences: [(all) => [new all.NotificationPreferences()]],
  updatePushPreferences: [(all) => [new all.PushPreferences()]],
  resetPreferences: [nothing],
  resetPushPreferences: [nothing],
  unregisterPushToken: [nothing],
  registerPushToken: [(all) => ["push-token", Object.values(all.PushPlatforms)[0]]],
  getMutedConversations: [nothing],
  muteConversations: [given([{ ...conversation, until: 1_800_000_000_000 }])],
  unmuteConversations: [given([conversation])],
  getTimezone: [nothing],
  updateTimezone: [given("Europe/Berlin")],
};

export const STEPS_OF_PROMISES = {
  init_for_promises: init,

  async promises(world) {
    const { CometChat, notifications, keys, fetches, traits } = world;
    await CometChat.login("cometchat-uid-4", keys.authKey);
    const isLive = () => CometChat.getConnectionStatus() === "connected"; // for the receipts
    if (traits.realtime) await until(isLive);
    const methods = { ...METHODS };
    if (!traits.pushes) delete methods.registerTokenForPushNotification;
    const before = fetches.length;
    const started = [
      ...Object.entries(requestsOf(CometChat)),
      ...Object.entries(callsOf(methods, CometChat, keys)),
      ...(notifications ? Object.entries(callsOf(NOTIFICATIONS, notifications, keys)) : []),
    ].map(([name, start]) => settled(name, start));
    const facts = told(await Promise.all(started));
    fetches.splice(before); // most of it is refused by name, which is what is to be
    await CometChat.logout();
    return facts;
  },
};

/** Every request that a builder of this version builds, by name, in every direction. */
function requestsOf(CometChat) {
  const builders = Object.getOwnPropertyNames(CometChat).filter((name) => BUILDER.test(name));
  const requests = {};
  const add = (label, builder, { made = [], given = {} } = {}) => {
    const build = () => {
      const started = new CometChat[builder](...made).setLimit(10);
      for (const [setter, value] of Object.entries(given)) started[setter](value);
      return started.build();
    };
    for (const direction of ["fetchNext", "fetchPrevious"]) {
      requests[`${label}.${direction}`] = () => build()[direction]?.();
    }
  };
  for (const builder of builders) {
    if (builder !== MESSAGES) add(builder, builder, BUILT_FROM[builder]);
  }
  for (const [shape, values] of Object.entries(SHAPES_OF_MESSAGES)) {
    add(`${MESSAGES}(${shape})`, MESSAGES, { given: values });
  }
  return requests;
}

/** Every call of a table that an object has the method for, by name. */
function callsOf(table, owner, keys) {
  const calls = {};
  for (const [name, lists] of Object.entries(table)) {
    if (typeof owner[name] !== "function") continue;
    lists.forEach((list, at) => {
      calls[at ? `${name}#${at + 1}` : name] = () => owner[name](...list(owner, keys));
    });
  }
  return calls;
}

/** How a call ended: whether it was `called`, and then `hung`, `refused` or `thrown`. */
async function settled(name, start) {
  let promise;
  try {
    promise = start();
  } catch (error) {
    return { name, thrown: refusal(error) };
  }
  if (typeof promise?.then !== "function") return { name };
  const ended = promise.then(
    () => ({ name, called: true }),
    (error) => ({ name, called: true, ...mistakeIn(error), refused: codeOf(error) }),
  );
  return within(LIMIT, name, ended).catch(() => ({ name, hung: true }));
}

function mistakeIn(error) {
  const { name, message, code } = refusal(error);
  const text = [name, message, code, error?.stack].map(String);
  return text.some((one) => MISTAKES.test(one)) ? { thrown: { name, message } } : {};
}

const codeOf = (error) => String(error?.code ?? error?.error?.code ?? refusal(error).message);

const told = (ends) => ({
  called: ends.filter(({ called }) => called).length,
  hung: ends.filter(({ hung }) => hung).map(({ name }) => name),
  thrown: ends.filter(({ thrown }) => thrown),
  refused: Object.fromEntries(
    ends.filter(({ refused }) => refused).map(({ name, refused }) => [name, refused]),
  ),
});

// What both React kits have in common: the names of their components.

import { CometChat } from "@cometchat/chat-sdk-javascript";
import { createElement } from "react";
import { createRoot } from "react-dom/client";

/** Logs in and shows the screens; `around` is what a kit wants around them. */
export async function showKit(kit, settings, place, around) {
  await kit.CometChatUIKit.init(settings);
  await kit.CometChatUIKit.login("cometchat-uid-1");
  const user = await CometChat.getUser("cometchat-uid-2");
  const screens = {
    conversations: [kit.CometChatConversations],
    users: [kit.CometChatUsers],
    groups: [kit.CometChatGroups],
    chat: [kit.CometChatMessageHeader, kit.CometChatMessageList, kit.CometChatMessageComposer],
    feed: [kit.CometChatNotificationFeed],
    calls: [kit.CometChatCallLogs],
  };
  const panes = Object.entries(screens).map(([id, parts]) =>
    createElement(
      "section",
      { key: id, id },
      parts.map((part, key) => createElement(part, id === "chat" ? { key, user } : { key })),
    ),
  );
  createRoot(place).render(around ? createElement(around, { locale: "en" }, panes) : panes);
}

// The Vue kit has no notification feed.

import * as kit from "@cometchat/chat-uikit-vue";
import "@cometchat/chat-uikit-vue/dist/style.css";
import { CometChat } from "@cometchat/chat-sdk-javascript";
import { createApp, h } from "vue";

export async function show(configured, place) {
  await kit.CometChatUIKit.init(configured(new kit.UIKitSettingsBuilder()).build());
  await kit.CometChatUIKit.login("cometchat-uid-1");
  const user = await CometChat.getUser("cometchat-uid-2");
  const screens = {
    conversations: [kit.CometChatConversations],
    users: [kit.CometChatUsers],
    groups: [kit.CometChatGroups],
    chat: [kit.CometChatMessages],
    calls: [kit.CometChatCallLogs],
  };
  const panes = Object.entries(screens).map(([id, parts]) =>
    h("section", { id }, parts.map((part) => h(part, id === "chat" ? { user } : {}))),
  );
  createApp({ render: () => panes }).mount(place);
}

// The smallest app of the React UI Kit: it logs in and shows two lists. The address says where the
// mock is and in which app:  /?appId=…&host=HOST:PORT/v3.0

import {
  CometChatConversations,
  CometChatProvider,
  CometChatUIKit,
  CometChatUsers,
  UIKitSettingsBuilder,
} from "@cometchat/chat-uikit-react";
import "@cometchat/chat-uikit-react/styles";
import { createElement } from "react";
import { createRoot } from "react-dom/client";

const asked = new URLSearchParams(window.location.search);

const settings = new UIKitSettingsBuilder()
  .setAppId(asked.get("appId"))
  .setRegion("us")
  .setAuthKey("AUTH_KEY")
  .setAdminHost(asked.get("host"))
  .setClientHost(asked.get("host"))
  .subscribePresenceForAllUsers()
  .build();

const list = (id, component) =>
  createElement("div", { key: id, id, className: "list" }, createElement(component));

await CometChatUIKit.init(settings);
await CometChatUIKit.login("cometchat-uid-1");
const lists = [list("conversations", CometChatConversations), list("users", CometChatUsers)];
createRoot(document.querySelector("#app")).render(
  createElement(CometChatProvider, { locale: "en" }, lists),
);

import * as kit from "@cometchat/chat-uikit-react";
import "@cometchat/chat-uikit-react/styles";

import { CometChatCalls } from "@cometchat/calls-sdk-javascript";

import { showKit } from "./react.js";

export const show = (configured, place, appId) => {
  const calls = new CometChatCalls.CallAppSettingsBuilder().setAppId(appId).setRegion("us").build();
  const settings = configured(new kit.UIKitSettingsBuilder())
    .setCallingEnabled(true)
    .setCallAppSettings(calls)
    .build();
  return showKit(kit, settings, place, kit.CometChatProvider);
};

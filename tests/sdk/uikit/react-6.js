import * as kit from "@cometchat/chat-uikit-react-6";
import "@cometchat/chat-uikit-react-6/css-variables.css";

import { showKit } from "./react.js";

export const show = (configured, place) =>
  showKit(kit, configured(new kit.UIKitSettingsBuilder()).build(), place);

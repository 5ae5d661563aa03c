// The React Native SDK in plain Node, as `mockchat-kit/react-native` lets it: node native.mjs FOLDER
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

import { start } from "mockchat-kit";

const [folder] = process.argv.slice(2);
const { stubNativeModules } = await import(pathToFileURL(`${folder}/native_stubs.mjs`));
const require = createRequire(`${folder}/`);
stubNativeModules();

await start();
await import("mockchat-kit/react-native");
globalThis.WebSocket ??= require("ws").WebSocket; // Node 20 has none
const { CometChat } = require("native-4.0.21");
const host = `${new URL(process.env.MOCKCHAT_HTTPS_URL).host}/v3.0`;
const settings = new CometChat.AppSettingsBuilder().setRegion("us");
await CometChat.init("APP_ID", settings.overrideAdminHost(host).overrideClientHost(host).build());
const user = await CometChat.login("cometchat-uid-1", "AUTH_KEY");
console.log(`${user.getName()} is logged in`);
process.exit();

// An app that logs in by the chat SDK with nothing but what `mockchat exec` has put into its
// environment:  mockchat exec -- node exec_login.mjs UID
// It prints the user; without one it ends with 3 and the SDK's code on stderr.

import { createRequire } from "node:module";

import { becomeBrowserLike } from "./node_environment.mjs";
import { packageNamed } from "./packages.mjs";

const { env } = process;

becomeBrowserLike();
const { CometChat } = createRequire(import.meta.url)(packageNamed("chat-4.2.0").bundle);

const host = `${new URL(env.MOCKCHAT_HTTPS_URL).host}/v3.0`;
const settings = new CometChat.AppSettingsBuilder()
  .setRegion(env.MOCKCHAT_REGION)
  .overrideAdminHost(host)
  .overrideClientHost(host)
  .build();

try {
  await CometChat.init(env.MOCKCHAT_APP_ID, settings);
  const user = await CometChat.login(process.argv[2], env.MOCKCHAT_AUTH_KEY);
  const facts = { uid: user.getUid(), name: user.getName(), hasToken: !!user.getAuthToken() };
  process.stdout.write(JSON.stringify(facts), () => process.exit(0));
} catch (error) {
  process.stderr.write(`refused: ${error.code}\n`, () => process.exit(3));
}

// What an app does with version 4 of the Calls SDKs before there is any media. It brings an auth
// token from elsewhere; the SDK is given the mock's whole base URL, so plain HTTP serves as well.

import { mintToken } from "./other_side.mjs";
import { REGION, outcome } from "./world.mjs";

const SESSION = "a-session";
const DEAD_TOKEN = "cometchat-uid-1_1700000000000000000000000000000000000000";

const sdk = ({ CometChat }) => CometChat.CometChatCalls;

const settings = (world, appId = world.appId, region = REGION) =>
  new (sdk(world).CallAppSettingsBuilder)().setAppId(appId).setRegion(region);

/** The steps over one scheme, `http` or `https`. */
export const callsBy = (scheme) => ({
  async refused_settings(world) {
    const init = (given) => outcome(sdk(world).init(given));
    return {
      none: await init({}),
      no_app: await init(settings(world, "").build()),
      no_region: await init(settings(world, world.appId, "nowhere").build()),
    };
  },

  async init(world) {
    const host = `${world.urls[scheme]}/v3.0/`;
    return outcome(sdk(world).init(settings(world).setHost(host).build()));
  },

  async generate_token(world) {
    const authToken = await mintToken(world, "cometchat-uid-1");
    const answer = await outcome(sdk(world).generateToken(SESSION, authToken), (told) => told);
    return { answer, verified: await verified(`${world.urls[scheme]}/v3.0`, answer.token) };
  },

  async generate_token_with_a_dead_token(world) {
    return outcome(sdk(world).generateToken(SESSION, DEAD_TOKEN));
  },

  async generate_token_without_a_session(world) {
    const authToken = await mintToken(world, "cometchat-uid-1");
    return outcome(sdk(world).generateToken("", authToken));
  },
});

/** As the SDK asks when a session starts, which needs a media server to go on from there. */
async function verified(base, callToken) {
  const headers = { Accept: "application/json", callToken };
  const response = await fetch(`${base}/call_tokens`, { headers });
  return response.json();
}

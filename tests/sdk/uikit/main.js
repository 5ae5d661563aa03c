// The smallest app of a UI Kit: it logs in and shows the kit's screens side by side. The address
// says which kit, which app and, for the SDK's host options, where the mock is:
//   /?kit=react-7&appId=…[&host=HOST:PORT/v3.0]

const KITS = {
  "react-7": () => import("./react-7.js"),
  "react-6": () => import("./react-6.js"),
  vue: () => import("./vue.js"),
};
const asked = new URLSearchParams(window.location.search);

/** Fills in the settings of any kit. */
function configured(builder) {
  builder.setAppId?.(asked.get("appId"));
  builder.setRegion("us").setAuthKey("AUTH_KEY").subscribePresenceForAllUsers();
  const host = asked.get("host");
  if (host) builder.setAdminHost(host).setClientHost(host);
  return builder;
}

const { show } = await KITS[asked.get("kit")]();
await show(configured, document.querySelector("#app"), asked.get("appId"));

// Cypress: its proxy looks the live names up here, and mockchat has to listen on port 443 (publish
// `443:8443`, or MOCKCHAT_HTTPS_PORT=443). The proxy takes any certificate of a server, so no
// CA is to be trusted. Cypress could not be run where this was written: try it before you rely on it.
const app = process.env.CHAT_APP_ID ?? "testapp";
const mockchat = process.env.MOCKCHAT_ADDRESS ?? "127.0.0.1";
const services = ["api", "apiclient", "call", "websocket", "metrics"];

export default {
  e2e: {
    baseUrl: "http://localhost:3000",
    hosts: Object.fromEntries(
      services.map((service) => [`${app}.${service}-us.cometchat.io`, mockchat]),
    ),
  },
};

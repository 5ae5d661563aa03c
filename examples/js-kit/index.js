export { connect, MockChatError } from "./client.js";
export { start } from "./server.js";

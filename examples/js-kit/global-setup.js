// Vitest and Jest: `globalSetup`. Both call the function; Vitest calls what it returns at the end.
import { start } from "./server.js";

export default () => start();

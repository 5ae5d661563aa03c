// Vitest: `setupFiles`, for the environments happy-dom and jsdom.
import { acceptForeignEvents, trustCa, withoutReferrer } from "./cures.js";

trustCa();
globalThis.fetch = withoutReferrer(globalThis.fetch);
acceptForeignEvents();

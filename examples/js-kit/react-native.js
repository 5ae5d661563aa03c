// The React Native SDK in Node: Vitest's `setupFiles`, environment `node`. Replace the native modules
// (`react-native`, the storage) by mocks of your own, as in every test of a native app.
import "./setup.js";

globalThis.window ??= globalThis;
globalThis.navigator ??= { product: "ReactNative", userAgent: "node" };
globalThis.__DEV__ ??= false;

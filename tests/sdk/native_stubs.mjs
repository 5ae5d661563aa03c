// Stands in for the native modules that the React Native packages require. Of these only the
// storage takes part in a login, so it alone does something.

import Module from "node:module";

/** Whatever has no part in a login: callable, constructible, and so is every member. */
const inert = new Proxy(class {}, {
  get(target, key) {
    if (key === Symbol.toPrimitive) return () => 0;
    if (key === "then") return undefined; // not a promise, so that it can be awaited
    return key in target ? target[key] : inert;
  },
  apply: () => inert,
  construct: (_, __, made) => (made === inert ? inert : Reflect.construct(Object, [], made)),
});

const stored = new Map();
const storage = {
  getItem: async (key) => stored.get(key) ?? null,
  setItem: async (key, value) => void stored.set(key, String(value)),
  removeItem: async (key) => void stored.delete(key),
  getAllKeys: async () => [...stored.keys()],
  multiRemove: async (keys) => keys.forEach((key) => stored.delete(key)),
  clear: async () => stored.clear(),
};

/** A module of which only these members do something. */
const partly = (own) => new Proxy(own, { get: (_, key) => own[key] ?? inert });

const reactNative = {
  Platform: { OS: "android", Version: 34, select: ({ android }) => android },
  Dimensions: { get: () => ({ width: 390, height: 844 }), addEventListener: () => inert },
  AppState: { currentState: "active", addEventListener: () => ({ remove() {} }) },
};

const STUBS = {
  "@react-native-async-storage/async-storage": { default: storage, ...storage },
  "@react-native-community/netinfo": inert,
  react: inert,
  "react-native": partly(reactNative),
  "react-native-background-timer": inert,
  "react-native-callstats/callstats": inert,
  "react-native-callstats/csio-polyfill": inert,
  "react-native-webrtc": partly({ permissions: { query: async () => "denied" } }),
};

export function stubNativeModules() {
  const load = Module._load;
  Module._load = (request, ...rest) => STUBS[request] ?? load(request, ...rest);
}

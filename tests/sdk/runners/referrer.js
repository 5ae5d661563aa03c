// One of the kit's cures alone.
const { fetch } = globalThis;
globalThis.fetch = (url, { referrer, ...options } = {}) => fetch(url, options);

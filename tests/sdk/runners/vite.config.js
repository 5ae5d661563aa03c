// The app also answers by a made-up host; a page of another origin cannot reach Vite's own socket.
export default { server: { host: "127.0.0.1", allowedHosts: true, hmr: false } };

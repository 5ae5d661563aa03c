// Listens in on an environment's WebSockets and fetches, so that steps can wait for what an SDK
// tells nobody (its login was accepted on the socket) and tell what went over the wire.

/** The log is a list of frames and closings; its `latest` is the socket opened last. */
export function tapSockets(environment) {
  const log = [];
  environment.WebSocket = class extends environment.WebSocket {
    constructor(...args) {
      super(...args);
      log.latest = this;
      const { host } = new URL(this.url);
      this.addEventListener("message", (event) => note(log, "received", host, event.data));
      this.addEventListener("close", ({ code, reason }) => {
        log.push({ way: "closed", host, code, reason });
      });
    }

    send(data) {
      note(log, "sent", new URL(this.url).host, data);
      super.send(data);
    }
  };
  return log;
}

export function tapFetches(environment) {
  const log = [];
  const { fetch } = environment;
  environment.fetch = async (url, options) => {
    const response = await fetch(url, options);
    const { host, pathname: path } = new URL(url);
    log.push({ method: options?.method ?? "GET", host, path, status: response.status });
    return response;
  };
  return log;
}

/** What a promise that nobody waits for was rejected with: a server's code, or a mistake. */
export const rejected = (reason) => String(reason?.error?.code ?? reason?.code ?? reason);

function note(log, way, host, data) {
  log.push({ way, host, frame: parsed(data) });
}

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    return String(data);
  }
}

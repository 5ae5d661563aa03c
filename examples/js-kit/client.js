// The control client: what a test asks of mockchat, for the app of its worker.
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

const { env } = process;
const PATIENCE = "5s";
const PAGE = 1000;

/**
 * Return the client of the worker's app; `appId` names another app, null means all apps.
 * What is not given comes from the variables that `mockchat exec` sets.
 */
export function connect(given = {}) {
  const url = given.url ?? env.MOCKCHAT_URL ?? "http://127.0.0.1:8080";
  return new MockChat({
    url,
    httpsUrl: given.httpsUrl ?? env.MOCKCHAT_HTTPS_URL ?? besides(url),
    appId: given.appId === undefined ? workerApp() : given.appId,
    region: given.region ?? env.MOCKCHAT_REGION ?? "us",
    authKey: given.authKey ?? env.MOCKCHAT_AUTH_KEY ?? "AUTH_KEY",
    restApiKey: given.restApiKey ?? env.MOCKCHAT_REST_API_KEY ?? "REST_API_KEY",
    controlToken: given.controlToken ?? env.MOCKCHAT_CONTROL_TOKEN,
  });
}

/** Return the id of the worker's app: workers that run side by side share no app. */
function workerApp() {
  const worker = env.VITEST_POOL_ID ?? env.JEST_WORKER_ID ?? env.TEST_PARALLEL_INDEX;
  const base = env.MOCKCHAT_APP_ID ?? "APP_ID";
  return worker === undefined ? base : `${base}-w${worker}`;
}

/** Return the default HTTPS address of a server whose HTTP address is known. */
function besides(url) {
  return `https://${new URL(url).hostname}:8443`;
}

/** A refusal of mockchat, or of a test's expectation; `code` and `status` are the answer's. */
export class MockChatError extends Error {
  constructor(message, { code, status } = {}) {
    super(message);
    Object.assign(this, { name: "MockChatError", code, status });
  }
}

class MockChat {
  constructor(facts) {
    Object.assign(this, facts);
    this.journal = new Journal(this);
    this.clock = new Clock(this);
  }

  /** Host, port and API version: the value of `overrideAdminHost` and `overrideClientHost`. */
  get host() {
    return `${new URL(this.httpsUrl).host}/v3.0`;
  }

  /** The app's base URL for back ends, by HTTP. */
  get apiUrl() {
    return `${this.url}${this.appId ? `/apps/${this.appId}` : ""}/v3`;
  }

  // --- users and tokens -----------------------------------------------------------------------
  async createUser(uid, fields = {}) {
    return this.#api("POST", "/users", { uid, name: uid, ...fields });
  }

  async deleteUser(uid, { permanent = true } = {}) {
    await this.#api("DELETE", `/users/${encodeURIComponent(uid)}`, { permanent });
  }

  async users() {
    const found = [];
    for (let page = 1; ; page += 1) {
      const some = await this.#api("GET", `/users?perPage=${PAGE}&page=${page}`);
      found.push(...some);
      if (some.length < PAGE) return found;
    }
  }

  async issueToken(uid, { force = false } = {}) {
    const row = await this.#api("POST", `/users/${encodeURIComponent(uid)}/auth_tokens`, { force });
    return row.authToken;
  }

  async revokeTokens(uid) {
    await this.#api("DELETE", `/users/${encodeURIComponent(uid)}/auth_tokens`);
  }

  // --- state ----------------------------------------------------------------------------------
  async reset() {
    await this.control("POST", "reset");
  }

  async seed(wanted) {
    await this.control("POST", "seed", wanted);
  }

  // --- faults and held logins -----------------------------------------------------------------
  async fault(kind, options = {}) {
    return new Fault(this, await this.control("POST", "faults", { kind, ...options }));
  }

  /** A code in capitals or a status is the kind `error`; other words are kinds or presets. */
  async fail(what, options = {}) {
    const word = String(what);
    if (/^[a-z]/.test(word)) return this.fault(word, options);
    return this.fault("error", { code: word, ...options });
  }

  async slow(delay, options = {}) {
    return this.fault("latency", { delay, ...options });
  }

  async holdLogins(uid) {
    await this.control("POST", "logins", { uid });
    return new Hold(this, uid);
  }

  // --- the wire -------------------------------------------------------------------------------
  /** Call the control API: `control("PUT", "snapshots/before")`. */
  async control(method, path, body, query = {}) {
    const url = new URL(`${this.url}/_mock/${path}`);
    const all = { ...(this.appId && { app: this.appId }), ...query };
    for (const [name, value] of Object.entries(all)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return ask(method, url, { ...bearer(this.controlToken) }, body);
  }

  async #api(method, path, body) {
    const url = new URL(`${this.apiUrl}${path}`);
    return (await ask(method, url, { apikey: this.restApiKey }, body)).data;
  }
}

class Fault {
  #mock;

  constructor(mock, { id, kind }) {
    this.#mock = mock;
    Object.assign(this, { id, kind });
  }

  async struck() {
    const rows = await this.#mock.control("GET", "faults");
    return rows.find(({ id }) => id === this.id)?.struck ?? 0;
  }

  async assertStruck() {
    if (await this.struck()) return;
    const seen = (await this.#mock.journal.find()).map(told).join("\n");
    throw new MockChatError(`fault ${this.id} (${this.kind}) struck nothing:\n${seen || "no request"}`);
  }

  async remove() {
    await this.#mock.control("DELETE", `faults/${this.id}`);
  }
}

class Hold {
  #mock;

  constructor(mock, uid) {
    this.#mock = mock;
    this.uid = uid;
  }

  async arrived({ count = 1, timeout = PATIENCE } = {}) {
    const query = { uid: this.uid, count, wait: timeout };
    const { waiting } = await this.#mock.control("GET", "logins", undefined, query);
    const found = Object.values(waiting).flat().length;
    if (found < count) throw new MockChatError(`${found} of ${count} logins came in ${timeout}`);
  }

  async release() {
    await this.#mock.control("DELETE", "logins", { uid: this.uid });
  }
}

class Journal {
  #mock;

  constructor(mock) {
    this.#mock = mock;
  }

  async find(wanted = {}) {
    return (await this.#page(wanted)).exchanges;
  }

  async count(wanted = {}) {
    return (await this.#page({ ...wanted, limit: 1 })).count;
  }

  async waitFor(wanted = {}, { count = 1, timeout = PATIENCE } = {}) {
    const found = await this.#page({ ...wanted, count, wait: timeout });
    if (found.count < count) await this.#complain(`${count} in ${timeout}`, wanted, found);
    return found.exchanges.at(-1);
  }

  async assertCalled(wanted = {}, { count } = {}) {
    const found = await this.#page(wanted);
    const right = count === undefined ? found.count > 0 : found.count === count;
    if (!right) await this.#complain(count ?? "one or more", wanted, found);
    return found.exchanges.at(-1);
  }

  async clear() {
    await this.#mock.control("DELETE", "journal");
  }

  async #page(query) {
    return this.#mock.control("GET", "journal", undefined, query);
  }

  async #complain(expected, wanted, found) {
    const seen = (await this.find()).map(told).join("\n");
    throw new MockChatError(
      `expected ${expected} of ${JSON.stringify(wanted)}, got ${found.count}; ` +
        `the app received:\n${seen || "no request"}`,
    );
  }
}

class Clock {
  #mock;

  constructor(mock) {
    this.#mock = mock;
  }

  async now() {
    return this.#mock.control("GET", "clock");
  }

  async freeze(at) {
    return this.#mock.control("PATCH", "clock", { freeze: true, ...(at && { at: instant(at) }) });
  }

  async advance(duration) {
    return this.#mock.control("PATCH", "clock", { advance: duration });
  }

  async resume() {
    return this.#mock.control("PATCH", "clock", { resume: true });
  }
}

const instant = (at) => (at instanceof Date ? at.toISOString() : at);

const bearer = (token) => (token ? { authorization: `Bearer ${token}` } : {});

function told({ id, method, path, status, operation, uid, code, faults, hint }) {
  const facts = [`#${id}`, method, path, status || "no answer", operation, uid, code];
  const more = [faults && `fault: ${faults}`, hint && `hint: ${hint}`];
  return [...facts, ...more].filter(Boolean).join(" ");
}

/**
 * Send a request and return the JSON of the answer. It is Node's own client: the `fetch` of jsdom or
 * happy-dom sends an `Origin`, and the control API refuses pages.
 */
async function ask(method, url, headers, body) {
  const { status, text, hint } = await sent(method, url, headers, body);
  const answer = parsed(text);
  if (answer === undefined) throw new MockChatError(`${url}: this is no mockchat (${status})`);
  if (!answer?.error) return answer;
  const { message, details = {}, code } = answer.error;
  const reasons = [message, ...Object.values(details).flat(), hint].filter(Boolean);
  const told = `${method} ${url.pathname}: ${code}: ${reasons.join(" ")}`;
  throw new MockChatError(told, { code, status });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sent(method, url, headers, body) {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  const sending = Buffer.from(body === undefined ? "" : JSON.stringify(body));
  const type = { "content-type": "application/json", "content-length": sending.length };
  return new Promise((resolve, reject) => {
    const fields = { ...headers, ...(sending.length && type) };
    const asked = request(url, { method, headers: fields }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (some) => (text += some));
      answer.on("end", () => {
        resolve({ status: answer.statusCode, text, hint: answer.headers["x-mock-hint"] });
      });
      answer.on("error", reject);
    });
    asked.on("error", ({ message, code }) => {
      reject(new MockChatError(`no mockchat answers at ${url.origin}: ${message || code}`));
    });
    asked.end(sending);
  });
}

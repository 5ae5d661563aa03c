/** Seconds as a number, or a text: `"200ms"`, `"5s"`, `"2m"`, `"1h"`, `"1d"`. */
export type Duration = number | string;

export interface Connection {
  /** Base URL by HTTP; else MOCKCHAT_URL, else http://127.0.0.1:8080. */
  url?: string;
  /** Base URL by HTTPS; else MOCKCHAT_HTTPS_URL, else port 8443 of the same host. */
  httpsUrl?: string;
  /** The app; without it the app of the worker. null is every app. */
  appId?: string | null;
  region?: string;
  authKey?: string;
  restApiKey?: string;
  controlToken?: string;
}

/** Which exchanges: all that is given must fit. */
export interface Match {
  /** A name of the list of operations: `login`, `create_auth_token` … */
  operation?: string;
  method?: string;
  /** `*` stands for a segment, `**` for several. */
  path?: string;
  uid?: string;
}

export interface Filter extends Match {
  status?: number;
  code?: string;
  /** The id of an exchange: only later ones. */
  since?: number;
  limit?: number;
}

export interface FaultOptions extends Match {
  times?: number;
  after?: number;
  probability?: number;
  randomSeed?: number;
  /** The parameters of the kind: docs/faults.md. */
  code?: string;
  status?: number;
  message?: string;
  delay?: Duration;
  jitter?: Duration;
  retryAfter?: Duration;
  arriving?: number;
  closeCode?: number;
}

export interface User {
  uid: string;
  name: string;
  role?: string;
  status?: string;
  avatar?: string;
  metadata?: Record<string, unknown>;
  tags?: string[];
  [field: string]: unknown;
}

export interface Exchange {
  id: number;
  app: string;
  method: string;
  path: string;
  /** 0 where no answer came. */
  status: number;
  operation?: string;
  uid?: string;
  code?: string;
  faults?: string[];
  hint?: string;
  request: { headers: [string, string][]; body: unknown };
  response: { headers: [string, string][]; body: unknown };
  [field: string]: unknown;
}

export interface ClockState {
  /** Unix seconds. */
  now: number;
  time: string;
  frozen: boolean;
}

export interface Fault {
  readonly id: number;
  readonly kind: string;
  /** Return how many exchanges it struck. */
  struck(): Promise<number>;
  /** Throw where it struck nothing. */
  assertStruck(): Promise<void>;
  remove(): Promise<void>;
}

export interface Hold {
  /** Wait until `count` logins are held; throw after `timeout` (5s). */
  arrived(options?: { count?: number; timeout?: Duration }): Promise<void>;
  release(): Promise<void>;
}

export interface Journal {
  find(wanted?: Filter): Promise<Exchange[]>;
  count(wanted?: Filter): Promise<number>;
  /** Wait until `count` exchanges fit, earlier ones counted; throw after `timeout` (5s). */
  waitFor(wanted?: Filter, options?: { count?: number; timeout?: Duration }): Promise<Exchange>;
  /** Throw where none fits, or where not exactly `count` fit; return the newest. */
  assertCalled(wanted?: Filter, options?: { count?: number }): Promise<Exchange | undefined>;
  clear(): Promise<void>;
}

export interface Clock {
  now(): Promise<ClockState>;
  /** Freeze it now, or at an instant: a Date, ISO text or Unix seconds. */
  freeze(at?: Date | string | number): Promise<ClockState>;
  advance(duration: Duration): Promise<ClockState>;
  resume(): Promise<ClockState>;
}

/** The control client of one app. Every refusal rejects with a MockChatError. */
export interface MockChat {
  readonly url: string;
  readonly httpsUrl: string;
  readonly appId: string | null;
  readonly region: string;
  readonly authKey: string;
  readonly restApiKey: string;
  /** The value of `overrideAdminHost` and `overrideClientHost`. */
  readonly host: string;
  /** The app's REST API by HTTP, for back ends. */
  readonly apiUrl: string;
  readonly journal: Journal;
  readonly clock: Clock;

  createUser(uid: string, fields?: Partial<User>): Promise<User>;
  /** Delete a user for good; with `permanent: false` deactivate it. */
  deleteUser(uid: string, options?: { permanent?: boolean }): Promise<void>;
  users(): Promise<User[]>;
  /** Return the valid auth token that there is; with `force` a new one. */
  issueToken(uid: string, options?: { force?: boolean }): Promise<string>;
  revokeTokens(uid: string): Promise<void>;

  /** Go back to the seed, without journal, faults and held logins. */
  reset(): Promise<void>;
  seed(wanted: { users: number } | { fixture: string | object }): Promise<void>;

  /** Add a fault of a kind or a preset: `fault("hang", { operation: "login" })`. */
  fault(kind: string, options?: FaultOptions): Promise<Fault>;
  /** Add a fault by an error code, a status, a kind or a preset. */
  fail(what: string | number, options?: FaultOptions): Promise<Fault>;
  slow(delay: Duration, options?: FaultOptions): Promise<Fault>;
  /** Hold the logins of a user, or all logins, until `release`. */
  holdLogins(uid?: string): Promise<Hold>;

  /** Call the control API under `/_mock`. */
  control(method: string, path: string, body?: object, query?: object): Promise<any>;
}

export class MockChatError extends Error {
  readonly code?: string;
  readonly status?: number;
}

export function connect(given?: Connection): MockChat;

export interface StartOptions {
  /** The command and its words, for example `["uvx", "mockchat"]`. */
  command?: string[];
  /** Settings of the server in camel case: `{ tokenTtl: "1h" }`. */
  settings?: Record<string, string | number | boolean | string[]>;
}

/** Start a server unless MOCKCHAT_URL names one; the function that it resolves to stops it. */
export function start(options?: StartOptions): Promise<() => Promise<void>>;

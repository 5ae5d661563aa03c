// A server for the tests of one run: a new one by `mockchat exec`, or the one of MOCKCHAT_URL.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { connect } from "./client.js";

// `mockchat exec` runs this: it prints the variables, and ends when the tests' process has ended.
const HOLDER = `
  const told = Object.entries(process.env).filter(([name]) => /^MOCKCHAT_|^NODE_EXTRA/.test(name));
  console.log(JSON.stringify(Object.fromEntries(told)));
  process.stdin.on("end", () => process.exit()).resume();
`;
const INSTALL = "install mockchat, name its command (`start({ command })`), or set MOCKCHAT_URL";

/**
 * Start `mockchat exec`, unless MOCKCHAT_URL names a server. The variables of the server are in
 * `process.env` afterwards. The server stops with this process, or by the function that is returned.
 */
export async function start({ command = ["mockchat"], settings = {} } = {}) {
  if (process.env.MOCKCHAT_URL) {
    await lookAround();
    return async () => {};
  }
  const [program, ...words] = command;
  const flags = Object.entries(settings).flatMap(([name, value]) => flag(name, value));
  const holder = [process.execPath, "--eval", HOLDER];
  const child = spawn(program, [...words, "exec", ...flags, "--", ...holder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  Object.assign(process.env, await told(child, program));
  for (const one of [child, child.stdin, child.stdout]) one.unref();
  return async () => {
    child.ref();
    child.stdin.end();
    if (child.exitCode === null) await once(child, "exit");
  };
}

/** `{ tokenTtl: "1h", anyKey: true }` are the flags `--token-ttl 1h --any-key`. */
function flag(name, value) {
  const long = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (Array.isArray(value)) return value.flatMap((one) => flag(name, one));
  return value === true ? [long] : [long, String(value)];
}

async function told(child, program) {
  const failed = once(child, "error").then(([error]) => {
    const reason = error.code === "ENOENT" ? "there is no such command" : error.message;
    throw new Error(`${program}: ${reason}; ${INSTALL}`);
  });
  const ended = once(child, "exit").then(([status]) => {
    throw new Error(`${program} ended with ${status}; its reason is above`);
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), failed, ended]);
  lines.close();
  failed.catch(() => {});
  ended.catch(() => {});
  return JSON.parse(line);
}

/** Reach the server of MOCKCHAT_URL; tell of the faults that earlier tests have left there. */
async function lookAround() {
  const server = connect({ appId: null });
  const faults = await server.control("GET", "faults");
  for (const { id, kind, app, struck } of faults) {
    const where = app ? `the app ${app}` : "every app";
    console.warn(
      `mockchat: fault ${id} (${kind}) is left from before; it strikes ${where}, ` +
        `${struck} times so far. \`mockchat faults clear\` removes it.`,
    );
  }
}

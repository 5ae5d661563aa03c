// mockchat for a Node test suite, by testcontainers: `npm install --save-dev testcontainers`.
import { GenericContainer, Wait } from "testcontainers";

const IMAGE = process.env.MOCKCHAT_IMAGE ?? "mockchat";
const HTTP = 8080;
const HTTPS = 8443;

/** Settings, named as in mockchat's README (`random-seed`), as the variables of the container. */
export function environment(settings) {
  const variable = (name) => `MOCKCHAT_${name.toUpperCase().replaceAll("-", "_")}`;
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [variable(name), String(value)]),
  );
}

/**
 * Starts a server on free ports and resolves when it answers. Where Docker runs on another machine
 * (the service `docker` of GitLab, say), its name is to be covered: `{ "tls-host": "docker" }`.
 */
export async function startMockChat(settings = {}, image = IMAGE) {
  const container = await new GenericContainer(image)
    .withEnvironment(environment(settings))
    .withExposedPorts(HTTP, HTTPS)
    .withWaitStrategy(Wait.forHttp("/_mock/health", HTTP))
    .start();
  const host = container.getHost();
  const url = `http://${host}:${container.getMappedPort(HTTP)}`;
  // What chat SDKs take as host override, before `/v3.0`, and the CA that they are to trust:
  // for NODE_EXTRA_CA_CERTS of a process that starts later, or an https.Agent's `ca`.
  const secureHost = `${host}:${container.getMappedPort(HTTPS)}`;
  const ca = await (await fetch(`${url}/_mock/ca.pem`)).text();
  return { url, secureHost, ca, stop: () => container.stop() };
}

// What both runners share: the keys they are given and the way they tell their facts.

export const keysFrom = (env) => ({
  authKey: env.AUTH_KEY ?? "AUTH_KEY",
  restApiKey: env.REST_API_KEY ?? "REST_API_KEY",
});

/** Prints the facts as the only thing on stdout. SDKs leave timers running: the end is said. */
export async function report(facts) {
  try {
    const document = JSON.stringify(await facts);
    process.stdout.write(document, () => process.exit(0));
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}

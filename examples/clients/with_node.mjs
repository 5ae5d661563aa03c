// Issues an auth token by Node's own fetch, which trusts whom NODE_EXTRA_CA_CERTS names, too.
const chat = process.env.CHAT_URL ?? "https://testapp.api-us.cometchat.io/v3";

const answer = await fetch(`${chat}/users/cometchat-uid-1/auth_tokens`, {
  method: "POST",
  headers: { apikey: "REST_API_KEY" },
});
if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
console.log((await answer.json()).data.uid);

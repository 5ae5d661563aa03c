// What an app asks beside its chat: a host that is not the mock and knows a user of its own.

export const ANOTHER_HOST = {
  async another_host({ otherUrl, keys }) {
    const headers = { apikey: keys.restApiKey };
    const response = await fetch(`${otherUrl}/v3/users/only-there`, { headers });
    return response.json();
  },
};

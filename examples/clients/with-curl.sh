#!/bin/sh
# Issues an auth token by curl, which trusts whom CURL_CA_BUNDLE names.
set -eu
chat=${CHAT_URL:-https://testapp.api-us.cometchat.io/v3}

answer=$(curl --fail --silent --show-error --request POST --header "apikey: REST_API_KEY" \
  "$chat/users/cometchat-uid-1/auth_tokens")
printf '%s\n' "$answer" | sed -n 's/.*"uid":"\([^"]*\)".*/\1/p'

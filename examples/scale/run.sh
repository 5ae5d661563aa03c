#!/usr/bin/env bash
# Runs the mockchat processes that an nginx.conf names, and nginx in front of them, for the programs
# of this machine only. Ctrl-C ends them all.
#
#   run.sh [NGINX_CONF]
#
# MOCKCHAT is the command to run (mockchat), MOCKCHAT_CA_DIR where the CA is (the user's cache).
set -euo pipefail
set -m  # a Ctrl-C is for this script, which then ends the rest in order

conf=${1:-$(dirname "$0")/nginx.conf}
export PATH=$PATH:/usr/sbin  # where Debian has nginx
export MOCKCHAT_CA_DIR=${MOCKCHAT_CA_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/mockchat}
work=$(mktemp -d)
chmod 755 "$work"  # started by root, nginx works as another user
processes=()

end() {
  if [ -s "$work/nginx.pid" ]; then kill "$(cat "$work/nginx.pid")"; fi
  for process in ${processes[@]+"${processes[@]}"}; do kill "$process" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap end EXIT
trap 'exit 0' INT TERM

for port in $(sed -nE 's/.*server mockchat[0-9]+:([0-9]+);.*/\1/p' "$conf" | sort -un); do
  mkfifo "$work/banner-$port"
  # It listens for HTTPS, too, because only then it sees to the certificate that nginx serves.
  ${MOCKCHAT:-mockchat} serve --host 127.0.0.1 --port "$port" --https-port 0 --trust-proxy \
    >"$work/banner-$port" &
  processes+=($!)
  read -r up <"$work/banner-$port" || exit 1
  echo "$up: process ${#processes[@]}, http://127.0.0.1:$port, pid $!"
done

sed -E 's/listen +/&127.0.0.1:/; s/server mockchat[0-9]+:/server 127.0.0.1:/' "$conf" >"$work/nginx.conf"
ln -s "$MOCKCHAT_CA_DIR" "$work/ca"
nginx -e stderr -p "$work/" -c "$work/nginx.conf"
echo "nginx is up: pid $(cat "$work/nginx.pid"), $(sed -nE 's/ *listen +([0-9.:]+)(.*);/\1\2/p' "$work/nginx.conf" | paste -sd, -)"
wait

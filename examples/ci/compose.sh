#!/bin/sh
# Any CI that has Docker: starts mockchat, waits until it is healthy, runs the tests in the container
# `app` and passes on its exit status. Takes the folder of the compose file.
set -u
cd "${1:-examples/compose}"

docker compose up --abort-on-container-exit --exit-code-from app
status=$?
docker compose down --volumes
exit $status

#!/bin/sh
# A script that starts a service.
set -eu

# Takes five minutes at most, otherwise the exit status is 124.
fry-run -t 5m -- ./migrate

# Fails with 125 if it passes but leaves a process behind.
fry-run --leftover=fail -- ./self-test

# The helper lives as long as the service, and no longer. fry-run replaces the script: a signal for the
# script reaches the service, and the exit status of the service is that of the script.
exec fry-run -k 8s -- sh -c './helper & exec ./service "$@"' service "$@"

#!/bin/sh
# A script that starts a service
set -eu

# Five minutes at most; 124 where that was not enough.
fry-run -t 5m -- ./migrate

# 125 where it would pass but leaves a process behind.
fry-run --leftover=fail -- ./self-test

# Helpers that live as long as the service does, and no longer. The service takes the place of the
# script: a signal for the script reaches it, and its status is that of the script.
exec fry-run -k 8s -- sh -c './helper & exec ./service "$@"' service "$@"

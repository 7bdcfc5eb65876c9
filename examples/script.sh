#!/bin/sh
# A script that starts a service.
set -eu

# The migration gets five minutes. If it takes longer, fry-run stops it, and the exit status is 124.
fry-run -t 5m -- ./migrate

# If the test passes but leaves a process behind, the exit status is 125.
fry-run --leftover=fail -- ./self-test

# The helper lives as long as the service, and no longer. fry-run replaces the script: a signal for the
# script reaches the service, and the exit status of the service is that of the script.
exec fry-run -k 8s -- sh -c './helper & exec ./service "$@"' service "$@"

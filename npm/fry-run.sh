#!/bin/sh
# Replace this shell by the static binary, which is in the package for this machine's processor.
here=$(dirname "$(readlink -f "$0")")
for binary in "$here"/node_modules/fry-run-linux-*/fry-run "$here"/../fry-run-linux-*/fry-run; do
	[ ! -x "$binary" ] || exec "$binary" "$@"
done
echo 'fry-run: no binary for this machine: install the optional dependencies of the package' >&2
exit 125

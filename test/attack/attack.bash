# attack.bash - what the tests of attacks share; a .bats file in here begins with `load attack.bash`
# shellcheck shell=bash disable=SC2034,SC2154 # the tests use what is set here; start sets pids
#
#   reach                       copy the binaries to where another user finds them
#   forger_start NAME [WORD]... start forge, preceded by WORDs, with requests from NAME.requests
#   forger_below NAME [WORD]... print shell code that starts one in the background
#   forge NAME REQUEST          have it make one, and wait for the answer: see forge.c
#   answers NAME GLOB           print how many answers match

load ../lib/helper

other_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)

reach() {
	reachable=$(mktemp -d)
	chmod 777 .
	cp "$FRY_RUN" "$BIN"/{fresh,forge,probe,pty,seize} "$reachable"
	chmod -R go+rX "$reachable"
	FRY_RUN=$reachable/${FRY_RUN##*/}
	BIN=$reachable
}

teardown_more() {
	if [[ ${reachable-} ]]; then rm -r "$reachable"; fi
}

# The FIFO is open for both, so that neither end waits for the other.
forger_start() {
	local name=$1
	shift
	mkfifo "$name.requests"
	start "$name" "$@" "$BIN/forge" <>"$name.requests"
	wait_line "$name.out" 'ready *'
}

forger_below() {
	local name=$1
	shift
	mkfifo "$name.requests"
	: >"$name.out"
	printf '%q ' "$@" "$BIN/forge"
	printf '<>%q >%q & ' "$PWD/$name.requests" "$PWD/$name.out"
}

forge() {
	local name=$1 matched forger
	matches "$name.out" '@(sent|refused) *'
	read -r _ forger <"$name.out"
	shift
	echo "$*" 1<>"$name.requests"
	wait_until "an answer of the forger, or its end" has_answered "$name" $((matched + 1)) "$forger"
}

has_answered() {
	gone "$3" || has_lines "$1.out" '@(sent|refused) *' "$2"
}

answers() {
	count_lines "$1.out" "$2"
}

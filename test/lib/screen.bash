# screen.bash - drive programs in tmux, and compare their screens
# shellcheck shell=bash
#
# One screen, on a tmux server of its own; its processes carry the mark of the test
#   screen_open NAME DIRECTORY COMMAND...  80 x 24, the command in the directory; no settings of
#                              a user's are read
#   screen_keys NAME KEY...    type: tmux's names (C-z, Enter, Space), all else as it stands
#   screen_line NAME TEXT      type this as it stands, and Enter
#   screen_size NAME COLUMNS ROWS          resize
#   screen_of NAME             print what it shows, attributes as escape sequences, then a line with
#                              the place of the cursor and the modes of the screen
#   text_of NAME               print what it shows, the text alone
#   screen_shows NAME GLOB     the text, the whole of it, matches; lines lack their trailing blanks
#   wait_screen NAME GLOB      wait until it does
#   screen_hang_up NAME        close the terminal
#   screen_closed NAME         it is gone, as when its command has ended
#   screens_close              for teardown_more: close all screens that are still open
#
# Two of them, `plain` and `wrapped`, for one script of keys
#   both_open SHELL            an interactive shell each, in the directories plain and wrapped. $RUN is
#                              empty here and $WRAPPER (fry-run --) there, so that the words typed, and those
#                              a shell repeats of a job, are the same. A prompt has the last status
#   both_keys KEY...
#   both_line TEXT
#   both_size COLUMNS ROWS
#   both_show GLOB             wait until both match and neither differs from the other
#   both_front NAME            wait until the process group in the foreground is NAME's on both
#   both_exit                  type `exit`, and wait until both are closed
#
# In make check-stress each_shell uses bash, dash and zsh, otherwise one of them, in turn:
#   each_shell COMMAND...      run this with each, in shell
#
# normalise is a filter. A test may define it anew, to remove text that always differs between two runs.

declare -gA screen_servers=()

screen_open() {
	local name=$1 directory=$2
	shift 2
	mkdir -p "$directory"
	# From the directory on, words are the command's: as they are, without a shell in between.
	"$BIN/fresh" -- env -u TMUX -u LESS -u LESSOPEN LC_ALL=C.UTF-8 HOME="$PWD" \
		TMUX_TMPDIR="$BATS_TEST_TMPDIR" tmux -L "$name" -f /dev/null \
		start-server \; set -g status off \; set -g default-terminal screen \; \
		new-session -d -x 80 -y 24 -c "$PWD/$directory" "$@" >/dev/null
	screen_servers[$name]=$(screen_do "$name" display-message -p '#{pid}')
}

screen_do() {
	TMUX_TMPDIR=$BATS_TEST_TMPDIR tmux -L "$@"
}

screen_keys() {
	screen_do "$1" send-keys -- "${@:2}"
}

screen_line() {
	screen_do "$1" send-keys -l -- "$2" \; send-keys Enter
}

screen_size() {
	screen_do "$1" resize-window -x "$2" -y "$3"
	# tmux tells the terminal a moment later.
	wait_prints "$3 $2" stty -F "$(screen_do "$1" display-message -p '#{pane_tty}')" size
}

screen_of() {
	screen_do "$1" "${screen_all[@]}" | normalise
}

screen_modes='cursor #{cursor_x} #{cursor_y} #{cursor_flag} alternate #{alternate_on}'
screen_modes+=' insert #{insert_flag} keypad #{keypad_flag} #{keypad_cursor_flag}'
screen_modes+=' mouse #{mouse_any_flag} region #{scroll_region_upper} #{scroll_region_lower} wrap #{wrap_flag}'
screen_all=(capture-pane -p -e \; display-message -p "$screen_modes")

text_of() {
	screen_do "$1" capture-pane -p
}

normalise() {
	cat
}

# Set text and all to what it shows at one moment, as text_of and screen_of would print it, the latter as it is.
screen_read() {
	local between=$'\n=== all ===\n'
	all=$(screen_do "$1" capture-pane -p \; display-message -p "${between:1:-1}" \; "${screen_all[@]}")
	text=${all%%"$between"*} all=${all#*"$between"}
	text=${text%"${text##*[!$'\n']}"}
}

screen_shows() {
	prints "$2" text_of "$1"
}

wait_screen() {
	if wait_until "$1 to show '$2'" screen_shows "$1" "$2"; then return 0; fi
	text_of "$1" | sed "/^\$/d; s/^/$1: /" >&2
	return 1
}

screen_hang_up() {
	screen_do "$1" kill-pane
}

screen_closed() {
	gone "${screen_servers[$1]}"
}

screens_close() {
	local name
	for name in "${!screen_servers[@]}"; do
		if screen_closed "$name"; then continue; fi
		screen_do "$name" kill-server
		wait_gone "${screen_servers[$name]}"
	done
}

# --- two of them

each_shell() {
	local shell shells=(bash dash zsh)
	if [[ ${ROUNDS-} != all ]]; then shells=("${shells[BATS_TEST_NUMBER % 3]}"); fi
	for shell in "${shells[@]}"; do "$@"; done
}

both_open() {
	local shell=$1 prompt='$? $ '
	case $shell in
	bash) set -- bash --noprofile --norc ;;
	dash) set -- dash -i ;;
	zsh) set -- zsh -f -o shwordsplit && prompt='%? $ ' ;;
	esac
	screen_open plain plain env PS1="$prompt" RUN= "$@"
	screen_open wrapped wrapped env PS1="$prompt" RUN="${WRAPPER-$FRY_RUN --}" "$@"
	both_show '0 $'
}

both_keys() {
	screen_keys plain "$@"
	screen_keys wrapped "$@"
}

both_line() {
	screen_line plain "$1"
	screen_line wrapped "$1"
}

both_size() {
	screen_size plain "$@"
	screen_size wrapped "$@"
}

both_show() {
	if wait_until "both to show '$1'" both_are "$1"; then return 0; fi
	text_of plain | sed '/^$/d; s/^/plain: /' >&2
	text_of wrapped | sed '/^$/d; s/^/wrapped: /' >&2
	diff -u --label plain --label wrapped <(screen_of plain) <(screen_of wrapped) | cat -v >&2
	return 1
}

both_are() {
	local text all plain
	screen_read plain
	# shellcheck disable=SC2053 # a glob is meant
	[[ $text == $1 ]] || return
	plain=$all
	screen_read wrapped
	# shellcheck disable=SC2053 # a glob is meant
	[[ $text == $1 ]] || return
	[[ $all == "$plain" || $(normalise <<<"$all") == "$(normalise <<<"$plain")" ]]
}

both_front() {
	wait_until "$1 to be in the foreground" both_are_front "$1"
}

both_are_front() {
	local name
	for name in plain wrapped; do
		[[ $(screen_do "$name" display-message -p '#{pane_current_command}') == "$1" ]] || return
	done
}

both_exit() {
	both_line exit
	wait_until 'plain to close' screen_closed plain
	wait_until 'wrapped to close' screen_closed wrapped
}

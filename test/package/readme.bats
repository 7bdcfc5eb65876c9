# readme.bats - two tables of the README: the options by purpose, and how long a stop takes at most

# shellcheck disable=SC2016,SC2154 # backquotes are the README's; start sets pids

load ../lib/helper

setup_more() {
	unset FRY_RUN_OPTS
}

# table HEADING: print the rows of the table with this first row, one a line
table() {
	awk -v heading="| $1" 'index($0, heading) == 1 { inside = 1; next } !/^\|/ { inside = 0 } inside && !/^\|--/' \
		"$REPO/README.md"
}

# Print each text between backquotes that begins with fry-run, without the words after --.
commands() {
	grep -o -E '`(exec )?fry-run [^`]*-- ' | sed 's/^`//; s/exec //'
}

@test "README: every command line of the table of options is accepted, and runs its command" {
	local line count=0
	while read -r line; do
		run sh -c "exec \"\$0\" ${line#fry-run} \"\$1\" -e 7" "$FRY_RUN" "$BIN/probe"
		assert_status 7
		count=$((count + 1))
	done < <(table 'I have' | sed 's/`ENTRYPOINT \[\(.*\)\]`/`\1 `/; /`"fry-run"/s/[",]//g' | commands)
	assert_equal "$count" "$(table 'I have' | grep -c 'fry-run"\?[ ,].*--')"
}

# waits SCHEDULE SIGNAL: print the seconds from the step of this signal, or else from the first one, to KILL
waits() {
	local schedule=$1
	if [[ $schedule == *"$2/"* ]]; then schedule=$2/${schedule#*"$2/"}; fi
	grep -o '[0-9]*s' <<<"$schedule" | awk '{ sum += $1 } END { print sum }'
}

# A tenth of the time, and a COMMAND that ignores all but KILL.
@test "README: a stop takes the time that the table gives, and ends with KILL" {
	requires jq
	local options schedule after_term after_int seconds signal count=0
	while IFS='|' read -r _ options after_term after_int _; do
		options=$(tr -d '` ' <<<"$options")
		case $options in
		none) schedule=INT/10s/TERM/10s/KILL options=-k1s ;;
		-k*) schedule=INT/${options#-k}/TERM/${options#-k}/KILL options=${options%s}00ms ;;
		*) schedule=${options#--stop=} options=${options//s\//00ms/} ;;
		esac
		for signal in TERM INT; do
			if [[ $signal == TERM ]]; then seconds=$after_term; else seconds=$after_int; fi
			seconds=$(tr -dc 0-9 <<<"$seconds")
			assert_equal "$seconds" "$(waits "$schedule" "$signal")" "seconds after $signal with $options"
			start it "$FRY_RUN" --report=report "$options" -- "$BIN/probe" -n
			ready it
			kill "-$signal" "$it_pid"
			finish it
			assert_status 137
			assert_equal "$(jq -r '.stop[-1].signal' report)" KILL
			at_least "$(jq -r '.stop[-1].after_s * 1000 | floor' report)" $((seconds * 100))
			rm report
			count=$((count + 1))
		done
	done < <(table 'options ')
	assert_equal "$count" 8
}

# completion.bats - what TAB gives after fry-run, in bash, zsh and fish

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pid

load ../lib/helper

COMPLETIONS=$REPO/completions
BASH_COMPLETION=/usr/share/bash-completion/bash_completion

# Answer as bash does when TAB is typed at the end of a line. Readline cuts words at = and :, too.
# Its only part in this that a script cannot have is compopt.
asked='
	compopt() { echo "compopt $*" >>compopt; }
	if [[ $1 ]]; then . "$1"; fi
	. "$2"
	COMP_LINE=$3 COMP_POINT=${#3} COMP_WORDS=()
	while [[ $3 =~ ^([[:space:]]*)([=:]+|[^[:space:]=:]*)(.*)$ && ${BASH_REMATCH[0]} ]]; do
		COMP_WORDS+=("${BASH_REMATCH[2]}")
		set -- "$1" "$2" "${BASH_REMATCH[3]}"
	done
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	function=$(complete -p fry-run)
	function=${function#*-F }
	"${function%% *}" fry-run "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
	if ((${#COMPREPLY[@]} > 0)); then printf "%s\n" "${COMPREPLY[@]}"; fi
'

# tab LINE [ANSWER]...: these and no others, in whatever order
tab() {
	: >compopt
	run bash -c "$asked" bash "${bash_completion-}" "$COMPLETIONS/fry-run.bash" "$1"
	output=$(sort -u <<<"$output")
	shift
	assert_equal "$output" "$(if (($# > 0)); then printf '%s\n' "$@" | sort -u; fi)" "answers"
}

# tab_has LINE ANSWER: this one at least
tab_has() {
	: >compopt
	run bash -c "$asked" bash "${bash_completion-}" "$COMPLETIONS/fry-run.bash" "$1"
	assert_match $'\n'"$output"$'\n' "*"$'\n'"$2"$'\n'"*"
}

# Print each option of the table in src/options.c on a line, with a = if it takes an argument: --name= -n=.
# One that may be missing does not count.
table() {
	local row='^[[:space:]]\{(NULL|"([^"]+)"), "([^"]*)", (NULL|"([^"]*)")' line value letters
	while IFS= read -r line; do
		[[ $line =~ $row ]] || continue
		value='' letters=${BASH_REMATCH[3]}
		if [[ ${BASH_REMATCH[4]} != @(NULL|*\[=*) ]]; then value='='; fi
		if [[ ${BASH_REMATCH[2]} ]]; then echo "--${BASH_REMATCH[2]}$value"; fi
		while [[ $letters ]]; do
			echo "-${letters:0:1}$value"
			letters=${letters:1}
		done
	done <"$REPO/src/options.c" | sort
}

# The same without the = of letters, behind which none is typed or shown.
table_as_typed() {
	table | sed 's/^\(-[a-zA-Z]\)=$/\1/' | sort
}

# Print each option of --help that takes one of several words, and the words: --name word...
choices() {
	"$FRY_RUN" --help | sed -n 's/^ *\(--[a-z-]*\)=\([a-z]*|[a-zA-Z|]*\) .*/\1 \2/p' |
		sed 's/|[A-Z]*$//; s/|/ /g'
}

# --- the options of all three completions

@test "--help shows the options of the table, and no others" {
	assert_equal "$("$FRY_RUN" --help | sed -n 's/^ *\(-[^ ]*\(, [^ ]*\)*\)  .*/\1/p' |
		grep -o -e '--\?[a-zA-Z][a-z-]*=\?' | sort)" "$(table_as_typed)"
	at_least "$(table | wc -l)" 30
}

@test "bash completes the options of the table, and no others" {
	run bash -c "$asked" bash '' "$COMPLETIONS/fry-run.bash" 'fry-run -'
	assert_equal "$(sort <<<"$output")" "$(table_as_typed)"
}

@test "zsh completes the options of the table with their arguments, and no others" {
	assert_equal "$(grep -oP "(?<=[{',)])--?[a-zA-Z][a-z-]*(=(?!-)|[+])?(?=(=-)?[,[}])" "$COMPLETIONS/_fry-run" |
		tr + = | sort)" "$(table)"
}

@test "fish completes the options of the table, and no others" {
	requires fish
	assert_equal "$({ fish_tab 'fry-run -' && fish_tab 'fry-run --'; } | sed 's/=.*//' | sort -u)" \
		"$(table | tr -d = | sort)"
}

# Behind an option with an argument x is that argument, behind any other option it is COMMAND.
@test "bash and fish take the next word for the argument of exactly the options that have one" {
	requires fish
	local option expected
	for option in $(table); do
		expected=
		if [[ $option == *= ]]; then expected=--scope; fi
		: >compopt
		run bash -c "$asked" bash '' "$COMPLETIONS/fry-run.bash" "fry-run ${option%=} x --sco"
		assert_equal "$output" "${expected:+--scope=}" "in bash, behind $option"
		assert_equal "$(fish_tab "fry-run ${option%=} x --sco")" "$expected" "in fish, behind $option"
	done
}

@test "bash, zsh and fish offer the choices of --help" {
	requires fish
	local option words
	at_least "$(choices | wc -l)" 5
	while read -r option words; do
		# shellcheck disable=SC2086 # several words
		tab "fry-run $option=" $words
		assert_equal "$(fish_tab "fry-run $option " | sort)" "$(tr ' ' '\n' <<<"$words" | sort)" "$option"
		grep -F -e "$option=[" "$COMPLETIONS/_fry-run" | grep -q -F -e ":($words)'"
	done < <(choices)
}

@test "every signal that a completion offers is accepted, and bash's and fish's are equal" {
	requires fish
	local option signal
	for option in --rewrite= --rewrite=HUP: --parent-death= --stop=INT/ --stop=; do
		: >compopt
		output=$(bash -c "$asked" bash '' "$COMPLETIONS/fry-run.bash" "fry-run $option" |
			sed 's|.*[/:]\([^:]\)|\1|')
		fish_tab "fry-run $option" | sed 's|.*[=/:]\([^:]\)|\1|' >fish
		assert_equal "$(sort fish)" "$(sort <<<"$output")" "$option"
		assert_match " ${output//$'\n'/ } " '* HUP* INT* TERM* WINCH* RTMAX*'
		for signal in $output; do
			case $signal in
			*:) signal+=0 ;;
			KILL) ;;
			*) if [[ $option == --stop* ]]; then signal+=/KILL; fi ;;
			esac
			"$FRY_RUN" "$option$signal" -- true
		done
	done
}

@test "the signals of zsh are those of bash" {
	local name
	assert_match "$(words_of "$COMPLETIONS/_fry-run" '^received=')" HUP*INT*PIPE*WINCH*RTMAX
	for name in received signals; do
		assert_equal "$(words_of "$COMPLETIONS/_fry-run" "^$name=")" \
			"$(words_of "$COMPLETIONS/fry-run.bash" "^_fry_run_$name=")"
	done
}

# The words in upper case of an assignment, which may take two lines.
words_of() {
	grep -A1 -e "$2" "$1" | sed '2 { /^\t/!d }' | grep -o -w '[A-Z0-9]\+'
}

# --- bash

@test "bash: options and their values are completed, behind = and as a word of their own" {
	tab 'fry-run --sc' --scope=
	assert_lines compopt 'compopt -o nospace'
	tab 'fry-run --l' --leftover= --license
	local option values
	while read -r option values; do
		# shellcheck disable=SC2086 # several
		tab "fry-run $option=" $values
		# shellcheck disable=SC2086
		tab "fry-run -v $option " $values
	done <<-'END'
		--leftover stop wait leave fail
		--scope auto command group tree
		--pgroup auto inherit new session
		--cgroup new own
		--status mirror code
	END
	tab 'fry-run --scope=g' group
	tab 'fry-run --leftover wa' wait
	tab 'fry-run --timeout='
	tab 'fry-run -e '
	tab 'fry-run --no-such='
}

@test "bash: the signals of -p and -r are completed" {
	tab 'fry-run -p H' HUP
	tab 'fry-run -pH' -pHUP
	tab 'fry-run -wvpH' -wvpHUP
	tab 'fry-run -wvp H' HUP
	tab 'fry-run --parent-death=SIGUSR' SIGUSR1 SIGUSR2
	tab 'fry-run -r H' HUP:
	assert_lines compopt 'compopt -o nospace'
	tab 'fry-run -r HUP:USR' USR1 USR2
	tab 'fry-run --rewrite=HUP:USR' USR1 USR2
	tab 'fry-run --rewrite=HUP:0' 0
	tab 'fry-run --rewrite HUP:0 --rewrite INT:USR' USR1 USR2
	tab 'fry-run --stop=INT/7s/TE' INT/7s/TERM
	tab 'fry-run --stop IN' INT
}

@test "bash: the file of --report is completed" {
	: >log.json
	mkdir logs
	tab 'fry-run --report=lo' log.json logs
	assert_lines compopt 'compopt -o filenames'
	tab 'fry-run --report lo' log.json logs
	tab 'fry-run --report=fd:' 1 2 3
}

@test "bash: COMMAND and files are completed without bash-completion" {
	: >log.txt
	tab_has 'fry-run setsi' setsid
	tab_has 'fry-run -- setsi' setsid
	tab_has 'fry-run -k 5 --stop=INT -wp TERM setsi' setsid
	tab_has 'fry-run -k5 --scope group setsi' setsid
	tab 'fry-run -- cat lo' log.txt
	tab 'fry-run -- cat --sco'
	tab 'fry-run cat -- --sco'
	tab 'fry-run -- : --sco'
}

@test "bash: COMMAND's own completion works with bash-completion" {
	if [[ ! -e $BASH_COMPLETION ]]; then requires bash-completion; fi
	bash_completion=$BASH_COMPLETION
	tab_has 'fry-run -- setsi' setsid
	tab 'fry-run -- timeout --pres' --preserve-status
	tab 'fry-run -k 5 --rewrite=HUP:TERM --leftover fail timeout --pres' --preserve-status
	tab 'fry-run -- fry-run --scope=g' group
	tab 'fry-run timeout --sco'
	tab 'fry-run --sco' --scope=
}

# --- at a terminal

# typed LINE EXPECTED: what becomes of LINE when TAB is typed at its end
typed() {
	: >typed
	keys shell "$1"'\t\007'
	wait_line typed "$2"
	keys shell '\025'
}

assert_typed() {
	typed 'fry-run --sco' '<fry-run --scope=>'
	typed 'fry-run --scope=g' '<fry-run --scope=group >'
	typed 'fry-run --leftover f' '<fry-run --leftover fail >'
	typed 'fry-run -r HU' '<fry-run -r HUP:>'
	typed 'fry-run --rewrite=HUP:USR1' '<fry-run --rewrite=HUP:USR1 >'
	typed 'fry-run -p WIN' '<fry-run -p WINCH >'
	typed 'fry-run --stop=INT/7s/WIN' '<fry-run --stop=INT/7s/WINCH>'
	typed 'fry-run --scope=group -- ./my-c' '<fry-run --scope=group -- ./my-command >'
	typed 'fry-run -k 5 -- ./my-command my-f' '<fry-run -k 5 -- ./my-command my-file >'
}

my_files() {
	: >my-file
	printf '#!/bin/sh\n' >my-command
	chmod +x my-command
}

bash_at_terminal() {
	my_files
	printf '%s\n' "$@" ". '$COMPLETIONS/fry-run.bash'" \
		'bind -x '\''"\C-g": printf "<%s>\n" "$READLINE_LINE" >typed'\' \
		'PS1=; echo set up' >rc
	start_tty shell bash --noprofile --rcfile rc -i
	wait_line shell.out '*set up'
	assert_typed
	keys shell 'exit\n'
	finish shell
}

@test "bash at a terminal completes options and values" {
	bash_at_terminal
}

@test "bash at a terminal completes values where words are cut at blanks only" {
	bash_at_terminal 'COMP_WORDBREAKS=" "'
}

@test "bash at a terminal completes with bash-completion" {
	if [[ ! -e $BASH_COMPLETION ]]; then requires bash-completion; fi
	bash_at_terminal ". '$BASH_COMPLETION'"
}

@test "zsh at a terminal completes options and values" {
	requires zsh
	my_files
	printf '%s\n' 'PS1=' "fpath=('$COMPLETIONS' \$fpath)" 'autoload -Uz compinit' 'compinit -D -u' \
		'dump() { print -r -- "<$BUFFER>" >typed }' 'zle -N dump' 'bindkey "^G" dump' \
		'echo set up' >rc
	start_tty shell zsh -f -i
	keys shell '. ./rc\n'
	wait_line shell.out '*set up'
	assert_typed
	typed 'fry-run -- fry-run --leftover=w' '<fry-run -- fry-run --leftover=wait >'
	keys shell 'exit\n'
	finish shell
}

# --- fish

fish_tab() {
	HOME=$PWD XDG_CONFIG_HOME=$PWD XDG_DATA_HOME=$PWD fish --private -c '
		source $argv[1]
		complete -C $argv[2]
	' "$COMPLETIONS/fry-run.fish" "$1" </dev/null | cut -f1
}

@test "fish: options, values, signals, COMMAND and COMMAND's own options are completed" {
	requires fish
	my_files
	local line answer
	while IFS='|' read -r line answer; do
		assert_equal "$(fish_tab "$line" | sort -u | paste -s -d ' ')" "$answer" "$line"
	done <<-'END'
		fry-run --sco|--scope
		fry-run --scope=g|--scope=group
		fry-run --leftover |fail leave stop wait
		fry-run -pWIN|-pWINCH
		fry-run -r HU|HUP:
		fry-run --rewrite=HUP:USR|--rewrite=HUP:USR1 --rewrite=HUP:USR2
		fry-run -r HUP:0|HUP:0
		fry-run --stop=INT/7s/WIN|--stop=INT/7s/WINCH
		fry-run -- ./my-c|./my-command
		fry-run -k 5 -- ./my-command my-f|my-file
		fry-run -k 5 timeout --pres|--preserve-status
		fry-run --scope=group -- timeout --pres|--preserve-status
		fry-run timeout --sco|
		fry-run -- --sco|
	END
}

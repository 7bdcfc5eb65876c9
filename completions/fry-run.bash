# bash completion for fry-run(1)                                          -*- shell-script -*-
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Works with and without bash-completion. With it, COMMAND's own completion completes COMMAND's
# arguments. Readline cuts words at the characters in COMP_WORDBREAKS, such as = and :. So this joins
# the pieces of a word first, and at the end removes from the answers what stands before the last cut.

# Signals that can be received, and all signals.
_fry_run_received='HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT TSTP
	TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX'
_fry_run_signals="KILL STOP CHLD $_fry_run_received"

# Options that take an argument: the long ones, and the letters of the short ones.
_fry_run_valued=' --kill-after --stop --timeout --parent-death --leftover --scope --rewrite --pgroup
	--cgroup --status --expect --report '
_fry_run_letters=ktpre

_fry_run_options='-k --kill-after= --stop= -t --timeout= -p --parent-death= --hangup --leftover= --scope= -g
	--group -c --single-child -r --rewrite= --pgroup= --cgroup= --guard --no-guard --status= -e
	--expect= -w --warn-reaped -v --verbose --report= -P --pause -s -l -L --license -h --help -V
	--version'

# Set `words` to the words up to the cursor, and `at` to the index in COMP_WORDS where each one begins.
_fry_run_words() {
	local line=${COMP_LINE:0:COMP_POINT} piece i
	for ((i = 0; i <= COMP_CWORD; i++)); do
		piece=${COMP_WORDS[i]}
		if ((i == 0)) || [[ $line == [[:space:]]* ]]; then
			line=${line#"${line%%[![:space:]]*}"}
			words+=('')
			at+=("$i")
		fi
		if ((i == COMP_CWORD)); then piece=$line; fi # do not use what is behind the cursor
		words[-1]+=$piece
		line=${line#"$piece"}
	done
}

# Answer with the words of a list that begin with the value. Put the prefix before each.
_fry_run_list() {
	local prefix=$1 value=$2 list=$3 one
	for one in $list; do
		if [[ $one == "$value"* ]]; then COMPREPLY+=("$prefix$one"); fi
	done
}

# Answer with signals. If the value begins with SIG, so do the answers.
_fry_run_signal() {
	local prefix=$1 value=$2 list=${3-$_fry_run_signals}
	if [[ $value == SIG* ]]; then
		prefix+=SIG
		value=${value#SIG}
	fi
	_fry_run_list "$prefix" "$value" "$list"
}

_fry_run_file() {
	local prefix=$1 value=$2 one
	compopt -o filenames
	while IFS= read -r one; do
		COMPREPLY+=("$prefix$one")
	done < <(compgen -f -- "$value")
	_fry_run_list "$prefix" "$value" 'fd:1 fd:2 fd:3'
}

# Complete the value of an option. The prefix is what stands before the value in the same word.
_fry_run_value() {
	local prefix=$2 value=$3
	case $1 in
	--leftover) _fry_run_list "$prefix" "$value" 'stop wait leave fail' ;;
	--scope) _fry_run_list "$prefix" "$value" 'auto command group tree' ;;
	--pgroup) _fry_run_list "$prefix" "$value" 'auto inherit new session' ;;
	--cgroup) _fry_run_list "$prefix" "$value" 'new own' ;;
	--status) _fry_run_list "$prefix" "$value" 'mirror code' ;;
	--report) _fry_run_file "$prefix" "$value" ;;
	-p | --parent-death) _fry_run_signal "$prefix" "$value" ;;
	--stop)
		compopt -o nospace
		if [[ $value == */* ]]; then prefix+=${value%/*}/; fi
		_fry_run_signal "$prefix" "${value##*/}" "KILL $_fry_run_received"
		;;
	-r | --rewrite)
		if [[ $value == *:* ]]; then
			_fry_run_signal "$prefix${value%%:*}:" "${value#*:}" "$_fry_run_signals 0"
		else
			compopt -o nospace
			_fry_run_signal "$prefix" "$value" "$_fry_run_received"
			COMPREPLY=("${COMPREPLY[@]/%/:}")
		fi
		;;
	esac
}

# Complete COMMAND, which begins at this index of COMP_WORDS, or its arguments.
_fry_run_command() {
	local cur=$2 one
	if declare -F _comp_command_offset >/dev/null; then
		_comp_command_offset "$1"
	elif declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	else
		compopt -o filenames
		while IFS= read -r one; do
			COMPREPLY+=("$one")
		done < <(if ((COMP_CWORD == $1)); then compgen -c -d -- "$cur"; else compgen -f -- "$cur"; fi)
	fi
}

_fry_run() {
	local words=() at=() i last word option='' letters breaks='' head
	COMPREPLY=()
	_fry_run_words
	last=$((${#words[@]} - 1))
	# Find where COMMAND begins, or which option the word at the cursor is the argument of.
	for ((i = 1; i < last; i++)); do
		word=${words[i]}
		if [[ $option ]]; then
			option=
		elif [[ $word == -- ]]; then
			_fry_run_command "${at[i + 1]}" "${words[last]}"
			return
		elif [[ $word == --* ]]; then
			if [[ ${_fry_run_valued//[[:space:]]/ } == *" $word "* ]]; then option=$word; fi
		elif [[ $word == -?* ]]; then
			letters=${word%%["$_fry_run_letters"]*}
			if ((${#letters} == ${#word} - 1)); then option=-${word: -1}; fi
		else
			_fry_run_command "${at[i]}" "${words[last]}"
			return
		fi
	done

	word=${words[last]}
	if [[ $option ]]; then
		_fry_run_value "$option" '' "$word"
	elif [[ $word == --*=* ]]; then
		_fry_run_value "${word%%=*}" "${word%%=*}=" "${word#*=}"
	elif [[ $word == -[!-]* && $word == *["$_fry_run_letters"]* ]]; then
		letters=${word%%["$_fry_run_letters"]*}
		i=$((${#letters} + 1))
		_fry_run_value "-${word:i-1:1}" "${word:0:i}" "${word:i}"
	elif [[ $word == -* ]]; then
		_fry_run_list '' "$word" "$_fry_run_options"
		if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
	else
		_fry_run_command "${at[last]}" "$word"
		return
	fi

	for head in = :; do
		if [[ $COMP_WORDBREAKS == *$head* ]]; then breaks+=$head; fi
	done
	if [[ $breaks && $word == *["$breaks"]* ]]; then
		head=${word%"${word##*["$breaks"]}"}
		COMPREPLY=("${COMPREPLY[@]#"$head"}")
	fi
}

complete -F _fry_run fry-run

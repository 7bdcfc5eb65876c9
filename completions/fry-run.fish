# fish completion for fry-run(1)
# SPDX-License-Identifier: MIT

# Signals that can be received, and all signals.
set -g __fry_run_received HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CONT \
    TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX
set -g __fry_run_signals KILL STOP CHLD $__fry_run_received

# Print these words without fry-run's options: COMMAND and its arguments.
function __fry_run_rest
    argparse -s 'k/kill-after=' 'stop=' 't/timeout=' 'p/parent-death=' 'hangup=?' 'leftover=' 'scope=' \
        g/group c/single-child 'r/rewrite=+' 'pgroup=' 'cgroup=' guard no-guard 'status=' \
        'e/expect=+' w/warn-reaped v/verbose 'report=' P/pause s l/license L h/help V/version \
        -- $argv 2>/dev/null
    or return
    for word in $argv
        printf '%s\n' $word
    end
end

# Succeed if the cursor is before COMMAND, where options are possible.
function __fry_run_before_command
    set -l words (commandline -opc)
    set -e words[1]
    set -l rest (__fry_run_rest $words)
    not contains -- -- $words
    and not set -q rest[1]
end

function __fry_run_command
    set -l words (commandline -opc) (commandline -ct)
    set -e words[1]
    set -l rest (__fry_run_rest $words)
    set -q rest[1]
    and not string match -q -- '-*' $rest[1]
    and __fish_complete_subcommand --commandline $rest
end

# Print the value at the cursor: a word of its own, or what follows = or the option's letter.
function __fry_run_value
    commandline -ct | string replace -r -- '^(--[a-z-]+=|-[a-zA-Z]*[pr])' ''
end

function __fry_run_schedule
    set -l before (__fry_run_value | string match -r -- '^.*/')
    printf '%s\n' "$before"KILL "$before"$__fry_run_received
end

function __fry_run_rewrite
    set -l from (__fry_run_value | string match -r -- '^[^:]*:')
    if set -q from[1]
        printf '%s\n' $from$__fry_run_signals $from'0'
    else
        printf '%s:\n' $__fry_run_received
    end
end

complete -c fry-run -x -a '(__fry_run_command)'

set -l option complete -c fry-run -n __fry_run_before_command
$option -s k -l kill-after -x -d 'Wait between INT, TERM and KILL'
$option -l stop -x -a '(__fry_run_schedule)' -d 'Set the stop schedule'
$option -s t -l timeout -x -d 'Stop COMMAND after this time'
$option -s p -l parent-death -x -a "$__fry_run_signals" -d 'Act as if SIGNAL was received when the parent dies'
$option -l hangup -d 'Act as if TERM was received when the other end of stdin is closed'
$option -l leftover -x -a 'stop wait leave fail' -d 'What to do with processes that outlive COMMAND'
$option -l scope -x -a 'auto command group tree' -d 'Which processes get forwarded signals'
$option -s g -l group -d 'Forward signals to the group'
$option -s c -l single-child -d 'Forward signals to COMMAND alone'
$option -s r -l rewrite -x -a '(__fry_run_rewrite)' -d 'Forward TO when FROM is received'
$option -l pgroup -x -a 'auto inherit new session' -d 'The process group that COMMAND runs in'
$option -l cgroup -x -a 'new own' -d 'Contain COMMAND in a cgroup v2 as well'
$option -l guard -d 'Kill everything if fry-run is killed'
$option -l no-guard -d 'Run as a single process'
$option -l status -x -a 'mirror code' -d 'Die of the signal that COMMAND died of, or exit 128+N'
$option -s e -l expect -x -d 'Exit with 0 if the exit status of COMMAND is CODE'
$option -s w -l warn-reaped -d 'Name each orphan when it is reaped'
$option -s v -l verbose -d 'Report what is done and why'
$option -l report -r -a 'fd:1 fd:2 fd:3' -d 'Append one line of JSON about the run'
$option -s P -l pause -d 'Run no COMMAND'
$option -s s -d 'No effect'
$option -s l -s L -l license -d 'Print the license'
$option -s h -l help -d 'Print a summary of the options'
$option -s V -l version -d 'Print the version'

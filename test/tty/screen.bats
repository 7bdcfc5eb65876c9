# screen.bats - programs that own the screen, next to themselves without a wrapper, in a real tmux

# $RUN is for the shell on the screen; wait_until and its like call functions.
# shellcheck disable=SC2016,SC2317

# bats file_tags=rounds
load ../lib/helper
load ../lib/screen

setup_more() {
	requires tmux bash dash zsh
}

teardown_more() {
	screens_close
}

# The shell's message about a job that stopped, and the prompt.
STOPPED='*@(Stopped|suspended)*1[0-9][0-9] $*'

under_each_shell() {
	each_shell under_the_shell "$@"
}

under_the_shell() {
	both_open "$shell"
	"$@"
	both_size 80 24
	both_line 'clear; stty -a'
	both_show '*speed*echoke*0 $'
	both_exit
	nothing_left
}

# --- vim, an editor

@test "vim: edit, stop, continue, resize, interrupt, save" {
	requires vim
	under_each_shell vim_script
}

vim_script() {
	cat >vimrc <<-'END'
		set nocompatible noswapfile viminfo= laststatus=2
		set statusline=%f\ %{&columns}x%{&lines}\ %l,%c
	END
	rm -f plain/file wrapped/file
	both_line '$RUN vim -u ../vimrc file'
	both_show '*file 80x24 *New*'
	both_keys i one Enter two Escape
	both_show $'one\ntwo\n~*80x24 2,3*'
	both_keys C-z
	both_show "$STOPPED"
	both_keys fg Enter
	both_show $'one\ntwo\n~*80x24 2,3*'
	both_size 60 15
	both_show $'one\ntwo\n~*60x15 2,3*'
	both_keys C-c
	both_show '*Type*:qa*'
	both_keys :wq Enter
	both_show '*0 $'
	assert_lines wrapped/file one two
}

# --- less, a pager

@test "less: page, stop, continue, resize, interrupt, quit" {
	requires less
	under_each_shell less_script
}

less_script() {
	seq 1 500 | tee plain/file >wrapped/file
	both_line '$RUN less "-Ps%lt-%lb" file'
	both_show '*1-23'
	both_keys Space
	both_show '*24-46'
	both_keys C-z
	both_show "$STOPPED"
	both_line fg
	both_show '*24-46'
	both_size 100 12
	both_show '*24-34'
	both_keys F
	both_show '*500*Waiting for data*'
	both_keys C-c
	both_show '*490-500'
	both_keys q
	both_show '*0 $'
}

@test "less in a pipeline: Ctrl-Z stops both ends, whichever is below fry-run" {
	requires less
	under_each_shell pipe_script
}

pipe_script() {
	local words
	for words in '$RUN seq 500 | less' 'seq 500 | $RUN less' '$RUN seq 500 | $RUN less'; do
		both_line "clear; $words '-Ps%lt-%lb'"
		both_show '*1-23'
		both_keys C-z
		both_show "$STOPPED"
		both_line fg
		both_show '*1-23'
		both_keys G
		both_show '*478-500'
		both_keys q
		both_show '*0 $'
	done
}

@test "less in the background waits for the terminal" {
	requires less
	under_each_shell background_script
}

background_script() {
	seq 1 500 | tee plain/file >wrapped/file
	both_line '$RUN less "-Ps%lt-%lb" file &'
	# The shell may say of it sooner or later, or over what was there: what counts comes after.
	wait_prints 3 stopped_here
	both_line clear
	both_line ''
	both_line 'clear; jobs'
	both_show "*@(Stopped|suspended)*less*0 $"
	both_line fg
	both_show '*1-23'
	both_keys q
	both_show '*0 $'
}

# less twice, and what the shell has started in its place.
stopped_here() {
	local one
	for one in $(left_pids); do state_of "$one"; done | grep -c T
}

# --- top, a screen that changes by itself

@test "top: stop, continue, resize, a key, interrupt" {
	requires top
	normalise() { top_normalise; }
	under_each_shell top_script
}

# The clock, figures in the width they have at the moment, and whether a process runs right now.
top_normalise() {
	sed -E 's/\x1b[[][0-9;]*m//g; s/^top - .*/top/; s/[0-9][0-9.,:]*/0/g; s/ +//g; s/0[DIRS]0/0S0/'
}

top_script() {
	both_line '$RUN top -d 1000 -p 1'
	both_show '*top - *Tasks:*PID USER*'
	both_keys C-z
	both_show "$STOPPED"
	both_line fg
	both_show '*top - *PID USER*'
	both_size 60 14
	both_show '*top - *PID USER*'
	both_keys h
	both_show '*to continue*'
	both_keys q
	both_show '*PID USER*'
	both_keys C-c
	both_show '*PID USER*0 $'
}

# --- a password prompt, which asks the terminal itself

@test "a password prompt on /dev/tty, stdin and stdout being elsewhere" {
	requires python3
	under_each_shell password_script
}

password_script() {
	cat >ask.py <<-'END'
		import getpass, sys
		sys.tracebacklimit = 0
		print(getpass.getpass(), file=sys.stderr)
	END
	both_line '$RUN python3 ../ask.py </dev/null | cat'
	both_show '*Password:'
	both_line one
	both_show $'*Password:\none\n0 $'
	both_line '$RUN python3 ../ask.py </dev/null | cat'
	both_show '*cat*Password:'
	both_keys tw C-z
	both_show "$STOPPED"
	both_line fg
	both_line two
	both_show $'*two*0 $'
	both_line 'clear; $RUN python3 ../ask.py </dev/null'
	both_show '*Password:'
	both_keys secret C-c
	both_show '*KeyboardInterrupt*130 $'
	both_line stty\ sane
	both_show '*0 $'
}

# --- curses

@test "dialog: type, stop, continue, answer, interrupt" {
	requires dialog
	under_each_shell dialog_script
}

dialog_script() {
	local words='$RUN dialog --inputbox name 8 40 2>name'
	both_line "clear; $words"
	both_show '*name*<  OK  >*'
	both_keys abc
	both_show '*name*abc*<  OK  >*'
	both_keys C-z
	both_show "$STOPPED"
	both_line fg
	both_show '*name*abc*<  OK  >*'
	both_keys d Enter
	both_show '*0 $*'
	wait_line wrapped/name abcd
	# Another word, since the first box is on the screen until this one is drawn.
	both_line "clear; ${words/name/again}"
	both_show '*again*<  OK  >*'
	both_keys C-c
	both_show '*1 $*'
	both_line clear
}

@test "a curses program: keys, stop, continue, resize, interrupt" {
	requires python3
	under_each_shell curses_script
}

curses_script() {
	cat >draw.py <<-'END'
		import curses, sys

		def draw(screen):
		    typed = ''
		    while True:
		        rows, columns = screen.getmaxyx()
		        screen.clear()
		        screen.border()
		        screen.addstr(1, 2, f'{columns}x{rows} {typed}', curses.A_REVERSE)
		        key = screen.getch()
		        if key == ord('q'):
		            return
		        if key != curses.KEY_RESIZE:
		            typed += chr(key)

		sys.tracebacklimit = 0
		curses.wrapper(draw)
	END
	both_line '$RUN python3 ../draw.py'
	both_show '*80x24*'
	both_keys abc
	both_show '*80x24 abc*'
	both_keys C-z
	both_show "$STOPPED"
	both_line fg
	both_show '*80x24 abc*'
	both_size 50 10
	both_show '*50x10 abc*'
	both_keys q
	both_show '*0 $'
	both_line '$RUN python3 ../draw.py'
	both_show '*50x10*'
	both_keys C-c
	both_show '*KeyboardInterrupt*130 $'
}

# --- a shell

@test "bash, dash and zsh inside each other have job control of their own, and suspend" {
	under_each_shell shells_script
}

shells_script() {
	local inner
	for inner in 'bash --noprofile --norc' 'dash -i' 'zsh -f'; do
		both_line "clear; PS1='inside \$ ' \$RUN $inner"
		both_show '*inside $'
		both_line 'stty size; sleep 1000'
		both_front sleep
		both_show '*24 80'
		both_keys C-z
		both_show '*sleep 1000*@(Stopped|suspended)*inside $'
		both_line 'sleep 2000 &'
		both_line 'clear; bg; jobs'
		both_show '*[Rr]unning*inside $'
		both_line 'fg %1'
		both_front sleep
		both_keys C-c
		both_show '*^C*inside $'
		both_line 'fg %2'
		both_front sleep
		both_keys C-\\
		both_show '*[Qq]uit*inside $'
		if [[ $inner != dash* ]]; then
			both_line suspend
			both_show "$STOPPED"
			both_line 'clear; fg'
			both_show '*inside $'
		fi
		both_line 'exit 7'
		both_show '*7 $'
	done
}

# --- the end of the terminal

@test "closing the terminal ends the program, the shell and the wrapper" {
	requires vim less top
	normalise() { top_normalise; }
	each_shell hang_up_each
}

hang_up_each() {
	hang_up "$shell" 'vim none' '*none*New*'
	hang_up "$shell" 'top -p 1' '*PID USER*'
	hang_up "$shell" 'less /etc/passwd' '*root*' C-z
	hang_up "$shell" 'sh -c "echo it runs; exec sleep 1000"' $'*\nit runs' C-z
	hang_up "$shell" 'env PS1="inside $ " bash --norc' $'*\ninside $'
}

hang_up() {
	both_open "$1"
	both_line "\$RUN $2"
	both_show "$3"
	if [[ ${4-} ]]; then
		both_keys "$4"
		both_show "$STOPPED"
	fi
	screen_hang_up plain
	screen_hang_up wrapped
	wait_prints '' left_behind
}

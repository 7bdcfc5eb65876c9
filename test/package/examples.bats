# examples.bats - the examples do what they say, as far as they can be run without the service that
# they are for: their commands are run for real, with small programs in place of the user's own

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pid

load ../lib/helper
load ../lib/container

EXAMPLES=$REPO/examples

# The stubs of the user's programs print how they were called. One whose name is in $leaks leaves a process
# behind. The one in $hangs prints `ready` and ignores INT and TERM.
setup_more() {
	local name
	requires shellcheck
	/usr/bin/python3 -c 'import yaml' || requires python3-yaml
	mkdir tools
	ln -s "$FRY_RUN" tools/fry-run
	cat >tools/stub <<-'END'
		#!/bin/sh
		echo "${0##*/}${1:+ $*}"
		case " $leaks " in *" ${0##*/} "*) setsid sleep 1000 >/dev/null 2>&1 & esac
		if [ "$hangs" = "${0##*/}" ]; then
			trap '' INT TERM
			echo "ready $$"
			while :; do sleep 1000; done
		fi
	END
	chmod +x tools/stub
	for name in make terraform my-server my-worker my-backup nginx curl; do
		ln -s stub "tools/$name"
	done
	export PATH=$PWD/tools:$PATH leaks='' hangs=''
}

# query FILE PYTHON: print what the expression gives for d, the documents of a YAML file
query() {
	/usr/bin/python3 -c 'if True:
		import json, sys, yaml
		d = list(yaml.safe_load_all(open(sys.argv[1])))
		for one in eval(sys.argv[2]):
			print(one if isinstance(one, str) else json.dumps(one))
	' "$EXAMPLES/$1" "$2"
}

# The waits of a schedule, in ms.
schedule_ms() {
	grep -o '[0-9.]*s/' <<<"$1/" | awk '{ sum += $1 } END { print sum * 1000 }'
}

# script_checked FILE [SHELL]: it passes shellcheck, as run by this shell with -e
script_checked() {
	sed "1i #!/bin/${2-bash} -e" "$1" | shellcheck -
}

@test "every YAML file can be read, and no example has lost its test" {
	local file
	for file in "$EXAMPLES"/*.yml; do query "${file##*/}" 'd' >/dev/null; done
	assert_equal "$(cd "$EXAMPLES" && printf '%s ' *)" "Dockerfile Dockerfile.multi-stage Jenkinsfile \
Makefile buildkite.yml compose.yml crontab github.yml gitlab.yml kubernetes.yml my-notify-server.service my-server.service script.sh supervisors "
}

# --- GitHub

# github_step NAME: its script into step.sh, the words of its shell into shell
github_step() {
	query github.yml "[s['run'] for s in d[0]['jobs']['test']['steps'] if s.get('name') == '$1']" >step.sh
	read -ra shell < <(query github.yml "[s.get('shell') or d[0]['defaults']['run']['shell']
		for s in d[0]['jobs']['test']['steps'] if s.get('name') == '$1']")
	if [[ ${shell[*]} == bash ]]; then shell=(bash --noprofile --norc -eo pipefail '{0}'); fi
	shell=("${shell[@]/'{0}'/step.sh}")
	script_checked step.sh
}

# test/release/install.bats runs what the action does.
@test "GitHub: fry-run's action is used, in this version and before any other step than the checkout" {
	run query github.yml "[s.get('uses') for s in d[0]['jobs']['test']['steps']]"
	assert_lines - 'actions/checkout@v4' \
		"OWNER/fry-run@v$(sed -n 's/^#define FRY_VERSION "\(.*\)"/\1/p' "$REPO/fry.h")" null null null null
	run query ../action.yml "[d[0]['name'], d[0]['runs']['using']]"
	assert_lines - fry-run composite
}

@test "GitHub: the steps run their commands, and a leak is a failure where it says so" {
	github_step build
	run "${shell[@]}"
	assert_status 0
	assert_lines - make
	github_step apply
	run "${shell[@]}"
	assert_status 0
	assert_lines - 'terraform apply -auto-approve'
	github_step test
	run "${shell[@]}"
	assert_status 0
	assert_lines - 'make check' 'make integration-check'
	leaks='make' run "${shell[@]}"
	assert_status 125
	assert_match "$output" '*fry-run: left behind by COMMAND*: process * (*)*'
	nothing_left
}

@test "GitHub: a cancelled step is over before the runner's KILL, whatever ignores INT and TERM" {
	requires python3
	local step
	for step in build:make test:make init:terraform apply:terraform; do
		github_step "${step%:*}"
		assert_match "${shell[*]} $(<step.sh)" '* --stop=INT/6s/TERM/2s/KILL *'
		# A fifth of the runner's waits, as of the example's.
		sed -i 's|INT/6s/TERM/2s|INT/1.2s/TERM/.4s|' step.sh
		shell=("${shell[@]/INT\/6s\/TERM\/2s/INT\/1.2s\/TERM\/.4s}")
		start step env "hangs=${step#*:}" "leaks=${step#*:}" \
			python3 "$REPO/test/runner.py" --scale .2 -- "${shell[@]}"
		finish step
		cat step.out
		assert_status 0
		assert_equal "$(count_lines step.out '*step over')" 1
		nothing_left
	done
}

# --- GitLab, Buildkite, Jenkins: the script, as their runners give it to a shell

run_script() {
	script_checked job.sh
	run env "$1" bash -e job.sh
	assert_status 0
	assert_lines - make 'make check' 'make integration-check'
	leaks='make' run env "$1" bash -e job.sh
	assert_status 125
	nothing_left
}

@test "GitLab: the job runs, fails for a leak, and ends when its shell is killed" {
	query gitlab.yml "d[0]['test']['script']" >job.sh
	options=FRY_RUN_OPTS=$(query gitlab.yml "[d[0]['variables']['FRY_RUN_OPTS']]")
	run_script "$options"
	printf 'fry-run -- make check\n:\n' >job.sh
	hangs='make' start job env "${options/5s/0.1s}" bash -e job.sh
	ready job
	kill -KILL "$pid"
	wait_gone "${ready[@]}"
	finish job
	wait_until 'nothing to be left' nothing_left
}

@test "Buildkite: the steps run, fail for a leak, and end in order when the job is cancelled" {
	query buildkite.yml "[c for s in d[0]['steps'] if isinstance(s, dict)
		for c in s.get('commands', [s['command']] if 'command' in s else [])]" >lines
	options=FRY_RUN_OPTS=$(query buildkite.yml "[d[0]['env']['FRY_RUN_OPTS']]")
	(($(schedule_ms "$options") < 9000))
	grep '^exec' lines >first.sh
	script_checked first.sh
	hangs='make' start first env "${options/6s/0.1s}" bash -e first.sh
	ready first
	kill -TERM "$pid"
	finish first
	assert_status 137
	sed -i 's/^exec //' lines
	mv lines job.sh
	run_script "$options"
}

@test "Jenkins: the scripts of the pipeline run, and fail for a leak" {
	sed -n "s/^ *sh '\([^']*\)'\$/\1/p" "$EXAMPLES/Jenkinsfile" >job.sh
	sed -n "/sh '''#!/,/'''\$/p" "$EXAMPLES/Jenkinsfile" | sed "s/^ *sh '''//; /^ *'''\$/d; s/exec //" >>job.sh
	assert_equal "$(tr -dc '{' <"$EXAMPLES/Jenkinsfile" | wc -c)" "$(tr -dc '}' <"$EXAMPLES/Jenkinsfile" | wc -c)"
	assert_match "$(<job.sh)" '*#!/bin/sh -e*'
	sed -i '/^#!/d' job.sh
	run_script FRY_RUN_OPTS=
}

# --- compose and Kubernetes

# words FILE EXPRESSION: the words of a container's command into words; its -k is below its grace
words() {
	mapfile -t words < <(query "$1" "$2")
	words[0]=fry-run
}

@test "compose: the worker runs, and -k fits its grace period" {
	words compose.yml "d[0]['services']['worker']['entrypoint'] + d[0]['services']['worker']['command']"
	run "${words[@]}"
	assert_status 0
	assert_lines - 'my-worker --jobs=2'
	assert_equal "${words[1]} ${words[2]}" '-k 50s'
	assert_equal "$(query compose.yml "[d[0]['services']['worker']['stop_grace_period']]")" 60s
	words[2]=0.1s
	hangs=my-worker start worker "${words[@]}"
	ready worker
	kill -TERM "$pid"
	finish worker
	assert_status 137
}

@test "Kubernetes: the containers run, and the waits after TERM fit the grace period" {
	local i pod said=('my-server --port=8080' 'nginx -g daemon off;' my-backup)
	local pods=("d[0]['spec']['template']['spec']" "d[1]['spec']"
		"d[2]['spec']['jobTemplate']['spec']['template']['spec']")
	for i in 0 1 2; do
		pod=${pods[i]}
		words kubernetes.yml "${pod}['containers'][0]['command'] + ${pod}['containers'][0]['args']"
		run "${words[@]}"
		assert_status 0
		assert_lines - "${said[i]}"
		wait=$(grep -o -E -e '-k [0-9]+s|TERM/[0-9]+s' <<<"${words[*]}" | tr -dc 0-9)
		((wait > 0 && wait < $(query kubernetes.yml "[${pod}['terminationGracePeriodSeconds']]")))
	done
	run query kubernetes.yml "[d[2]['spec']['jobTemplate']['spec']['activeDeadlineSeconds']]"
	((output > 2 * 3600 + 25))
}

@test "Kubernetes: TERM of the runtime is QUIT for nginx" {
	words kubernetes.yml "d[1]['spec']['containers'][0]['command']"
	start nginx "${words[@]}" "$BIN/probe" -x QUIT=3
	ready nginx
	kill -TERM "$pid"
	finish nginx
	assert_status 3
	assert_equal "$(count_lines nginx.out TERM)" 0 'TERM heard'
}

# --- Dockerfile

build_setup() {
	requires root podman runc busybox
	root_make
	podman_setup
	mkdir context
	cp "$BIN/probe" context/my-server
}

assert_stops() {
	podman_start server
	ready box
	podman stop --time 60 "$box"
	finish box
	assert_status 143
	assert_heard box.out TERM
	podman_removed
	# Only fry-run reads that.
	podman_run --env 'FRY_RUN_OPTS=-e 7' server "$1" -e 7
	assert_status 0
}

@test "Dockerfile: an image from scratch, of fry-run and a server, that heeds TERM" {
	build_setup
	cp "$FRY_RUN" context/fry-run
	podman build --quiet --isolation chroot --tag server --file "$EXAMPLES/Dockerfile" context
	assert_stops /my-server
}

@test "Dockerfile.multi-stage: only the binary of the first stage is in the image" {
	build_setup
	# A base with a shell, and an apt-get and a make that do as they are told here.
	ln -s busybox "$root/bin/cp"
	ln -s busybox "$root/bin/mkdir"
	printf '#!/bin/sh\n' >"$root/bin/apt-get"
	printf '#!/bin/sh\n[ "$*" = "-C /src PREFIX=/usr DESTDIR=/out install" ] || exit 1
mkdir -p /out/usr/bin && cp /src/built /out/usr/bin/fry-run\n' >"$root/bin/make"
	chmod +x "$root/bin/make" "$root/bin/apt-get"
	rm "$root/fry-run"
	image_make base
	mkdir context/fry-run
	cp "$FRY_RUN" context/fry-run/built
	podman build --quiet --isolation chroot --pull=never --build-arg BASE=localhost/base \
		--tag server --file "$EXAMPLES/Dockerfile.multi-stage" context
	assert_stops my-server
	podman_run --entrypoint '["/bin/sh"]' server -c '[ ! -e /src ] && [ ! -e /out ]'
	assert_status 0
}

# --- on a machine

@test "the systemd units are valid, and systemd's KILL comes after fry-run's" {
	requires systemd-analyze
	local unit
	for unit in my-server.service my-notify-server.service; do
		sed "s|/usr/bin/fry-run|$FRY_RUN|; s|/usr/local/bin/|$PWD/tools/|" "$EXAMPLES/$unit" >"$unit"
		run systemd-analyze verify --man=no --recursive-errors=no "$PWD/$unit"
		assert_lines -
		assert_status 0
		(($(schedule_ms "$(grep -o 'TERM/[^ ]*' "$unit")") < \
			1000 * $(sed -n 's/^TimeoutStopSec=//p' "$unit")))
		sed -n 's/^ExecStart=//p' "$unit" >start.sh
		run sh start.sh
		assert_status 0
		assert_lines - my-server
	done
}

# Cron's environment, without a terminal.
as_cron() {
	run env -i HOME=/ LOGNAME=root SHELL=/bin/sh PATH="$PATH" FRY_TEST="$FRY_TEST" "$@" \
		setsid --wait sh crontab.sh
}

@test "cron: the job runs, and the mail names a leak and a timeout" {
	sed -n 's/^0 3 \* \* \* root //p' "$EXAMPLES/crontab" | sed "s|/usr/local/bin|$PWD/tools|" >crontab.sh
	script_checked crontab.sh sh
	as_cron
	assert_status 0
	assert_match "$output" $'*\nmy-backup\n*'
	as_cron leaks=my-backup
	assert_status 125
	assert_match "$output" '*fry-run: left behind by COMMAND*: process * (*)*'
	sed -i 's/-t 2h/-t 0.2s/; s|TERM/1m|TERM/0.1s|' crontab.sh
	as_cron hangs=my-backup
	assert_status 124
	nothing_left
}

# The programs of the Makefile and the script are beside them.
beside() {
	local name
	for name; do cp tools/stub "$name"; done
	rm tools/make
}

@test "Makefile: recipes run under fry-run, a leak is an error, a test's server is stopped" {
	beside build server run-tests benchmark
	cp "$EXAMPLES/Makefile" .
	run make -s all benchmark
	assert_status 0
	assert_match " ${output//$'\n'/ } " ' build *run-tests *benchmark '
	hangs=server run make -s test
	assert_status 0
	nothing_left
	leaks=build run make -s build
	assert_status 2
	assert_match "$output" '*fry-run: left behind by COMMAND*: process * (*)*Error 125*'
	nothing_left
}

@test "script.sh ends at a leak and passes a signal on to its service and helper" {
	beside migrate self-test helper service
	cp "$EXAMPLES/script.sh" .
	script_checked script.sh sh
	run ./script.sh --port 1
	assert_status 0
	assert_match "$output" $'migrate\nself-test\n*service --port 1*'
	leaks=self-test run ./script.sh
	assert_status 125
	[[ $output != *service* ]]
	sed -i 's/-k 8s/-k 0.1s/' script.sh
	hangs=service leaks=helper start script ./script.sh
	ready script
	kill -TERM "$pid"
	finish script
	assert_status 137
	nothing_left
}

# npm.bats - npm's packages, installed from their files, alone and under what starts commands in node

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

load ../lib/helper

# The packages of this machine alone, and a directory with them and with two tools of the registry.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	(requires node npm)
	npm_quiet
	version=$(sed -n 's/^#define FRY_VERSION "\(.*\)"/\1/p' "$REPO/fry.h")
	arch=$(dpkg --print-architecture)
	mkdir -p tree/build/static app
	tar -C "$REPO" --exclude=./.git --exclude=./build -c . | tar -C tree -x
	cp "$FRY_RUN" "tree/build/static/fry-run-$version-$arch"
	make -s -C tree npm "ARCHES=$arch" >make.log 2>&1 || { cat make.log && return 1; }
	cd app || return
	npm install --silent execa@9 concurrently@9 || return
	npm install --silent --offline ../tree/build/release/npm/*.tgz
}

npm_quiet() {
	unset MAKEFLAGS MAKELEVEL FRY_RUN_OPTS
	export npm_config_update_notifier=false npm_config_audit=false npm_config_fund=false
	export npm_config_cache=$BATS_FILE_TMPDIR/cache
}

setup_more() {
	npm_quiet
	packages=$BATS_FILE_TMPDIR/tree/build/release/npm
	app=$BATS_FILE_TMPDIR/app
	command=$app/node_modules/.bin/fry-run
	export PATH=$app/node_modules/.bin:$PATH
}

@test "npm installs the packages from their files without a network and without scripts" {
	npm install --silent --offline "$packages"/*.tgz
	run npx --no-install fry-run -- true
	assert_status 0
	cmp node_modules/fry-run-linux-*/fry-run "$FRY_RUN"
	assert_equal "$(npx --no-install fry-run --version)" "$("$FRY_RUN" --version)"
	assert_equal "$(grep -rl '"scripts"' node_modules --include=package.json)" '' 'packages with scripts'
}

@test "npm's package has an optional package for each architecture of a release, of one version" {
	local wanted
	wanted=$(cd "$REPO" && make -s --eval='arches: ; @echo $(ARCHES)' arches |
		sed 's/amd64/x64/; s/armhf/arm/; s/i386/ia32/; s/ppc64el/ppc64/' |
		tr ' ' '\n' | sed 's/^/fry-run-linux-/' | sort)
	run node -p 'const p = require(process.argv[1]); new Set(Object.values(p.optionalDependencies)
		.concat(p.version)).size + "\n" + Object.keys(p.optionalDependencies).join("\n")' \
		"$app/node_modules/fry-run/package.json"
	assert_equal "$output" "1"$'\n'"$wanted"
}

@test "make npm makes equal packages twice" {
	sha256sum "$packages"/*.tgz >sums
	make -s -C "$BATS_FILE_TMPDIR/tree" npm "ARCHES=$(dpkg --print-architecture)"
	sha256sum --check --strict sums
}

@test "npx passes on the exit status, and a death by signal" {
	cd "$app"
	run npx --no-install fry-run -- sh -c 'exit 7'
	assert_status 7
	run -127 npx --no-install fry-run -- /no/such/command
	assert_status 127
	run npx --no-install fry-run -- sh -c 'kill -TERM $$'
	assert_status 143
}

@test "the launcher becomes fry-run, so that its caller signals fry-run itself" {
	start it "$command" -- "$BIN/probe" -x HUP=0 -x TERM=3
	ready it
	assert_equal "$(name_of "$pid")" fry-run
	kill -TERM "$pid"
	finish it
	assert_status 3
	assert_lines <(grep -v ready it.out) TERM
}

@test "the launcher passes on arguments as they are, also from a directory with a blank" {
	mkdir 'a b'
	cp -R "$app/node_modules" 'a b'
	run 'a b/node_modules/.bin/fry-run' -- printf '<%s>' '' 'a  b' '*' '$x'
	assert_equal "$output" '<><a  b><*><$x>'
}

@test "the launcher finds its binary in its own node_modules, too, and fails with 125 without one" {
	cp -R "$app/node_modules" .
	mkdir node_modules/fry-run/node_modules
	mv node_modules/fry-run-linux-* node_modules/fry-run/node_modules
	run node_modules/.bin/fry-run -- sh -c 'exit 7'
	assert_status 7
	rm -r node_modules/fry-run/node_modules
	run node_modules/.bin/fry-run -- sh -c 'exit 7'
	assert_status 125
	assert_match "$output" 'fry-run: no binary for this machine: *'
}

@test "execa: exit status, death by signal, and execa's kill pass through fry-run once" {
	cat >"$app/under.mjs" <<-'END'
		import { execa } from 'execa';
		const [signal, ...words] = process.argv.slice(2);
		const child = execa('fry-run', words, { reject: false, stdout: ['pipe', 'inherit'] });
		if (signal) child.stdout.once('data', () => child.kill(signal));
		const { exitCode, signal: died, stdout } = await child;
		console.log(`exit ${exitCode} signal ${died}`);
	END
	run node "$app/under.mjs" '' -- sh -c 'exit 7'
	assert_lines - 'exit 7 signal undefined'
	run node "$app/under.mjs" '' -- sh -c 'kill -TERM $$'
	assert_lines - 'exit undefined signal SIGTERM'
	run node "$app/under.mjs" SIGTERM -- "$BIN/probe" -x TERM=3
	assert_equal "$(sed 1d <<<"$output")" $'TERM\nexit 3 signal undefined'
	# A daemon would outlive execa's kill.
	run node "$app/under.mjs" SIGTERM -- sh -c "$BIN/probe -d -o heard; exec $BIN/probe"
	assert_equal "$(sed 1d <<<"$output")" $'TERM\nexit undefined signal SIGTERM'
	assert_lines <(sed 1d heard) TERM
	nothing_left
}

@test "concurrently: --kill-others is TERM for COMMAND and its daemon, once each" {
	cat >both <<-END
		#!/bin/sh
		$BIN/probe -d -o daemon
		exec $BIN/probe -o command -x TERM=0
	END
	mkfifo go
	chmod +x both
	start it concurrently --raw --kill-others 'fry-run -- ./both' 'read line <go'
	wait_line command 'ready *'
	echo >go
	finish it
	assert_lines <(sed 1d command) TERM
	assert_lines <(sed 1d daemon) TERM
	nothing_left
}

@test "concurrently: a COMMAND that fails makes concurrently fail and name the status" {
	run concurrently 'fry-run -- sh -c "exit 7"'
	assert_status 1
	assert_match "$output" '*exited with code 7'
}

# image.bats - the image of fry-run alone: what is in it, copied from, run, used as podman's init

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

load ../lib/helper
load ../lib/container

# Two architectures: this machine's, which can be run, and one more for the manifest.
setup_more() {
	requires root podman runc busybox dpkg jq
	root_make
	podman_setup
	version=$(sed -n 's/^#define FRY_VERSION "\(.*\)"/\1/p' "$REPO/fry.h")
	own=$(dpkg --print-architecture)
	other=armhf
	mkdir tree
	tar -C "$REPO" --exclude=./.git --exclude=./build -c . | tar -C tree -x
	mkdir -p tree/build/static
	cp "$FRY_RUN" "tree/build/static/fry-run-$version-$own"
	cp "$BIN/probe" "tree/build/static/fry-run-$version-$other"
	image
}

teardown_more() {
	podman_teardown
}

image() {
	make -s -C tree image "ARCHES=$own $other" SOURCE_DATE_EPOCH=1700000000 >make.log 2>&1 ||
		{ cat make.log && return 1; }
}

@test "the image holds the binary and its license, labels, and neither a shell nor a user" {
	podman create --name "$box" "fry-run:$version"
	podman export "$box" | tar -tf - | grep -v '/$' | sort >files
	# podman itself puts the rest there, empty.
	assert_lines <(grep -v -E '^(dev|etc|proc|run|sys)/' files) LICENSE fry-run
	run podman image inspect --format '{{.Config.User}}|{{json .Config.Entrypoint}}|{{.Config.Labels}}' \
		"$(podman inspect --format '{{.Image}}' "$box")"
	assert_match "$output" '|\["/fry-run","--"\]|*image.licenses:MIT *image.title:fry-run *image.version:'"$version"'*'
}

@test "the image's manifest has an entry for each architecture" {
	run jq -r '.manifests[].platform | "\(.os) \(.architecture) \(.variant)"' \
		<(podman manifest inspect "fry-run:$version")
	assert_lines - 'linux amd64 null' 'linux arm v7'
}

@test "make image makes the same digests and the same archive twice" {
	sha256sum "tree/build/release/fry-run-$version.oci.tar" >sums
	podman rmi --all --force >/dev/null
	touch tree/LICENSE
	(umask 077 && TZ=Pacific/Auckland image)
	sha256sum --check --strict sums
}

@test "the archive can be loaded under the image's name, for this machine's architecture" {
	podman manifest rm "fry-run:$version"
	podman rmi --all --force >/dev/null
	podman load --quiet --input "tree/build/release/fry-run-$version.oci.tar"
	podman create --name "$box" "localhost/fry-run:$version"
	podman cp "$box:/fry-run" loaded
	cmp loaded "$FRY_RUN"
}

@test "another image takes the binary from the image by COPY --from" {
	mkdir context
	cp "$BIN/probe" context/my-server
	cat >context/Containerfile <<-END
		FROM scratch
		COPY --from=localhost/fry-run:$version /fry-run /usr/local/bin/
		COPY my-server /
		ENTRYPOINT ["/usr/local/bin/fry-run", "--"]
		CMD ["/my-server"]
	END
	podman build --quiet --isolation chroot --tag server context
	podman_start server
	ready box
	podman stop --time 60 "$box"
	finish box
	assert_status 143
	assert_heard box.out TERM
}

@test "the image's ENTRYPOINT runs a COMMAND that is mounted, and passes its status on" {
	podman_run --volume "$BIN/probe:/probe:ro" "fry-run:$version" /probe -e 7
	assert_status 7
	podman_run "fry-run:$version" /no/such/command
	assert_status 127
}

@test "the image's binary is podman's --init" {
	podman create --name "$box" "fry-run:$version"
	podman cp "$box:/fry-run" init
	podman_removed
	cmp init "$FRY_RUN"
	podman_run --init --init-path "$PWD/init" --rootfs "$root" sh -c 'kill -TERM $$'
	assert_status 143
}

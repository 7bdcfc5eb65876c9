#!/bin/sh
# install.sh [--prefix=DIR] [--version=VERSION] [--sha256=SUM] [--url=URL]
#
# Install the static binary of a release of fry-run for this machine's architecture as DIR/bin/fry-run.
# DIR is /usr/local unless --prefix names another one. The binary must have the checksum in the release's
# SHA256SUMS, or SUM. Otherwise nothing is installed, and the exit status is 1. URL is where the releases
# are; it must be https, except on this machine. An empty value stands for the default.
#
# Everything is in functions, which the last line calls. It has braces, so that a shell that gets only a part
# of this file runs none of it.
set -eu

VERSION=1.0.0
URL=https://example.org/fry-run/releases

die() {
	echo "install.sh: $1" >&2
	exit 1
}

# Debian's name of the architecture. A static binary for arm64 or amd64 also runs where the kernel is a
# 64-bit one and the programs are not.
architecture() {
	case $(uname -s)/$(uname -m) in
	Linux/x86_64) echo amd64 ;;
	Linux/aarch64) echo arm64 ;;
	Linux/armv7* | Linux/armv8*) echo armhf ;;
	Linux/i?86) echo i386 ;;
	Linux/ppc64le) echo ppc64el ;;
	Linux/riscv64) echo riscv64 ;;
	Linux/s390x) echo s390x ;;
	*) die "no binary for $(uname -s) on $(uname -m): build fry-run from its sources" ;;
	esac
}

# fetch URL FILE. Not wget, which follows a redirection from https to http.
fetch() {
	echo "downloading $1"
	curl --fail --silent --show-error --location --proto "=$protocol" --proto-redir "=$protocol" \
		--retry 2 --output "$2" "$1" || die "cannot download $1"
}

sum_of() {
	sha256sum "$1" | cut -d ' ' -f 1
}

main() {
	prefix='' version='' sha256='' url=''
	for argument; do
		case $argument in
		--prefix=*) prefix=${argument#*=} ;;
		--version=*) version=${argument#*=} ;;
		--sha256=*) sha256=${argument#*=} ;;
		--url=*) url=${argument#*=} ;;
		*) die "unknown argument '$argument': [--prefix=DIR] [--version=VERSION] [--sha256=SUM] [--url=URL]" ;;
		esac
	done
	prefix=${prefix:-/usr/local} version=${version:-$VERSION} url=${url:-$URL}
	version=${version#v}
	case $url in
	https://*) protocol=https ;;
	http://127.0.0.1:*) protocol=http ;;
	*) die "not an https URL: $url" ;;
	esac
	command -v curl >/dev/null || die 'curl is missing'
	name=fry-run-$version-$(architecture)

	# On the file system of the destination, so that the last step is a rename: a fry-run that is running is
	# not overwritten, and none is ever incomplete.
	mkdir -p "$prefix/bin"
	trap 'exit 1' HUP INT TERM
	trap 'rm -rf "${work-}"' EXIT
	work=$(mktemp -d "$prefix/bin/.fry-run.XXXXXX")

	if [ -z "$sha256" ]; then
		fetch "$url/v$version/SHA256SUMS" "$work/SHA256SUMS"
		sha256=$(awk -v name="$name" '$2 == name { print $1 }' "$work/SHA256SUMS")
		[ -n "$sha256" ] || die "SHA256SUMS of version $version does not name $name"
	fi
	if [ -x "$prefix/bin/fry-run" ] && [ "$(sum_of "$prefix/bin/fry-run")" = "$sha256" ]; then
		echo "$prefix/bin/fry-run is $name already"
		return
	fi
	fetch "$url/v$version/$name" "$work/fry-run"
	sum=$(sum_of "$work/fry-run")
	[ "$sum" = "$sha256" ] || die "$name has the checksum $sum, not $sha256: nothing is installed"
	chmod 755 "$work/fry-run"
	mv "$work/fry-run" "$prefix/bin/fry-run"
	echo "$prefix/bin/fry-run is $name, SHA-256 $sum"
}

{ main "$@"; }

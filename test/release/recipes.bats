# recipes.bats - the recipes for distributions, as far as they can be checked without these

load ../lib/helper

@test "every recipe has fry-run's version and the project's home" {
	local file version
	version=$(sed -n 's/^#define FRY_VERSION "\(.*\)"/\1/p' "$REPO/fry.h")
	run grep -hoE '(pkgver=|^Version: +|version = "|fry-run-)[0-9][0-9.]*[0-9]' "$REPO"/packaging/{APKBUILD,PKGBUILD,fry-run.*,flake.nix}
	assert_equal "$(grep -oE '[0-9.]+$' <<<"$output" | uniq -c | tr -s ' ')" " 5 $version"
	for file in APKBUILD PKGBUILD fry-run.spec fry-run.rb; do
		grep -q 'https://example.org/fry-run' "$REPO/packaging/$file"
	done
}

@test "shellcheck, rpmspec and rpmlint find no fault in the recipes that they can read" {
	requires shellcheck rpmspec rpmlint
	# The names are for the tools that read the recipes, which also stop at the first failure.
	shellcheck --shell=sh -e SC2034,SC2154 "$REPO/packaging/APKBUILD"
	shellcheck --shell=bash -e SC2034,SC2154,SC2164 "$REPO/packaging/PKGBUILD"
	rpmspec --parse "$REPO/packaging/fry-run.spec" >parsed
	assert_match "$(<parsed)" '*/releases/v*/fry-run-*.tar.gz*'
	run rpmlint "$REPO/packaging/fry-run.spec"
	assert_status 0
	assert_match "$output" '* 0 errors, *'
}

@test "PKGBUILD's steps build and install fry-run from its tarball" {
	local version
	version=$(sed -n 's/^#define FRY_VERSION "\(.*\)"/\1/p' "$REPO/fry.h")
	mkdir "fry-run-$version"
	tar -C "$REPO" --exclude=./.git --exclude=./build --exclude=./test/bin --exclude='./*.[od]' \
		--exclude=./fry-run -c . | tar -C "fry-run-$version" -x
	for step in build check package; do
		env pkgdir="$PWD/installed" bash -euc ". '$REPO/packaging/PKGBUILD'; $step"
	done
	assert_equal "$(installed/usr/bin/fry-run --version)" "fry-run $version"
	cmp installed/usr/share/licenses/fry-run/LICENSE "$REPO/LICENSE"
}

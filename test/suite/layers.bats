#!/usr/bin/env bats
# test/layers, by which `make lint` finds files that need each other. The files are made up here.

load ../lib/helper

# has FILE FUNCTION [CALLED]...: make FILE.o, in which FUNCTION calls the others
has() {
	local called file=$1 function=$2
	shift 2
	{
		for called; do printf 'void %s(void);\n' "$called"; done
		printf 'void %s(void)\n{\n' "$function"
		for called; do printf '%s();\n' "$called"; done
		printf '}\n'
	} >"$file.c"
	cc -O0 -c "$file.c"
}

# includes FILE HEADER...: make FILE, which includes these
includes() {
	local file=$1
	shift
	mkdir -p "$(dirname "$file")"
	printf '#include "%s"\n' "$@" >"$file"
}

@test "test/layers passes calls and includes that go downwards only, and -v prints them" {
	requires cc nm
	has fry main middle_run low_print
	has middle middle_run low_print printf
	has low low_print
	includes fry.h src/middle.h
	run "$REPO/test/layers" fry.o middle.o low.o fry.h
	assert_status 0
	assert_equal "$output" ''
	run "$REPO/test/layers" -v fry.o middle.o low.o fry.h
	assert_status 0
	assert_lines - 'fry.c -> low.c: low_print' 'fry.c -> middle.c: middle_run' \
		'fry.h -> middle.h: #include' 'middle.c -> low.c: low_print'
}

@test "test/layers fails if two files call each other, and names the functions" {
	requires cc nm
	has fry main guard_run
	has guard guard_run reap_start
	has reap reap_start guard_run low_run
	has low low_run
	run "$REPO/test/layers" fry.o guard.o reap.o low.o
	assert_status 1
	assert_lines - 'circle: guard.c -> reap.c: reap_start' 'circle: reap.c -> guard.c: guard_run'
}

@test "test/layers fails if three files call each other in a circle" {
	requires cc nm
	has one one_run two_run
	has two two_run three_run
	has three three_run one_run four_run
	has four four_run
	run "$REPO/test/layers" one.o two.o three.o four.o
	assert_status 1
	assert_lines - 'circle: one.c -> two.c: two_run' 'circle: three.c -> one.c: one_run' \
		'circle: two.c -> three.c: three_run'
}

@test "test/layers fails if a file calls fry.c" {
	requires cc nm
	has fry fry_stop
	has low low_run fry_stop
	run "$REPO/test/layers" fry.o low.o
	assert_status 1
	assert_lines - 'upwards: low.c -> fry.c: fry_stop'
}

@test "test/layers fails if headers include each other, whatever their folders" {
	includes fry.h src/middle.h
	includes src/middle.h low.h
	includes sys/low.h ../fry.h
	run "$REPO/test/layers" fry.h src/middle.h sys/low.h
	assert_status 1
	assert_lines - 'circle: fry.h -> middle.h: #include' 'circle: low.h -> fry.h: #include' \
		'circle: middle.h -> low.h: #include'
}

@test "test/layers fails if an object cannot be read or the objects do not belong together" {
	requires cc nm
	has one one_run two_run
	has two two_run
	run "$REPO/test/layers" one.o two.o missing.o
	assert_status 1
	run "$REPO/test/layers" two.o
	assert_status 1
	assert_match "$output" '*no file needs another one*'
}

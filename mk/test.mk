# mk/test.mk - the test suite. A suite is a folder of test/; `make check SUITES=tty` runs one,
# `make check TESTS=test/tree/reap.bats` one file, FILTER='--filter NAME' some tests of it.

# Suites that `make check` runs side by side, and those that want the processors to themselves.
SUITES = suite build run signals tree tty container attack
ALONE_SUITES = load
TESTS = $(wildcard $(SUITES:%=test/%/*.bats))
ALONE = $(if $(filter-out file,$(origin TESTS) $(origin SUITES)),,$(wildcard $(ALONE_SUITES:%=test/%/*.bats)))
# The tests mostly wait.
JOBS != expr 1 + $$(nproc)
STRESS_SECONDS = 170
SANITIZE = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

# A make in the background of a script ignores INT; fresh makes it default again. Tests of one file
# run one after the other, since bats takes more of the processor to queue tests than they take.
BATS = FRY_RUN=$$(realpath $(B)/fry-run) test/bin/fresh -- bats $(FILTER)
PARALLEL = $(if $(filter 1,$(JOBS)),,--jobs $(JOBS) --no-parallelize-within-files)

# Programs that have a file of their own in test/fixtures, and two that are linked with fry-run.
FIXTURES = $(patsubst test/fixtures/%.c,test/bin/%,\
	$(filter-out %/coverage.c %/sanitize.c %/schedule.c %/silent.c,$(wildcard test/fixtures/*.c)))

# Fixtures are static, since containers without libraries run them.
test/bin/%: test/fixtures/%.c mk/test.mk
	@mkdir -p test/bin
	$(CC) $(GNU) -O2 -static -MMD -MP -MT $@ -MF $@.d -o $@ $<

-include $(FIXTURES:=.d)

$(B)/fry-main.o: fry.c Makefile
	@mkdir -p $(B)
	$(COMPILE) -Dmain=fry_main -Wno-missing-prototypes -MMD -MP -c -o $@ $<

$(B)/schedule: test/fixtures/schedule.c $(B)/fry-main.o $(OBJECTS)
	$(COMPILE) $(LINK) $(LDFLAGS) -o $@ $< $(B)/fry-main.o $(filter-out $(B)/fry.o,$(OBJECTS))

-include $(B)/fry-main.d

$(B)/silent: test/fixtures/silent.c $(OBJECTS)
	$(COMPILE) $(LINK) $(LDFLAGS) -o $@ $^

check: $(B)/fry-run $(B)/schedule $(if $(PORTABLE),,$(B)/silent) $(FIXTURES)
	@status=0; \
	$(BATS) $(PARALLEL) $(TESTS) || status=$$?; \
	[ -z "$(ALONE)" ] || $(BATS) $(ALONE) || status=$$?; \
	exit $$status

# The tests tagged `core` with the other libc, and one process instead of two.
check-glibc:
	FRY_RUN_OPTS=--no-guard $(MAKE) check B=build/glibc CC=cc SUITES='run signals tree' ALONE= \
		FILTER='--filter-tags core'

# `static` is on tests that need a binary that loads no library, `programs` on tests of other programs.
SANITIZED = run signals tree
check-asan:
	$(MAKE) check B=build/asan CC=cc STATIC=-no-pie STRIP= LDFLAGS=test/fixtures/sanitize.c \
		MODE='$(SANITIZE)' SUITES='$(SANITIZED)' ALONE= FILTER='--filter-tags !static,!programs'

# For other systems: POSIX alone, and with a reaper, which test/fixtures/procctl imitates.
PLAYED = -DFRY_PROCCTL -Itest/fixtures/procctl
portable:
	$(MAKE) PORTABLE=1 B=build/portable
	$(MAKE) PORTABLE=1 B=build/procctl CPPFLAGS='$(PLAYED)' LDFLAGS=test/fixtures/procctl/procctl.c
	$(MAKE) PORTABLE=1 B=build/dragonfly CPPFLAGS='$(PLAYED) -DDRAGONFLY' \
		LDFLAGS=test/fixtures/procctl/procctl.c

check-portable: portable
	$(MAKE) check PORTABLE=1 B=build/portable SUITES='build run signals' ALONE= \
		FILTER='--filter-tags posix,!linux'

# Servers and the like, whose packages are large.
check-supervisors: $(B)/fry-run $(FIXTURES)
	$(BATS) $(PARALLEL) test/supervisors/*.bats

# Services of a real systemd, which systemd-nspawn boots once: test/lib/systemd.bash.
check-systemd: $(B)/fry-run $(FIXTURES)
	$(BATS) $(PARALLEL) test/systemd/*.bats

# Another kernel: Debian's package runsc, and what the README's test command installs.
check-gvisor: $(B)/fry-run $(FIXTURES)
	$(BATS) $(PARALLEL) test/gvisor/*.bats

# Programs and libraries that signal what they have started; most are from the npm registry.
CALLERS = build/callers/node_modules/.package-lock.json
$(CALLERS): test/callers/package.json test/callers/package-lock.json
	@mkdir -p build/callers
	cp $^ build/callers
	npm ci --prefix build/callers --ignore-scripts --no-audit --no-fund --silent

build/callers/%.mjs: test/callers/%.mjs $(CALLERS)
	cp $< $@

check-callers: $(B)/fry-run $(FIXTURES) $(CALLERS) build/callers/call.mjs
	$(BATS) $(PARALLEL) test/callers/*.bats

# The packages and documents that are made of the tree, and the examples. CONTRIBUTING.md names the packages.
check-packages: $(B)/fry-run $(FIXTURES)
	$(BATS) $(PARALLEL) test/package/*.bats

# The ways to get fry-run: install.sh, the GitHub action, and the files that mk/release.mk makes.
check-release: $(B)/fry-run $(FIXTURES)
	$(BATS) $(PARALLEL) test/release/*.bats

# The files tagged `rounds` with all their rounds, then random runs and made-up signals by the
# thousand: see stress.c and storm.c.
check-stress: $(B)/fry-run $(FIXTURES)
	$(MAKE) check FILTER='--filter-tags rounds' ROUNDS=all
	test/bin/stress -t $(STRESS_SECONDS) $(B)/fry-run
	test/bin/storm -t $(STRESS_SECONDS) $(B)/fry-run

# The loops of the two processes as a model in Promela, in all orders of events: with spin and gcc.
check-model:
	test/model/check

coverage:
	test/coverage

.PHONY: check check-glibc check-asan check-portable check-supervisors check-packages check-stress \
	check-callers check-model check-systemd check-gvisor portable coverage check-release

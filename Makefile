# make, make check, make install [PREFIX=/usr] [DESTDIR=/tmp/root]; CONTRIBUTING.md tells the rest.
.SUFFIXES:

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man
BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR = $(PREFIX)/share/zsh/site-functions
FISHDIR = $(PREFIX)/share/fish/vendor_completions.d

# musl makes the smaller and faster static binary; glibc's will do.
CC != command -v musl-gcc || echo cc
# What the variants below change: where the objects and the binary go, and how they are made.
B = .
STATIC = -static
MODE = -Os
STRIP = -s
# The tests mostly wait.
JOBS != expr 4 '*' $$(nproc)
# Bombs take all there is, and would starve the others.
ALONE = test/bomb.bats test/cgroup.bats test/stress.bats
TESTS != ls test/*.bats | grep -v -e bomb -e cgroup -e stress -e supervisors -e completion \
	-e examples -e package -e docs
STRESS_SECONDS = 170
FUZZ_SECONDS = 60

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wundef -Wvla -Wcast-qual -Wimplicit-fallthrough
HARDEN = -fno-pie -fstack-protector-strong -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
LINK = $(STATIC) $(STRIP) \
	-Wl,-z,relro,-z,now,-z,noexecstack,-z,noseparate-code,--gc-sections,--build-id=none
# `make PORTABLE=1 B=build/portable`: POSIX alone, and nothing else is declared but on the BSDs.
STANDARD_ = -std=gnu11 -D_GNU_SOURCE $(WARN)
STANDARD_1 = -std=c11 -D_XOPEN_SOURCE=700 -D__BSD_VISIBLE=1 $(WARN)
STANDARD = $(STANDARD_)
COMPILE = $(CC) $(STANDARD_$(PORTABLE)) $(MODE) $(HARDEN) $(CPPFLAGS) $(CFLAGS)
SANITIZE = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

SYSTEM_ = reap.c cgroup.c guard.c linux.c
SYSTEM_1 = portable.c
SOURCES = fry.c signals.c tty.c report.c text.c $(SYSTEM_$(PORTABLE))
OBJECTS_ = $(B)/reap.o $(B)/cgroup.o $(B)/guard.o $(B)/linux.o
OBJECTS_1 = $(B)/portable.o
OBJECTS = $(B)/fry.o $(B)/signals.o $(B)/tty.o $(B)/report.o $(B)/text.o $(OBJECTS_$(PORTABLE))
FIXTURES = test/bin/probe test/bin/pty test/bin/deny test/bin/fresh test/bin/orphans test/bin/bomb \
	test/bin/killer test/bin/number test/bin/parent test/bin/race test/bin/strange \
	test/bin/stress

VERSION != sed -n 's/^.define FRY_VERSION "\(.*\)"/\1/p' fry.h
# By Debian's names; of each its cross compiler and qemu-user-static are needed.
ARCHES = amd64 arm64 armhf i386 ppc64el riscv64 s390x

# What --version says in brackets; nothing, where this is no checkout.
REVISION != [ ! -e .git ] || git describe --always --dirty 2>/dev/null | sed 's/.*/ (&)/'

all: $(B)/fry-run

$(B)/fry-run: $(OBJECTS)
	$(COMPILE) $(LINK) $(LDFLAGS) -o $@ $(OBJECTS)

$(B)/fry.o: fry.c LICENSE $(B)/revision
$(B)/fry.o: DEFINE = -DFRY_REVISION='"$(REVISION)"'
$(B)/signals.o: signals.c
$(B)/reap.o: reap.c
$(B)/tty.o: tty.c
$(B)/cgroup.o: cgroup.c
$(B)/guard.o: guard.c
$(B)/report.o: report.c
$(B)/text.o: text.c
$(B)/linux.o: linux.c
$(B)/portable.o: portable.c
$(OBJECTS): Makefile
	@mkdir -p $(B)
	$(COMPILE) $(DEFINE) -MMD -MP -c -o $@ $(@F:.o=.c)

$(B)/revision: always
	@mkdir -p $(B)
	@echo '$(REVISION)' | cmp -s - $@ || echo '$(REVISION)' >$@

always:

-include $(OBJECTS:.o=.d)

# The pure functions, in a program of their own.
$(B)/schedule: test/schedule.c $(SOURCES) fry.h Makefile
	@mkdir -p $(B)
	$(COMPILE) -Dmain=fry_main -Wno-missing-prototypes -c -o $(B)/fry-main.o fry.c
	$(COMPILE) $(LINK) -I. -o $@ test/schedule.c $(B)/fry-main.o $(SOURCES:fry.c=)

# Fixtures are static whatever fry-run is: containers without libraries run them.
$(FIXTURES): test/fixture.h Makefile
	@mkdir -p test/bin
	$(CC) $(STANDARD) -O2 -static -o $@ test/$(@F).c

test/bin/probe: test/probe.c
test/bin/pty: test/pty.c
test/bin/deny: test/deny.c
test/bin/fresh: test/fresh.c
test/bin/orphans: test/orphans.c
test/bin/bomb: test/bomb.c
test/bin/killer: test/killer.c
test/bin/number: test/number.c
test/bin/parent: test/parent.c
test/bin/race: test/race.c
test/bin/strange: test/strange.c
test/bin/stress: test/stress.c

check: $(B)/fry-run $(B)/schedule $(FIXTURES)
	FRY_RUN=$$(realpath $(B)/fry-run) bats $(FILTER) --jobs $(JOBS) $(TESTS)
	if [ -n "$(ALONE)" ]; then FRY_RUN=$$(realpath $(B)/fry-run) bats $(FILTER) $(ALONE); fi

# The other libc, and one process instead of two.
check-glibc:
	FRY_RUN_OPTS=--no-guard $(MAKE) check B=build/glibc CC=cc ALONE= \
		TESTS="$$(echo test/exit.bats test/forward.bats test/reap.bats test/pl*.bats test/hostile.bats test/stop.bats)"

# Without the files on a binary that needs nothing to be loaded, which this one is not, and without
# those in which the time goes into other programs.
SANITIZED != echo test/[fghlmr]*.bats test/ex*t.bats test/[op][lpt]*.bats test/st[or]p.bats test/cgroup.bats
check-asan:
	$(MAKE) check B=build/asan CC=cc STATIC=-no-pie STRIP= LDFLAGS=test/sanitize.c \
		MODE='$(SANITIZE)' ALONE= FILTER='--filter-tags !static' TESTS="$(SANITIZED)"

# For other systems: POSIX alone, and what runs with a reaper, which test/procctl plays. It compiles
# as there; what those kernels do with it is not known from this.
PORTABLE_TESTS = test/portable.bats test/exit.bats test/forward.bats test/options.bats \
	test/placement.bats test/report.bats test/stop.bats test/transparent.bats
PLAYED = -DFRY_PROCCTL -Itest/procctl
portable:
	$(MAKE) PORTABLE=1 B=build/portable
	$(MAKE) PORTABLE=1 B=build/procctl CPPFLAGS='$(PLAYED)' LDFLAGS=test/procctl/procctl.c
	$(MAKE) PORTABLE=1 B=build/dragonfly CPPFLAGS='$(PLAYED) -DDRAGONFLY' LDFLAGS=test/procctl/procctl.c

check-portable: portable
	$(MAKE) check PORTABLE=1 B=build/portable ALONE= FILTER='--filter-tags !linux' TESTS='$(PORTABLE_TESTS)'

# Servers and the like, whose packages are large.
check-supervisors: $(B)/fry-run $(FIXTURES)
	bats --jobs $(JOBS) test/supervisors.bats

# What is made of the tree, and what comes with it. CONTRIBUTING.md names the packages.
check-packages: $(B)/fry-run $(FIXTURES)
	bats --jobs $(JOBS) test/completion.bats test/docs.bats test/examples.bats test/package.bats

# Thousands of random runs; test/stress.c tells what they are.
check-stress: $(B)/fry-run test/bin/stress
	test/bin/stress -t $(STRESS_SECONDS) $(B)/fry-run

# Each target includes the file that it is about, and is linked with the others.
FUZZ = $(B)/fuzz/options $(B)/fuzz/words $(B)/fuzz/proc $(B)/fuzz/cgroup $(B)/fuzz/report
FUZZED = clang $(STANDARD) -Wno-missing-prototypes -Dmain=fry_main -I. -O1 -g \
	-fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

$(B)/fuzz/options: OTHERS = $(SOURCES:fry.c=)
$(B)/fuzz/words: OTHERS = $(SOURCES)
$(B)/fuzz/proc: OTHERS = $(SOURCES:reap.c=)
$(B)/fuzz/cgroup: OTHERS = $(SOURCES:cgroup.c=)
$(B)/fuzz/report: OTHERS = $(SOURCES:report.c=)
$(B)/fuzz/options: fuzz/options.c
$(B)/fuzz/words: fuzz/words.c
$(B)/fuzz/proc: fuzz/proc.c
$(B)/fuzz/cgroup: fuzz/cgroup.c
$(B)/fuzz/report: fuzz/report.c
$(FUZZ): fuzz/fuzz.h fry.h $(SOURCES) Makefile
	@mkdir -p $(B)/fuzz
	$(FUZZED) -o $@ fuzz/$(@F).c $(OTHERS)

fuzz: $(FUZZ)
	fuzz/run $(B)/fuzz $(FUZZ_SECONDS)

coverage:
	test/coverage

BENCHES = bench/bin/true bench/bin/floors bench/bin/kills bench/bin/work bench/bin/measure \
	bench/bin/figures bench/bin/orphans

# Static like the fixtures, and as small as they get.
$(BENCHES): bench/bench.h test/fixture.h Makefile
	@mkdir -p bench/bin
	$(CC) $(STANDARD) -Os -static -s -o $@ $$(ls bench/$(@F).c test/$(@F).c 2>/dev/null)

bench/bin/true: bench/true.c
bench/bin/floors: bench/floors.c
bench/bin/kills: bench/kills.c
bench/bin/work: bench/work.c
bench/bin/measure: bench/measure.c
bench/bin/figures: bench/figures.c
bench/bin/orphans: test/orphans.c

# As root; BENCH_QUICK=1 for a minute or two rather than ten.
bench: $(B)/fry-run $(BENCHES)
	FRY_RUN=$$(realpath $(B)/fry-run) bench/run

CPPCHECK = cppcheck --quiet --std=c11 --enable=warning,style,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --suppress=unusedStructMember --error-exitcode=1

lint: lint-tidy lint-others

lint-tidy:
	clang-tidy --quiet --warnings-as-errors='*' $(SOURCES) -- $(STANDARD)
	for played in '' '$(PLAYED)' '$(PLAYED) -DDRAGONFLY'; do \
		clang-tidy --quiet --warnings-as-errors='*' portable.c -- $(STANDARD_1) $$played || exit; done

lint-others:
	clang-format --dry-run -Werror *.[ch] test/*.[ch] test/procctl/*.c test/procctl/sys/*.h fuzz/*.[ch] bench/*.[ch]
	$(CPPCHECK) -D_GNU_SOURCE $(SOURCES)
	$(CPPCHECK) --suppress=knownConditionTrueFalse -D_XOPEN_SOURCE=700 portable.c
	for file in $(SOURCES); do gcc $(STANDARD) -O2 -fanalyzer -Werror -c -o /dev/null $$file || exit; done
	for played in '' '$(PLAYED)' '$(PLAYED) -DDRAGONFLY'; do \
		gcc $(STANDARD_1) $$played -O2 -fanalyzer -Werror -c -o /dev/null portable.c || exit; done
	cd test && shellcheck -x *.bats *.bash peers peers-tty smoke coverage ../.ci/run ../fuzz/run ../bench/run \
		../doc/picture ../completions/fry-run.bash
	mandoc -Tlint -Wwarning man/fry-run.1

install: $(B)/fry-run
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 \
		$(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	install -m 755 $(B)/fry-run $(DESTDIR)$(BINDIR)/fry-run
	install -m 644 man/fry-run.1 $(DESTDIR)$(MANDIR)/man1/fry-run.1
	install -m 644 completions/fry-run.bash $(DESTDIR)$(BASHDIR)/fry-run
	install -m 644 completions/_fry-run $(DESTDIR)$(ZSHDIR)/_fry-run
	install -m 644 completions/fry-run.fish $(DESTDIR)$(FISHDIR)/fry-run.fish

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/fry-run $(DESTDIR)$(MANDIR)/man1/fry-run.1 \
		$(DESTDIR)$(BASHDIR)/fry-run $(DESTDIR)$(ZSHDIR)/_fry-run $(DESTDIR)$(FISHDIR)/fry-run.fish

# The manual page for a browser and for paper, and the README's picture from a run of just now. The
# PDF is groff's, since mandoc's has no typewriter face, in which alone the diagram holds together.
docs: $(B)/fry-run
	@mkdir -p build/docs
	sed 's/^\.Os$$/& fry-run $(VERSION)/' man/fry-run.1 >build/docs/fry-run.1
	mandoc -T html -O toc build/docs/fry-run.1 >build/docs/plain.html
	sed '/<style>/r doc/style.css' build/docs/plain.html >build/docs/fry-run.1.html
	groff -dpaper=a4 -P-pa4 -mdoc -T pdf build/docs/fry-run.1 >build/docs/fry-run.1.pdf
	FRY_RUN=$(B)/fry-run doc/picture >build/docs/leak.svg
	cp build/docs/leak.svg doc/leak.svg
	rm build/docs/fry-run.1 build/docs/plain.html

# The last commit, always the same bytes: what decides on them is in the commit or said here.
dist:
	@mkdir -p build
	git -c tar.umask=0022 -c core.autocrlf=false archive --format=tar \
		--prefix=fry-run-$(VERSION)/ HEAD | gzip -9 -n >build/fry-run-$(VERSION).tar.gz
	cd build && sha256sum fry-run-$(VERSION).tar.gz | tee fry-run-$(VERSION).tar.gz.sha256

# The tree as it is, but in a copy, since dpkg-buildpackage writes beside and into what it builds.
deb:
	rm -rf build/deb
	mkdir -p build/deb/source
	tar -c --exclude=./.git --exclude=./build . | tar -x -C build/deb/source
	cd build/deb/source && dpkg-buildpackage -us -uc
	rm -r build/deb/source

# The compiler of this machine's own architecture is the one that `make` takes.
static-all:
	rm -rf build/static
	mkdir -p build/static
	@set -eu; for arch in $(ARCHES); do \
		case $$arch in \
		amd64) triplet=x86_64-linux-gnu cpu=x86_64 ;; \
		arm64) triplet=aarch64-linux-gnu cpu=aarch64 ;; \
		armhf) triplet=arm-linux-gnueabihf cpu=arm ;; \
		i386) triplet=i686-linux-gnu cpu=i386 ;; \
		ppc64el) triplet=powerpc64le-linux-gnu cpu=ppc64le ;; \
		riscv64) triplet=riscv64-linux-gnu cpu=riscv64 ;; \
		s390x) triplet=s390x-linux-gnu cpu=s390x ;; \
		*) echo "$$arch: not one of the architectures" >&2; exit 1 ;; \
		esac; \
		compiler=$$triplet-gcc; \
		if [ "$$($(CC) -dumpmachine)" = $$triplet ]; then compiler='$(CC)'; fi; \
		$(MAKE) B=build/cross/$$arch CC="$$compiler"; \
		cp build/cross/$$arch/fry-run build/static/fry-run-$(VERSION)-$$arch; \
		test/smoke qemu-$$cpu-static build/static/fry-run-$(VERSION)-$$arch; \
	done
	cd build/static && sha256sum fry-run-* | tee SHA256SUMS

clean:
	rm -rf fry-run schedule revision *.o *.d build test/bin bench/bin

.PHONY: all always check check-glibc check-asan check-portable check-supervisors check-packages check-stress portable fuzz coverage bench lint lint-tidy lint-others install uninstall \
	docs dist deb static-all clean

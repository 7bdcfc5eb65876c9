# make, make check, make install [PREFIX=/usr] [DESTDIR=/tmp/root]; CONTRIBUTING.md has the rest.
# GNU make. The tests, the fuzzers, the benchmark, lint and releases are in the files below mk/.
.SUFFIXES:

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man
BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR = $(PREFIX)/share/zsh/site-functions
FISHDIR = $(PREFIX)/share/fish/vendor_completions.d

# musl makes the smaller and faster static binary; glibc works as well.
CC != command -v musl-gcc || echo cc
# A variant changes these: where its objects and its binary go, and how they are made.
B = .
STATIC = -static
MODE = -Os
STRIP = -s

# Every source of the program. The directories are where make and the compiler look for them.
DIRECTORIES = . src sys
COMMON = fry.c signals.c reap.c src/clock.c src/execute.c src/hangup.c src/hint.c src/known.c \
	src/message.c src/options.c src/pending.c src/report.c src/schedule.c src/signame.c src/text.c src/tty.c
LINUX = src/cgroup.c src/cmdline.c src/copies.c src/guard.c src/listing.c src/process.c src/tree.c \
	sys/linux.c
POSIX = src/reaper.c src/tree_posix.c sys/posix.c
SOURCES = $(COMMON) $(if $(PORTABLE),$(POSIX),$(LINUX))
OBJECTS = $(patsubst %.c,$(B)/%.o,$(notdir $(SOURCES)))

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wundef -Wvla -Wcast-qual -Wimplicit-fallthrough
HARDEN = -fno-pie -fstack-protector-strong -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables
LINK = $(STATIC) $(STRIP) \
	-Wl,-z,relro,-z,now,-z,noexecstack,-z,noseparate-code,--gc-sections,--build-id=none
# `make PORTABLE=1 B=build/portable` declares what POSIX has, and what the BSDs add.
GNU = -std=gnu11 -D_GNU_SOURCE $(WARN)
XOPEN = -std=c11 -D_XOPEN_SOURCE=700 -D__BSD_VISIBLE=1 $(WARN)
INCLUDES = $(patsubst %,-I%,$(wildcard $(DIRECTORIES)))
COMPILE = $(CC) $(if $(PORTABLE),$(XOPEN),$(GNU)) $(INCLUDES) $(MODE) $(HARDEN) $(CPPFLAGS) $(CFLAGS)

VERSION != sed -n 's/^.define FRY_VERSION "\(.*\)"/\1/p' fry.h
# --version prints this in brackets; it is empty outside a checkout.
REVISION != [ ! -e .git ] || git describe --always --dirty 2>/dev/null | sed 's/.*/ (&)/'

all: $(B)/fry-run

$(B)/fry-run: $(OBJECTS)
	$(COMPILE) $(LINK) $(LDFLAGS) -o $@ $(OBJECTS)

vpath %.c $(DIRECTORIES)
$(B)/%.o: %.c Makefile
	@mkdir -p $(B)
	$(COMPILE) $(DEFINE) -MMD -MP -c -o $@ $<

$(B)/options.o: LICENSE $(B)/revision
$(B)/options.o: DEFINE = -DFRY_REVISION='"$(REVISION)"'
$(B)/revision: always
	@mkdir -p $(B)
	@echo '$(REVISION)' | cmp -s - $@ || echo '$(REVISION)' >$@

-include $(OBJECTS:.o=.d)

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

clean:
	rm -rf fry-run schedule silent revision *.o *.d build fuzz test/bin bench/bin

include mk/test.mk mk/kernels.mk mk/fuzz.mk mk/bench.mk mk/lint.mk mk/release.mk

always:
.PHONY: all always install uninstall clean

# make, make check, make install [PREFIX=/usr] [DESTDIR=/tmp/root]; CONTRIBUTING.md tells the rest.
.SUFFIXES:

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man

# musl makes the smaller and faster static binary; glibc's will do.
CC != command -v musl-gcc || echo cc
# Where the objects and the binary go, and what the variants of `make check-*` change.
B = .
STATIC = -static -no-pie
MODE = -Os
JOBS != nproc
TESTS = test

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wundef -Wvla -Wcast-qual -Wimplicit-fallthrough
HARDEN = -fstack-protector-strong -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
LINK = $(STATIC) -Wl,-z,relro,-z,now,-z,noexecstack,-z,noseparate-code,--gc-sections,--build-id=none -s
COMPILE = $(CC) -std=gnu11 -D_GNU_SOURCE $(MODE) $(WARN) $(HARDEN) $(CPPFLAGS) $(CFLAGS)

OBJECTS = $(B)/fry.o $(B)/signals.o $(B)/reap.o
FIXTURES = test/bin/probe test/bin/pty test/bin/deny test/bin/orphans test/bin/bomb test/bin/schedule

all: $(B)/fry-run

$(B)/fry-run: $(OBJECTS)
	$(COMPILE) $(LINK) $(LDFLAGS) -o $@ $(OBJECTS)

$(B)/fry.o: fry.c
$(B)/signals.o: signals.c
$(B)/reap.o: reap.c
$(OBJECTS): Makefile
	@mkdir -p $(B)
	$(COMPILE) -MMD -MP -c -o $@ $(@F:.o=.c)

-include $(OBJECTS:.o=.d)

# Fixtures are static whatever fry-run is, since containers without libraries run them.
test/bin/%: test/%.c
	@mkdir -p test/bin
	$(COMPILE) -static -o $@ $<

test/bin/schedule: test/schedule.c fry.c signals.c reap.c fry.h
	@mkdir -p test/bin
	$(COMPILE) -static -I. -Dmain=fry_main -c -o test/bin/fry.o fry.c
	$(COMPILE) -static -I. -o $@ test/schedule.c test/bin/fry.o signals.c reap.c

check: $(B)/fry-run $(FIXTURES)
	FRY_RUN=$$(realpath $(B)/fry-run) bats --jobs $(JOBS) $(TESTS)

clean:
	rm -rf fry-run *.o *.d build test/bin

.PHONY: all check clean

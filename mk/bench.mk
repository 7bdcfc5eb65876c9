# mk/bench.mk - the benchmark; bench/README.md explains it.

BENCHES = $(patsubst bench/%.c,bench/bin/%,$(wildcard bench/*.c)) bench/bin/orphans

# Static like the fixtures, and as small as they get.
bench/bin/%: bench/%.c mk/bench.mk
	@mkdir -p bench/bin
	$(CC) $(GNU) -Os -static -s -MMD -MP -MT $@ -MF $@.d -o $@ $<

bench/bin/orphans: test/fixtures/orphans.c mk/bench.mk
	@mkdir -p bench/bin
	$(CC) $(GNU) -Os -static -s -MMD -MP -MT $@ -MF $@.d -o $@ $<

-include $(BENCHES:=.d)

# As root; BENCH_QUICK=1 takes a minute or two rather than ten.
bench: $(B)/fry-run $(BENCHES)
	FRY_RUN=$$(realpath $(B)/fry-run) bench/run

.PHONY: bench

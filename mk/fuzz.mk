# mk/fuzz.mk - libFuzzer targets. Each includes the sources that it is about, with <>, since its own
# name may be equal, and is linked with the others.

FUZZ_SECONDS = 60
FUZZ = $(patsubst test/fuzz/%.c,$(B)/fuzz/%,$(wildcard test/fuzz/*.c))
FUZZED = clang $(GNU) -Wno-missing-prototypes -Dmain=fry_main $(INCLUDES) -O1 -g \
	-fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

$(B)/fuzz/%: test/fuzz/%.c test/fuzz/fuzz.h $(SOURCES) $(wildcard *.h src/*.h sys/*.h) mk/fuzz.mk
	@mkdir -p $(@D)
	others=; for source in $(SOURCES); do \
		grep -q "^#include <$${source##*/}>" $< || others="$$others $$source"; done; \
	$(FUZZED) -o $@ $< $$others

fuzz: $(FUZZ)
	test/fuzz/run $(B)/fuzz $(FUZZ_SECONDS)

.PHONY: fuzz

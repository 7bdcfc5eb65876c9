# mk/lint.mk - static analysis, style, which file needs which, shell scripts, the manual page.

CPPCHECK = cppcheck --quiet --std=c11 --enable=warning,style,performance,portability \
	--inline-suppr --suppress=missingIncludeSystem --suppress=unusedStructMember \
	--error-exitcode=1 $(INCLUDES)
LINTED = $(wildcard $(addsuffix /*.c,$(DIRECTORIES)))
LINTED_POSIX = $(filter $(POSIX) $(addprefix %/,$(POSIX)),$(LINTED))
LINTED_LINUX = $(filter-out $(LINTED_POSIX),$(LINTED))
# The three ways to compile for POSIX.
EACH_PLAYED = for played in '' '$(PLAYED)' '$(PLAYED) -DDRAGONFLY'; do

SCRIPTS = test/*/*.bats test/*/*.bash test/peers test/peers-tty test/smoke test/coverage test/layers \
	test/fuzz/run test/kernels/run test/kernels/fetch test/model/check .ci/run bench/run doc/picture \
	completions/fry-run.bash install.sh npm/fry-run.sh

lint: lint-tidy lint-gcc lint-others

# Checks that need no other packages than the build.
lint-gcc: $(OBJECTS) portable
	test/layers $(OBJECTS) $(wildcard $(addsuffix /*.h,$(DIRECTORIES)))
	for build in portable procctl dragonfly; do test/layers build/$$build/*.o || exit; done
	for file in $(LINTED_LINUX); do \
		gcc $(GNU) $(INCLUDES) -O2 -fanalyzer -Werror -c -o /dev/null $$file || exit; done
	$(EACH_PLAYED) for file in $(LINTED_POSIX); do \
		gcc $(XOPEN) $(INCLUDES) $$played -O2 -fanalyzer -Werror -c -o /dev/null $$file || exit 1; \
		done || exit; done

lint-tidy:
	clang-tidy --quiet --warnings-as-errors='*' $(LINTED_LINUX) -- $(GNU) $(INCLUDES)
	$(EACH_PLAYED) clang-tidy --quiet --warnings-as-errors='*' $(LINTED_POSIX) -- \
		$(XOPEN) $(INCLUDES) $$played || exit; done

lint-others:
	clang-format --dry-run -Werror $$(find . -path ./build -prune -o -type f -name '*.[ch]' -print)
	$(CPPCHECK) -D_GNU_SOURCE $(LINTED_LINUX)
	$(CPPCHECK) --suppress=knownConditionTrueFalse -D_XOPEN_SOURCE=700 $(LINTED_POSIX)
	shellcheck -x -P SCRIPTDIR $(SCRIPTS)
	mandoc -Tlint -Wwarning man/fry-run.1

.PHONY: lint lint-tidy lint-gcc lint-others

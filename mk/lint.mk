# mk/lint.mk - static analysis, style, shell scripts, the manual page.

CPPCHECK = cppcheck --quiet --std=c11 --enable=warning,style,performance,portability \
	--inline-suppr --suppress=missingIncludeSystem --suppress=unusedStructMember \
	--error-exitcode=1 $(INCLUDES)
LINTED = $(wildcard $(addsuffix /*.c,$(DIRECTORIES)))
LINTED_POSIX = $(filter $(POSIX) $(addprefix %/,$(POSIX)),$(LINTED))
LINTED_LINUX = $(filter-out $(LINTED_POSIX),$(LINTED))
# The three ways to compile for POSIX.
EACH_PLAYED = for played in '' '$(PLAYED)' '$(PLAYED) -DDRAGONFLY'; do

lint: lint-tidy lint-others

lint-tidy:
	clang-tidy --quiet --warnings-as-errors='*' $(LINTED_LINUX) -- $(GNU) $(INCLUDES)
	$(EACH_PLAYED) clang-tidy --quiet --warnings-as-errors='*' $(LINTED_POSIX) -- \
		$(XOPEN) $(INCLUDES) $$played || exit; done

lint-others:
	clang-format --dry-run -Werror $$(find . -path ./build -prune -o -type f -name '*.[ch]' -print)
	$(CPPCHECK) -D_GNU_SOURCE $(LINTED_LINUX)
	$(CPPCHECK) --suppress=knownConditionTrueFalse -D_XOPEN_SOURCE=700 $(LINTED_POSIX)
	for file in $(LINTED_LINUX); do \
		gcc $(GNU) $(INCLUDES) -O2 -fanalyzer -Werror -c -o /dev/null $$file || exit; done
	$(EACH_PLAYED) for file in $(LINTED_POSIX); do \
		gcc $(XOPEN) $(INCLUDES) $$played -O2 -fanalyzer -Werror -c -o /dev/null $$file || exit 1; \
		done || exit; done
	cd test && shellcheck -x */*.bats lib/*.bash peers peers-tty smoke coverage fuzz/run \
		../.ci/run ../bench/run ../doc/picture ../completions/fry-run.bash
	mandoc -Tlint -Wwarning man/fry-run.1

.PHONY: lint lint-tidy lint-others

# mk/kernels.mk - `make check-kernels` makes the checks of test/kernels/runner.c on Debian's kernels, each in a
# virtual machine without KVM; needs qemu-system-x86 and busybox-static. KERNELS=sid takes one of them.

# Suites of Debian: Linux 5.10, 6.1, 6.12, and the newest.
KERNELS = bullseye bookworm trixie sid
MACHINE = build/kernels/root

test/bin/runner: test/kernels/runner.c test/fixtures/fixture.h mk/kernels.mk
	@mkdir -p test/bin
	$(CC) $(GNU) -O2 -static -o $@ $<

# The root: fry-run, what a check starts, and the runner as process 1.
$(MACHINE).cpio: $(B)/fry-run test/bin/runner test/bin/probe test/bin/orphans test/bin/bomb
	rm -rf $(MACHINE)
	mkdir -p $(MACHINE)/bin $(MACHINE)/dev $(MACHINE)/proc $(MACHINE)/sys $(MACHINE)/tmp
	cp $(B)/fry-run test/bin/probe test/bin/orphans test/bin/bomb $(MACHINE)
	cp test/bin/runner $(MACHINE)/init
	cp $$(command -v busybox) $(MACHINE)/bin/busybox
	for name in sh sleep true cat; do ln -s busybox $(MACHINE)/bin/$$name || exit; done
	cd $(MACHINE) && find . | busybox cpio -o -H newc >$(CURDIR)/$@

# Downloaded once; `rm -r build/kernels` makes room for newer ones.
build/kernels/%/vmlinuz:
	test/kernels/fetch $* build/kernels/$*

check-kernels: $(MACHINE).cpio $(KERNELS:%=build/kernels/%/vmlinuz)
	test/kernels/run $(MACHINE).cpio $(KERNELS:%=build/kernels/%)

.PHONY: check-kernels

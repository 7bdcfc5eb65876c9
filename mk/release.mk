# mk/release.mk - the files of a release: documents, tarball, package, binaries.

# Debian's names; each needs its cross compiler and qemu-user-static.
ARCHES = amd64 arm64 armhf i386 ppc64el riscv64 s390x

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
		echo "$$arch $$compiler: $$($$compiler --version | head -n 1)" >build/cross/$$arch/compiler; \
		cp build/cross/$$arch/fry-run build/static/fry-run-$(VERSION)-$$arch; \
		test/smoke qemu-$$cpu-static build/static/fry-run-$(VERSION)-$$arch; \
	done
	cd build/static && sha256sum fry-run-* | tee SHA256SUMS

# npm's packages, from the binaries of static-all: the launcher, and one package for each architecture.
npm:
	rm -rf build/npm build/release/npm
	mkdir -p build/npm/fry-run build/release/npm
	@set -eu; for arch in $(ARCHES); do \
		case $$arch in \
		amd64) cpu=x64 ;; \
		armhf) cpu=arm ;; \
		i386) cpu=ia32 ;; \
		ppc64el) cpu=ppc64 ;; \
		*) cpu=$$arch ;; \
		esac; \
		mkdir build/npm/fry-run-linux-$$cpu; \
		install -m 755 build/static/fry-run-$(VERSION)-$$arch build/npm/fry-run-linux-$$cpu/fry-run; \
		sed "s/@VERSION@/$(VERSION)/; s/@CPU@/$$cpu/" npm/platform.json \
			>build/npm/fry-run-linux-$$cpu/package.json; \
	done
	install -m 755 npm/fry-run.sh build/npm/fry-run/fry-run.sh
	sed 's/@VERSION@/$(VERSION)/' npm/package.json >build/npm/fry-run/package.json
	for package in build/npm/*; do \
		install -m 644 LICENSE npm/README.md $$package && chmod 644 $$package/package.json && \
		npm pack --silent --pack-destination build/release/npm ./$$package || exit; done

# An image of the binaries of static-all for podman and docker, with a manifest for all architectures.
# Times are those of the last commit, or SOURCE_DATE_EPOCH, so that the digest is always the same.
SOURCE_DATE_EPOCH != git log -1 --format=%ct 2>/dev/null || stat -c %Y fry.h
IMAGE = fry-run:$(VERSION)
image:
	rm -rf build/image build/release/fry-run-$(VERSION).oci.tar
	mkdir -p build/image build/release
	if podman manifest exists $(IMAGE); then podman manifest rm $(IMAGE); fi
	podman manifest create $(IMAGE)
	@set -eu; for arch in $(ARCHES); do \
		case $$arch in \
		armhf) platform=linux/arm/v7 ;; \
		i386) platform=linux/386 ;; \
		ppc64el) platform=linux/ppc64le ;; \
		*) platform=linux/$$arch ;; \
		esac; \
		install -m 755 build/static/fry-run-$(VERSION)-$$arch build/image/fry-run; \
		install -m 644 LICENSE build/image/LICENSE; \
		podman build --quiet --platform $$platform --timestamp $(SOURCE_DATE_EPOCH) \
			--identity-label=false --isolation chroot --build-arg VERSION=$(VERSION) \
			--manifest $(IMAGE) --file doc/Containerfile build/image; \
	done
	podman manifest push --quiet --all --format oci $(IMAGE) oci:build/image/oci:$(IMAGE)
	tar -C build/image/oci --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner \
		--mode=u+rw,go=rX -cf build/release/fry-run-$(VERSION).oci.tar .

# Everything for a release of the last commit, from its tarball, so that neither a change that is not
# committed nor a file of an earlier build is in it. The sums are the same each time.
RELEASED = build/source/build
release: dist
	rm -rf build/release build/source
	mkdir -p build/release build/source
	tar -xf build/fry-run-$(VERSION).tar.gz -C build/source --strip-components=1
	for target in static-all npm image deb; do \
		$(MAKE) -C build/source $$target SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) || exit; done
	cp build/fry-run-$(VERSION).tar.gz $(RELEASED)/static/fry-run-* $(RELEASED)/deb/*.deb install.sh build/release
	cp -R $(RELEASED)/release/* build/release
	{ echo 'revision $(shell git rev-parse HEAD)' && cat $(RELEASED)/cross/*/compiler && \
		echo 'flags $(GNU) $(MODE) $(HARDEN) $(LINK)'; } >build/release/PROVENANCE
	sum=$$(sha256sum <build/fry-run-$(VERSION).tar.gz) && sed 's/@VERSION@/$(VERSION)/g; '"s/@SUM@/$${sum%% *}/; \
		s/@REVISION@/$(shell git rev-parse HEAD)/; s/@DATE@/$$(date -u -d @$(SOURCE_DATE_EPOCH) +%FT%TZ)/" \
		doc/sbom.spdx >build/release/fry-run-$(VERSION).spdx
	cd build/release && LC_ALL=C && sha256sum $$(find . -type f | sed 's|^\./||' | sort) >../SHA256SUMS
	mv build/SHA256SUMS build/release
	rm -r build/source

.PHONY: docs dist deb static-all npm image release

# setup_suite.bash - boot systemd before the tests of this folder, and end it after them
# shellcheck shell=bash

# shellcheck disable=SC2034 # the helper finds everything from there
BATS_TEST_DIRNAME=${BASH_SOURCE[0]%/*}
load ../lib/helper
load ../lib/systemd

setup_suite() {
	systemd_boot
}

teardown_suite() {
	systemd_end
}

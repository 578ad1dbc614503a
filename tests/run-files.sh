#!/bin/bash
# Runs tests of node, one file after the other (they measure, so they must not disturb
# each other), each within FILE_TIMEOUT seconds:
#   run-files.sh KIND FILE…
# SECOND_TRY=1: what failed is run once more at the end and named in any case; a file
# that passes only then depends on something that it should not.
set -u
kind=$1
shift
run() {
	timeout -k 10 "${FILE_TIMEOUT:-600}" node --test --test-reporter=spec "$1"
}
passed=0 failed=() again=()
for t in "$@"; do
	if run "$t"; then
		passed=$((passed + 1))
	else
		failed+=("$t")
	fi
done
if [ "${SECOND_TRY:-0}" = 1 ] && [ ${#failed[@]} -gt 0 ] && [ ${#failed[@]} -le 2 ]; then
	for t in "${failed[@]}"; do
		echo "$kind: $t failed and is run once more"
		if run "$t"; then
			passed=$((passed + 1))
			echo "$kind: $t PASSED ONLY AT THE SECOND RUN"
		else
			again+=("$t")
		fi
	done
	failed=("${again[@]}")
fi
echo "$kind: $passed files passed, ${#failed[@]} failed ${failed[*]}"
[ ${#failed[@]} -eq 0 ]

#!/bin/bash
# Runs tests/integration/*.test.mjs one after the other (they measure, so they
# must not disturb each other) against MCU_BIN and BOT_BIN. INTEGRATION=name
# runs only files whose name contains it.
set -u
cd "$(dirname "$0")/.."
shopt -s nullglob
passed=0 failed=()
for t in tests/integration/*"${INTEGRATION:-}"*.test.mjs; do
	if timeout -k 10 "${INTEGRATION_TIMEOUT:-600}" node --test --test-reporter=spec "$t"; then
		passed=$((passed + 1))
	else
		failed+=("$t")
	fi
done
if [ $((passed + ${#failed[@]})) -eq 0 ]; then
	echo "integration: no tests yet"
	exit 0
fi
echo "integration: $passed files passed, ${#failed[@]} failed ${failed[*]}"
[ ${#failed[@]} -eq 0 ]

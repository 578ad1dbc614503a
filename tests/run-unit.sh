#!/bin/bash
# Runs the given cmocka programs, each under a time limit; prints a failing
# program's output and one closing line. Exit status 1 if any failed.
set -u
passed=0 failed=0 log=$(mktemp)
trap 'rm -f "$log"' EXIT
for t in "$@"; do
	if timeout -k 5 "${UNIT_TIMEOUT:-120}" "$t" >"$log" 2>&1; then
		n=$(grep -c '^\[       OK \]' "$log")
		passed=$((passed + n))
		echo "ok   $t ($n)"
	else
		echo "FAIL $t (exit $?)"
		cat "$log"
		passed=$((passed + $(grep -c '^\[       OK \]' "$log")))
		n=$(grep '^\[  FAILED  \] [a-z]' "$log" | sort -u | wc -l)
		failed=$((failed + (n > 0 ? n : 1)))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

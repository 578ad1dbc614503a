#!/bin/bash
# Runs the given cmocka programs, each under a time limit, as many at a time as
# there are cores; prints a failing program's output and one closing line. Exit
# status 1 if any failed.
set -u
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export logs UNIT_TIMEOUT=${UNIT_TIMEOUT:-120}

run_one() {
	local log=$logs/${1//\//_}
	timeout -k 5 "$UNIT_TIMEOUT" "$1" >"$log" 2>&1
	local code=$?
	grep -c '^\[       OK \]' "$log" >"$log.ok"
	if [ $code -eq 0 ]; then
		echo "ok   $1 ($(cat "$log.ok"))"
		return
	fi
	local n
	n=$(grep '^\[  FAILED  \] [a-z]' "$log" | sort -u | wc -l)
	echo $((n > 0 ? n : 1)) >"$log.bad"
	printf '%s\n%s\n' "FAIL $1 (exit $code)" "$(cat "$log")"
}
export -f run_one

printf '%s\0' "$@" | xargs -0 -r -n 1 -P "${UNIT_JOBS:-$(nproc)}" bash -c 'run_one "$0"'
total() { find "$logs" -name "*.$1" -exec cat {} + | awk '{ n += $1 } END { print n + 0 }'; }
passed=$(total ok) failed=$(total bad)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

#!/bin/bash
# run.sh FOLDER SECONDS NAME...: fuzzes each target for an equal share of the
# seconds. New inputs stay in the build folder; a crash is kept there and printed.
set -eu
bin=$1 seconds=$2
shift 2
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || { echo "fuzz: no targets"; exit 0; }
share=$((seconds / $#))
[ "$share" -ge 1 ] || share=1
for name in "$@"; do
	found="$bin/found/$name" log="$bin/fuzz_$name.log"
	mkdir -p "$found" "tests/fuzz/corpus/$name"
	dict=()
	[ ! -f "tests/fuzz/corpus/$name.dict" ] || dict=(-dict="tests/fuzz/corpus/$name.dict")
	if ! "$bin/fuzz_$name" "${dict[@]}" -max_total_time="$share" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
		-print_final_stats=1 -artifact_prefix="$found/" "$found" "tests/fuzz/corpus/$name" \
		>"$log" 2>&1; then
		tail -n 60 "$log"
		echo "FAIL fuzz_$name; the input is in $found, reproduce: $bin/fuzz_$name FILE"
		exit 1
	fi
	echo "ok   fuzz_$name $(sed -n 's/^stat::number_of_executed_units: */runs: /p' "$log")"
done
echo "fuzz: $# targets, $share s each, no failure"

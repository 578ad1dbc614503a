#!/bin/bash
# replay.sh FOLDER NAME...: runs every fuzzer once over its seeds and on no input.
set -eu
bin=$1
shift
cd "$(dirname "$0")/../.."
for name in "$@"; do
	timeout -k 5 120 "$bin/replay_$name" "tests/fuzz/corpus/$name"
done
echo "fuzz-replay: $# fuzzers passed"

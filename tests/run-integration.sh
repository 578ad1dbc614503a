#!/bin/bash
# Runs tests/integration/*.test.mjs against MCU_BIN and BOT_BIN. INTEGRATION=name runs
# only files whose name contains it.
set -u
cd "$(dirname "$0")/.."
shopt -s nullglob
files=(tests/integration/*"${INTEGRATION:-}"*.test.mjs)
[ ${#files[@]} -gt 0 ] || { echo "integration: no file's name contains \"${INTEGRATION:-}\""; exit 1; }
exec tests/run-files.sh integration "${files[@]}"

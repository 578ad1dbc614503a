#!/bin/bash
# Runs the end-to-end tests against the server that MCU_BIN names.
set -euo pipefail
cd "$(dirname "$0")"
top=$(cd ../.. && pwd)
export MCU_BIN=${MCU_BIN:-$top/build/release/mcu}
export E2E_OUT=${E2E_OUT:-$top/build/e2e}
mkdir -p "$E2E_OUT"
if [ ! -d node_modules/playwright-core ] || [ package.json -nt node_modules/.package-lock.json ]; then
	npm ci --silent --no-progress
fi
exec node --test --test-concurrency=1 "$@" ./*.test.mjs

#!/bin/bash
# Runs the end-to-end tests against the server that MCU_BIN names:
#   run.sh [NAME]       only NAME.test.mjs
#   run.sh screenshot [states]   the pictures of the README, or of every state
set -euo pipefail
top=$(realpath "$(dirname "$0")/../..")
MCU_BIN=$(realpath "${MCU_BIN:-$top/build/release/mcu}")
BOT_BIN=$(realpath "${BOT_BIN:-$top/build/release/mcu-bot}")
E2E_OUT=$(realpath -m "${E2E_OUT:-$top/build/e2e}")
export MCU_BIN BOT_BIN E2E_OUT
cd "$top/tests/e2e"
mkdir -p "$E2E_OUT"
if [ ! -d node_modules/playwright-core ] || [ package.json -nt node_modules/.package-lock.json ]; then
	npm ci --silent --no-progress
fi
[ "${1:-}" != screenshot ] || exec node screenshot.mjs "${@:2}"
exec ../run-files.sh e2e ./${1:-*}.test.mjs

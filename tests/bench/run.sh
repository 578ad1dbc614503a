#!/bin/bash
# `make bench`: makes the media once, then measures (see run.mjs).
set -euo pipefail
cd "$(dirname "$0")/../.."
export MEDIA=${MEDIA:-build/media}
if [ ! -e "$MEDIA/MD5SUMS" ]; then
	echo "making the media of the benches in $MEDIA (about a minute, once)" >&2
	tests/bench/media.sh "$MEDIA" >&2
fi
exec node tests/bench/run.mjs "$@"

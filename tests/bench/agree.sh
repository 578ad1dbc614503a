#!/bin/bash
# Compares the floor programs here with another build of such yardsticks, in
# turn on the same media, and prints for each command both medians and the ratio.
# Fails when one is off by more than 10 %.
#
#   FLOOR_DIR=build/release tests/bench/agree.sh YARDSTICK_DIR [ROUNDS [SECONDS]]
#
# YARDSTICK_DIR: where room_floor, audio_floor and fanout_floor are.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: $0 YARDSTICK_DIR [ROUNDS [SECONDS]]" >&2; exit 2; }
cd "$(dirname "$0")/../.."
theirs=$1 rounds=${2:-5} seconds=${3:-8}
ours=${FLOOR_DIR:-build/release} media=${MEDIA:-build/media}
[ -e "$media/MD5SUMS" ] || tests/bench/media.sh "$media"
commands=(
	"room_floor --media $media --asm avx2 --paced"
	"room_floor --media $media --asm default"
	"audio_floor --media $media --talkers 10 --paced"
	"fanout_floor --viewers 500 --each --feedback 11"
	"fanout_floor --viewers 50 --each --feedback 11"
	"fanout_floor --viewers 500 --cm"
	"fanout_floor --viewers 1000 --each --feedback 11 --audio-only"
)
figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
for ((round = 0; round < rounds; round++)); do
	for i in "${!commands[@]}"; do
		for side in "$ours" "$theirs"; do
			# shellcheck disable=SC2086
			line=$("$side"/${commands[$i]} --seconds "$seconds")
			echo "$i $([ "$side" = "$ours" ] && echo ours || echo theirs) $line" >>"$figures"
		done
	done
done
median() { # command, side
	awk -v i="$1" -v side="$2" '$1 == i && $2 == side { print $5 }' "$figures" | sort -n |
		awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'
}
status=0
for i in "${!commands[@]}"; do
	a=$(median "$i" ours) b=$(median "$i" theirs)
	awk -v a="$a" -v b="$b" -v c="${commands[$i]}" 'BEGIN {
		printf "agree %.3f  ours %.1f theirs %.1f  %s\n", a / b, a, b, c
		exit a / b < 0.9 || a / b > 1.1 }' || status=1
done
exit $status

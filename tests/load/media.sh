#!/bin/bash
# Makes the clips that tests recognise: every sender has its own colour and tone.
#
#   tests/load/media.sh DIR
#
# colour0..7.h264  640x360, 30 fps, 4 s, constrained baseline, 500 kb/s, an IDR
#                  every 2 s: one colour under faint noise (see colours.txt)
# tone0..9.ogg     48 kHz mono Opus, 20 ms, 4 s, a sine of 0.2 of full scale
#                  (see tones.txt). Whole periods per packet, so a loop has no
#                  click; no tone is a harmonic or a difference of others.
# Needs ffmpeg. Does nothing when they are there already.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 DIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
colours=(c83232 32a03c 3246c8 d2be32 be3cb4 32b4be dc7828 828282)
tones=(400 500 650 850 1150 1500 1950 2450 2750 3050)
done_mark="$out/clips-3"
[ -e "$done_mark" ] && exit 0
FF="ffmpeg -v error -nostdin -y -threads 1 -filter_threads 1"

for i in "${!colours[@]}"; do
	$FF -f lavfi -i "color=0x${colours[$i]}:s=640x360:r=30:d=4,format=yuv420p,noise=alls=5:allf=t:all_seed=$i" \
		-c:v libx264 -preset veryfast -tune zerolatency -profile:v baseline -refs 1 -g 60 -sc_threshold 0 \
		-b:v 500k -maxrate 500k -bufsize 500k -x264-params threads=1:slices=1 \
		-flags +bitexact -f h264 "$out/colour$i.h264"
done
for i in "${!tones[@]}"; do
	$FF -f lavfi -i "aevalsrc=0.2*sin(2*PI*${tones[$i]}*t):s=48000:d=5" -frames:a 200 -ac 1 -c:a libopus -b:a 48k \
		-application audio -frame_duration 20 -flags +bitexact -fflags +bitexact -f ogg "$out/tone$i.ogg"
done
printf '%s\n' "${colours[@]}" >"$out/colours.txt"
printf '%s\n' "${tones[@]}" >"$out/tones.txt"
touch "$done_mark"

#!/bin/bash
# fuzz-coverage.sh FOLDER: what the fuzzers' seeds reach of our parsers of network
# octets, from the .gcda files that replaying them left: lines, and branches taken
# both ways. Listed are the files that read what a stranger sends.
set -eu
parsers='mcu/net/(candidate|demux|datachannel)|mcu/rest_body|mcu/tokens|mcu/room/rtp_demux|mcu/rtp/(packet|rtcp|depay|layers|payload_[a-z0-9]+|video_rx)
mixer/codec/(h264_sps|[a-z0-9]+_header)|signaling/(sdp|neg_[a-z]+|negotiate|protocol|utf8|whip[a-z_]*|http_text|rtsp_[a-z]+|hls_ask)
mcu/data_relay|mcu/media/wire|storage/(mp4_scan|mkv_[a-z]+|ebml|track_file|push_url|search_text)'
want="^($(tr '\n' '|' <<<"$parsers" | sed 's/|$//'))\\.c\$"
find "$1" -name '*.gcda' -print0 | xargs -0 -r gcov -n -b 2>/dev/null |
	awk -v want="$want" '
	/^File / { file = substr($2, 2, length($2) - 2) }
	/^Lines executed:/ { split($2, l, ":"); lines = l[2] + 0 }
	/^No branches/ { if (file ~ want && !(file in seen)) { seen[file] = 1; printf "%6.1f%%          -   %s\n", lines, file | "sort -n" } }
	/^Taken at least once:/ {
		split($4, b, ":"); taken = b[2] + 0; n = $6
		if (file ~ want && !(file in seen)) {
			seen[file] = 1
			printf "%6.1f%% %6.1f%% of %4d  %s\n", lines, taken, n, file | "sort -k2n"
			all += n; hit += n * taken / 100
		}
	}
	BEGIN { print "  lines branches" }
	END {
		close("sort -k2n"); close("sort -n")
		if (all) printf "        %6.1f%% of %4d  branches of all\n", 100 * hit / all, all
	}'

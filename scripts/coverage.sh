#!/bin/bash
# coverage.sh FOLDER: executed lines by source file, from the .gcda files of a
# coverage build, the least covered first.
set -eu
find "$1" -name '*.gcda' -not -path '*/tests/*' -print0 |
	xargs -0 -r gcov -n 2>/dev/null |
	awk '/^File / { file = substr($2, 2, length($2) - 2) }
	/^Lines executed:/ {
		split($2, part, ":"); share = part[2] + 0; lines = $4
		if (file ~ /^(mcu|mixer|signaling|storage)\/.*\.c$/ && !(file in seen)) {
			seen[file] = 1
			printf "%6.1f%% of %5d  %s\n", share, lines, file | "sort -n"
			all += lines; hit += lines * share / 100
		}
	}
	END {
		close("sort -n")
		if (all) printf "%6.1f%% of %5d  all\n", 100 * hit / all, all
	}'

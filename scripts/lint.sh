#!/bin/bash
# Checks of `make lint` beyond what gcc said during the build: thread roles by
# clang, every header alone, include direction, sizes of files and functions.
# Prints each finding and one closing line. LINT_CPPFLAGS and LINT_WARN come
# from the Makefile.
set -u
cd "$(dirname "$0")/.."
JOBS=${JOBS:-2}
findings=$(mktemp)
trap 'rm -f "$findings"' EXIT

# What is in the tree, committed or about to be.
mapfile -t sources < <(git ls-files -co --exclude-standard '*.c' | sort -u)
mapfile -t headers < <(git ls-files -co --exclude-standard '*.h' | sort -u)

section() {
	echo "lint: $1"
}

section "thread roles (clang)"
check_with_clang() { # flag; file names, each ended by NUL, on standard input
	xargs -0 -r -P "$JOBS" -n 8 clang -std=c11 $LINT_CPPFLAGS -fsyntax-only -Wall -Wextra -Wno-string-concatenation "$1" \
		-Werror >>"$findings" 2>&1
}
# a test plays every role from one thread
printf '%s\0' "${sources[@]}" | grep -zv '^tests/' | check_with_clang -Wthread-safety
printf '%s\0' "${sources[@]}" | grep -z '^tests/' | check_with_clang -Wno-thread-safety

section "every header alone (gcc)"
printf '%s\0' "${headers[@]}" |
	xargs -0 -P "$JOBS" -n 16 gcc -std=c11 $LINT_CPPFLAGS $LINT_WARN -fsyntax-only >>"$findings" 2>&1

section "include direction, sizes, habits"
awk -f scripts/lint-text.awk "${sources[@]}" "${headers[@]}" >>"$findings"

section "length of functions (ctags)"
ctags -x --c-kinds=f --_xformat='%n %e %N %F' -f - "${sources[@]}" "${headers[@]}" 2>/dev/null |
	awk '$2 - $1 + 1 > 60 { printf "%s:%d: %s() has %d lines, at most 60\n", $4, $1, $3, $2 - $1 + 1 }' \
		>>"$findings"

section "scripts and pages"
git ls-files -co --exclude-standard -z 'web/*.js' 'tests/*.mjs' '*.sh' | xargs -0 -r wc -l |
	awk '$1 > 600 && $2 != "total" { print $2 ": " $1 " lines, at most 600" }' >>"$findings"
while read -r f; do
	bash -n "$f" 2>>"$findings"
done < <(git ls-files -co --exclude-standard '*.sh' .ci/run)
if command -v node >/dev/null; then
	git ls-files -co --exclude-standard -z 'web/*.js' 'web/*.mjs' 'tests/*.mjs' |
		xargs -0 -r -P "$JOBS" -n 1 node --check >>"$findings" 2>&1
fi

if [ -s "$findings" ]; then
	cat "$findings"
	echo "lint: failed"
	exit 1
fi
echo "lint: ${#sources[@]} sources and ${#headers[@]} headers are clean"

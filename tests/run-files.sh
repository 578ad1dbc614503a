#!/bin/bash
# Runs tests of node, one file after the other (they measure, so they must not disturb
# each other), each within FILE_TIMEOUT seconds:
#   run-files.sh KIND FILE…
# Files that say "// Beside others." mostly wait, and measure nothing: BESIDE of them at a
# time, before the rest; what each said is shown when it has ended.
# SECOND_TRY=1: what failed is run once more at the end and named in any case; a file
# that passes only then depends on something that it should not.
set -u
kind=$1
shift
run() {
	timeout -k 10 "${FILE_TIMEOUT:-600}" node --test --test-reporter=spec "$1"
}
passed=0 failed=() again=() beside=() alone=()
for t in "$@"; do
	if grep -q '^// Beside others\.$' "$t"; then beside+=("$t"); else alone+=("$t"); fi
done
# note FILE STATUS
note() {
	if [ "$2" = 0 ]; then passed=$((passed + 1)); else failed+=("$1"); fi
}
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
for i in "${!beside[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "${BESIDE:-3}" ]; do wait -n; done
	{
		run "${beside[i]}" >"$said/$i" 2>&1
		echo $? >"$said/$i.status"
	} &
done
wait
for i in "${!beside[@]}"; do
	cat "$said/$i"
	note "${beside[i]}" "$(cat "$said/$i.status")"
done
for t in "${alone[@]}"; do
	run "$t"
	note "$t" $?
done
if [ "${SECOND_TRY:-0}" = 1 ] && [ ${#failed[@]} -gt 0 ] && [ ${#failed[@]} -le 2 ]; then
	for t in "${failed[@]}"; do
		echo "$kind: $t failed and is run once more"
		if run "$t"; then
			passed=$((passed + 1))
			echo "$kind: $t PASSED ONLY AT THE SECOND RUN"
		else
			again+=("$t")
		fi
	done
	failed=("${again[@]}")
fi
echo "$kind: $passed files passed, ${#failed[@]} failed ${failed[*]}"
[ ${#failed[@]} -eq 0 ]

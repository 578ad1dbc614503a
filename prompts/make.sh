#!/bin/sh
# make.sh MAKER OUT: the sound files of all announcements, in OUT/LANGUAGE/NAME.wav;
# those without words in OUT/.
set -eu
maker=$1 out=$2
here=$(dirname "$0")
raw=$out/raw.wav
tab=$(printf '\t')

mkdir -p "$out"
for text in "$here"/*.txt; do
	language=$(basename "$text" .txt)
	rm -rf "${out:?}/$language"
	mkdir "$out/$language"
	grep -v '^#' "$text" | while IFS=$tab read -r name sentence; do
		# what a language has no word for is nothing to hear
		[ -n "$sentence" ] || continue
		espeak-ng -v "$language" -s 150 -w "$raw" "$sentence"
		"$maker" shape "$raw" "$out/$language/$name.wav"
	done
done
rm -f "$raw"
for sound in music join leave; do
	"$maker" $sound "$out/$sound.wav"
done

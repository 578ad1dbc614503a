# Line-based rules: include direction, own header first, file size, habits.
# Prints "file:line: what". Run from the top of the tree.

function say(what) { printf "%s:%d: %s\n", FILENAME, FNR, what }

# Which parts of the tree a file may include from.
function allowed(file) {
	if (file ~ /^tests\// || file ~ /^mcu\/[^\/]*$/) return "."
	if (file ~ /^mcu\/media\//) return "^mcu/(base|media)/"
	if (file ~ /^mcu\/base\//) return "^mcu/base/"
	if (file ~ /^mcu\/rtp\//) return "^mcu/(base|rtp)/"
	if (file ~ /^mcu\/net\//) return "^mcu/(base|rtp|net)/"
	if (file ~ /^mcu\/room\//) return "^(mcu/(base|rtp|net|room)|mixer)/"
	if (file ~ /^mixer\/codec\//) return "^(mcu/base|mixer/codec|mixer/(video/vframe|audio/(dsp|rate))\\.h)"
	if (file ~ /^mixer\/audio\//) return "^(mcu/base|mixer/audio)/"
	if (file ~ /^mixer\/video\//) return "^(mcu/base|mixer/video)/"
	if (file ~ /^signaling\//) return "^(mcu/base|signaling)/"
	if (file ~ /^storage\//) return "^(mcu/base|storage)/"
	return "^$"
}

function exists(path,   line, there) {
	there = (getline line < path) >= 0
	close(path)
	return there
}

function end_of_file() {
	if (sees_net && sees_mixer && last_file !~ /\/(ingress|tick|egress|engine)[^\/]*$/)
		printf "%s:1: of mcu/room only ingress, tick and egress (and engine) may include both " \
			"mcu/net and mixer: hand frames over instead\n", last_file
	if (!guarded) printf "%s:1: the include guard should be %s\n", last_file, guard
}

FNR == 1 {
	if (last_file != "") end_of_file()
	last_file = FILENAME
	may = allowed(FILENAME)
	sees_net = sees_mixer = 0
	first = ""
	own = FILENAME
	sub(/\.c$/, ".h", own)
	if (FILENAME !~ /\.c$/ || FILENAME ~ /^tests\// || !exists(own)) own = ""
	guard = FILENAME
	gsub(/[^A-Za-z0-9]/, "_", guard)
	guard = toupper(guard)
	guarded = FILENAME !~ /\.h$/
}

/^#include "/ {
	split($0, part, "\"")
	if (!exists(part[2]))
		say("include \"" part[2] "\" is not a path from the top of the tree")
	else if (part[2] !~ may)
		say("may not include \"" part[2] "\": includes go downward only (CONTRIBUTING.md)")
}
FILENAME ~ /^mcu\/room\// && /^#include "mcu\/net\// { sees_net = 1 }
FILENAME ~ /^mcu\/room\// && /^#include "mixer\// { sees_mixer = 1 }
/^#include / && first == "" {
	first = $2
	if (own != "" && first != "\"" own "\"") say("its own header \"" own "\" must be included first")
}
$0 == "#ifndef " guard || $0 == "#ifndef MCU_" guard { guarded = 1 }
FNR == 601 { say("the file has more than 600 lines") }
/[ \t]$/ { say("white space at the end of the line") }
/^typedef (struct|union)/ { say("no typedef of structs") }
/^     *[^ *]/ { say("indent with tabs") }
length($0) > 200 { say("the line is too long") }
END { end_of_file() }

#!/bin/bash
# Installs the Debian packages that are still missing, by purpose:
#   install-deps.sh run|test|lint
# Needs root or sudo only when something is missing. The README says what each
# package is for.
set -euo pipefail
run=(gcc make pkg-config libc6-dev libavcodec-dev libavformat-dev libavutil-dev libswscale-dev libswresample-dev
	libx264-dev libvpx-dev libaom-dev libopus-dev libspeexdsp-dev libyuv-dev libpango1.0-dev
	libpoppler-glib-dev libsrtp2-dev libusrsctp-dev libssl-dev nettle-dev
	libnice-dev libglib2.0-dev libwebsockets-dev libwebsockets-evlib-glib libjansson-dev
	libsqlite3-dev zlib1g-dev libyaml-dev libargon2-dev fonts-dejavu-core fonts-noto-cjk
	libsofia-sip-ua-dev libsofia-sip-ua-glib-dev libbcg729-dev libspandsp-dev espeak-ng)
test=(libcmocka-dev ffmpeg sox sqlite3 chromium firefox-esr coturn iproute2 nftables
	baresip-core baresip-ffmpeg sip-tester
	gstreamer1.0-tools gstreamer1.0-nice gstreamer1.0-plugins-{base,good,bad,ugly} gstreamer1.0-libav
	python3-gi python3-yaml gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0)
lint=(clang clang-format libclang-rt-14-dev universal-ctags)
case ${1:-} in
run) want=("${run[@]}") ;;
test) want=("${run[@]}" "${test[@]}") ;;
lint) want=("${run[@]}" "${test[@]}" "${lint[@]}") ;;
*) echo "usage: $0 run|test|lint" >&2; exit 2 ;;
esac
# node and npm come from Debian only where no other Node.js (18 or newer) is there.
if [ "$1" != run ]; then
	command -v node >/dev/null || want+=(nodejs)
	command -v npm >/dev/null || want+=(npm)
fi
missing=()
for p in "${want[@]}"; do
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "installing from Debian: ${missing[*]}"
sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || { echo "run this as root, or install sudo: ${missing[*]} are missing" >&2; exit 1; }
	sudo=sudo
fi
$sudo apt-get update -q
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends "${missing[@]}"

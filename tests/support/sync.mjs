// How far pictures and sound of a file are apart: a clip that flashes and beeps at the same
// moments, and what has become of them.
import { execFileSync } from 'node:child_process';

import { middles } from './media.mjs';

const FLASH_S = 0.1, RATE = 48000, DARK = 80, LIT = 140, LOUD = 0.02, QUIET_S = 0.2, PAIR_S = 0.4;

// White and 1 kHz for a tenth of a second in each second, from 0.5 s on.
export function flashes(file, seconds) {
	execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i',
		`color=c=black:s=320x180:r=30:d=${seconds},drawbox=t=fill:c=white:enable='lt(mod(t+0.501,1),${FLASH_S})'`,
		'-f', 'lavfi', '-i', `aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t+0.5,1),${FLASH_S})':s=${RATE}:d=${seconds}`,
		'-c:v', 'libx264', '-preset', 'ultrafast', '-g', '60', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '128k', file]);
}

// Moments (s) from which on the middle of the picture is bright.
function lights(file) {
	const all = middles(file);
	return all.filter(({ rgb }, i) => i && rgb[1] > LIT && all[i - 1].rgb[1] < DARK).map(({ t }) => t);
}

// And from which on it is loud, after it was not.
function beeps(file) {
	const raw = execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-vn', '-af', 'aresample=async=1:first_pts=0', '-ac', '1', '-ar', String(RATE), '-f', 'f32le', '-'], { maxBuffer: 1 << 28 });
	const pcm = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length - raw.length % 4));
	const out = [];
	let last = -RATE;
	pcm.forEach((x, i) => {
		if (Math.abs(x) < LOUD)
			return;
		if (i - last > QUIET_S * RATE)
			out.push(i / RATE);
		last = i;
	});
	return out;
}

// ms by which the picture is later than its sound, of each beep that has a flash.
export function offsets(file) {
	const seen = lights(file);
	return beeps(file).map((b) => seen.map((s) => (s - b) * 1000).sort((x, y) => Math.abs(x) - Math.abs(y))[0])
		.filter((ms) => Math.abs(ms) < PAIR_S * 1000);
}

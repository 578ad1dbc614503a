// Media that only some benches need, made from the cameras when it is asked for.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { media } from './report.mjs';

function ffmpeg(args) {
	const r = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args.map(String)], { encoding: 'utf8' });
	if (r.status !== 0) {
		console.error(`ffmpeg ${args.join(' ')} failed: ${r.stderr ?? r.error}`);
		process.exit(2);
	}
}

const x264 = (kbps, gop) => ['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-profile:v', 'baseline',
	'-refs', 1, '-g', gop, '-sc_threshold', 0, '-b:v', `${kbps}k`, '-maxrate', `${kbps}k`, '-bufsize', `${kbps}k`,
	'-x264-params', 'threads=1:slices=1', '-f', 'h264'];

// A folder of media with the voices of the others, filled once.
function folder(name, fill) {
	const dir = join(media, name);
	if (existsSync(join(dir, 'done'))) return dir;
	mkdirSync(dir, { recursive: true });
	for (const f of readdirSync(media).filter((n) => n.startsWith('voice')))
		if (!existsSync(join(dir, f))) symlinkSync(resolve(media, f), join(dir, f));
	fill(dir);
	writeFileSync(join(dir, 'done'), '');
	return dir;
}

// The cameras, and beside each the same in that size, as a browser would scale it.
export const sizedMedia = (width, height, kbps) =>
	folder(`${width}x${height}-${kbps}`, (dir) => {
		for (let i = 0; i < 4; i++) {
			const cam = resolve(media, `cam${i}.h264`);
			if (!existsSync(join(dir, `cam${i}.h264`))) symlinkSync(cam, join(dir, `cam${i}.h264`));
			ffmpeg(['-i', cam, '-vf', `scale=${width}:${height}:flags=area`, ...x264(kbps, 60),
				join(dir, `cam${i}-${width}x${height}.h264`)]);
		}
	});

// A camera in the dark: so much noise that the encoder never has too many bits.
export const noisyMedia = (kbps) =>
	folder(`noisy-${kbps}`, (dir) =>
		ffmpeg(['-i', join(media, 'cam0.h264'), '-vf', 'noise=alls=24:allf=t:all_seed=7', ...x264(kbps, 60), join(dir, 'cam0.h264')]));

// One picture of a camera in the place of a slide, sent as a browser sends a
// screen on which nothing moves.
export const slideMedia = (fps) =>
	folder(`slide-${fps}`, (dir) =>
		ffmpeg(['-i', join(media, 'cam720.h264'), '-frames:v', 1, '-f', 'image2', join(dir, 'slide.png')]) ??
		ffmpeg(['-loop', 1, '-framerate', fps, '-i', join(dir, 'slide.png'), '-t', 60, '-pix_fmt', 'yuv420p',
			...x264(1500, 60 * fps), join(dir, 'cam0.h264')]));

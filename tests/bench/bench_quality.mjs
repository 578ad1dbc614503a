// How good the composed picture is: against the ideal mosaic of its sources,
// and against what ffmpeg makes of it at the same rate.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, runBot, runFloor, startServer } from './harness.mjs';
import { asm, expectServed, fail, media, print, quick, serverSettings, spread, wholeWork } from './report.mjs';

const SENDERS = 4, SKIP = 60, FRAMES = quick ? 180 : 300, FPS = 30;

// Nothing in the picture but the tiles.
const BARE = JSON.stringify({ type: 'layout', layout: 'grid', order: 'join',
	overlays: { names: false, speaker_border: false, clock: false, recording_time: false, logo: false, banner: '' } });

const cam = (i) => join(media, `cam${i}.h264`);

const measure = (file, corners) =>
	runFloor('mosaic_psnr', ['--skip', SKIP, '--frames', FRAMES, file, ...corners.map(([x, y], i) => `${cam(i)}:${x},${y}`)]);

const kbpsOf = (line) => Number(/kbps=(\d+)/.exec(line.keys)[1]);

function reference(file, kbps) {
	const inputs = [0, 1, 2, 3].flatMap((i) => ['-stream_loop', -1, '-framerate', FPS, '-i', cam(i)]);
	const x264 = `threads=1:slices=1${asm === 'avx2' ? ':asm=avx2' : ''}`;
	const r = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...inputs, '-filter_complex',
		'[0][1][2][3]xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0', '-r', FPS, '-frames:v', SKIP + FRAMES, '-c:v', 'libx264',
		'-preset', 'superfast', '-tune', 'zerolatency', '-profile:v', 'baseline', '-g', 1000000, '-b:v', `${kbps}k`,
		'-maxrate', `${kbps}k`, '-bufsize', `${kbps / 2}k`, '-x264-params', x264, '-f', 'h264', file].map(String), { encoding: 'utf8' });
	if (r.status !== 0) {
		console.error(`ffmpeg failed: ${r.stderr}`);
		process.exit(2);
	}
}

// What ffmpeg makes of it when it ends up at that rate, and not only aims at it.
function atRate(file, kbps) {
	let aim = kbps, best;
	for (let tries = 0; tries < 3; tries++) {
		reference(file, aim);
		best = measure(file, [[0, 0], [640, 0], [0, 360], [640, 360]]);
		if (Math.abs(kbpsOf(best) / kbps - 1) < 0.01) break;
		aim = Math.round((aim * kbps) / kbpsOf(best));
	}
	return best;
}

export const names = ['psnr_delta_db'];

export async function run() {
	const dir = mkdtempSync(join(tmpdir(), 'mcu-quality-'));
	const mcu = await startServer([...serverSettings, ...wholeWork, 'video.transition_ms=0']);
	const deltas = [];
	let server, ref;
	for (let i = 0; i < (quick ? 1 : 3); i++) {
		const file = join(dir, 'server.h264');
		// One after the other, so that the order of joining is that of the cameras.
		const r = expectServed(await runBot(['--url', mcu.url, '--media', media, '--room', `bare-${i}`, '--senders', SENDERS,
			'--send-only-video', '--viewers', 1, '--ramp', 5, '--say', BARE, '--h264', file,
			'--seconds', Math.ceil((SKIP + FRAMES) / FPS) + 1]).done);
		const tiles = r.participants.at(-1).events.tiles;
		const corners = r.participants.slice(0, SENDERS).map((p) => tiles.find((t) => t.leg === p.leg)).map((t) => [t.x, t.y]);
		if (r.participants.at(-1).video.lost) fail('packets were lost on the way to the file');
		server = measure(file, corners);
		ref = atRate(join(dir, 'ffmpeg.h264'), kbpsOf(server));
		deltas.push(server.figure - ref.figure);
	}
	await mcu.stop();
	rmSync(dir, { recursive: true, force: true });
	print('psnr_delta_db', median(deltas), 'dB', { ...spread(deltas), server_db: server.figure, server_kbps: kbpsOf(server),
		ffmpeg_db: ref.figure, ffmpeg_kbps: kbpsOf(ref), frames: FRAMES,
		repeated: Number(/repeated=(\d+)/.exec(server.keys)[1]), left_out: Number(/left_out=(\d+)/.exec(server.keys)[1]) });
}

// Rooms with video: what one costs against its floor, against ffmpeg, and how it grows.

import { join } from 'node:path';
import { costOf, median, runBot, runFloor, runProgram, sleep, startServer } from './harness.mjs';
import { sizedMedia, slideMedia } from './media.mjs';
import { asm, expectServed, fail, media, print, printRatio, rounds, seconds, serverCost, serverSettings, shown, warmUp, wholeWork } from './report.mjs';

const FPS = 30, SLIDE_FPS = 5;

const floor = () => runFloor('room_floor', ['--media', media, '--asm', asm, '--paced', '--seconds', seconds]).figure;

// What one would run without a server: the same pictures into the same encoder,
// and nothing sent. `alone` has one thread for each part, which costs less than
// what ffmpeg does by itself; `sound` mixes the voices too.
async function ffmpeg({ alone, sound }) {
	const one = alone ? ['-threads', 1] : [];
	const inputs = [0, 1, 2, 3].flatMap((i) =>
		['-re', '-stream_loop', -1, ...one, '-framerate', FPS, '-i', join(media, `cam${i}.h264`)]);
	const voices = sound ? [0, 1, 2, 3].flatMap((i) => ['-re', '-stream_loop', -1, '-i', join(media, `voice${i}.ogg`)]) : [];
	const mix = sound ? ['-filter_complex', '[4][5][6][7]amix=inputs=4', '-c:a', 'libopus', '-b:a', '32k', '-compression_level', 5] : [];
	const x264 = `threads=1:slices=1${asm === 'avx2' ? ':asm=avx2' : ''}`;
	const p = runProgram('ffmpeg', ['-v', 'error', '-nostdin', ...(alone ? ['-filter_complex_threads', 1] : []), ...inputs, ...voices, ...mix, '-filter_complex',
		'[0][1][2][3]xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0', '-r', FPS, '-c:v', 'libx264', '-preset', 'superfast',
		'-tune', 'zerolatency', '-profile:v', 'baseline', '-g', 1000000, '-b:v', '1500k', '-maxrate', '1500k',
		'-bufsize', '750k', '-x264-params', x264, '-f', 'null', '-']);
	await sleep((warmUp + 1) * 1000);
	const cost = await costOf(p.pid, seconds);
	if (!p.isRunning()) fail(`ffmpeg ended: ${p.errors()}`);
	await p.stop();
	return cost;
}

// One receiver last, of whom it is asked what was shown.
const room4 = (name) => [['--room', name, '--senders', 4, '--send-only-video', '--viewers', 1]];

// Everybody sends what the server asks for; two talk.
const grid = (name, n, dir) =>
	[['--room', name, '--media', dir, '--senders', n, '--talkers', 2, '--adapt', '--send-only-video', '--viewers', 1]];

// Four without a camera, one with a slide that nobody moves; one of the four talks.
const still = (name, dir) => [
	['--room', name, '--name', 'avatar-', '--senders', 4, '--talkers', 1, '--no-video', '--send-only-video'],
	['--room', name, '--name', 'slide-', '--media', dir, '--senders', 1, '--talkers', 0, '--fps', SLIDE_FPS,
		'--send-only-video', '--viewers', 1],
];

// The size of tile that n senders are asked for.
async function tileSize(server, n) {
	const b = runBot(['--url', server.url, '--media', media, '--room', `size${n}`, '--senders', n, '--talkers', 2,
		'--send-only-video', '--viewers', 1, '--seconds', 1]);
	return expectServed(await b.done).participants[0].uplink;
}

async function cost(server, list, bots) {
	const r = await serverCost(server, bots);
	list.push(r.cost);
	return shown(r.results.at(-1));
}

export const names = ['room4_ratio', 'room4_vs_ffmpeg', 'grid9_ratio', 'grid25_ratio', 'static_ratio'];

export async function run(wants) {
	const cpu = { floor: [], ffmpeg: [], alone: [], sound: [], room4: [], grid9: [], grid25: [], still: [] };
	const seen = {}, tile = {}, dir = {};
	const mcu = await startServer([...serverSettings, ...wholeWork]);
	for (const n of [9, 25].filter((k) => wants(`grid${k}_ratio`))) {
		tile[n] = await tileSize(mcu, n);
		dir[n] = sizedMedia(tile[n].width, tile[n].height, tile[n].max_kbps);
	}
	const slides = wants('static_ratio') && slideMedia(SLIDE_FPS);
	for (let i = 0; i < rounds; i++) {
		if (wants('room4_ratio')) cpu.floor.push(floor());
		if (wants('room4_vs_ffmpeg')) {
			cpu.ffmpeg.push(await ffmpeg({}));
			cpu.alone.push(await ffmpeg({ alone: true }));
			if (!i) cpu.sound.push(await ffmpeg({ sound: true }));
		}
		seen.room4 = await cost(mcu, cpu.room4, room4(`four-${i}`));
		for (const n of [9, 25])
			if (wants(`grid${n}_ratio`)) seen[`grid${n}`] = await cost(mcu, cpu[`grid${n}`], grid(`grid${n}-${i}`, n, dir[n]));
		if (wants('static_ratio')) seen.still = await cost(mcu, cpu.still, still(`still-${i}`, slides));
	}
	await mcu.stop();
	// Who is not shown all pictures costs less.
	for (const [what, s] of Object.entries(seen))
		if (what !== 'still' && s.fps < 0.97 * FPS) fail(`${what}: ${s.fps.toFixed(1)} pictures a second were shown, not ${FPS}`);
	const room = { room4_ms_per_s: cpu.room4 };
	if (wants('room4_ratio')) printRatio('room4_ratio', room, { floor_ms_per_s: cpu.floor }, { asm, ...seen.room4 });
	if (wants('room4_vs_ffmpeg')) printRatio('room4_vs_ffmpeg', room, { ffmpeg_ms_per_s: cpu.ffmpeg },
			{ asm, one_thread_ms_per_s: median(cpu.alone), with_sound_ms_per_s: median(cpu.sound) });
	for (const n of [9, 25])
		if (wants(`grid${n}_ratio`))
			printRatio(`grid${n}_ratio`, { server_ms_per_s: cpu[`grid${n}`] }, room,
				{ tile: `${tile[n].width}x${tile[n].height}`, uplink_kbps: tile[n].max_kbps, ...seen[`grid${n}`] });
	if (wants('static_ratio'))
		printRatio('static_ratio', { server_ms_per_s: cpu.still }, room, { slide_fps: SLIDE_FPS, ...seen.still });
}

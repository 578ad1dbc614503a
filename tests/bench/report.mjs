// What all benches share: their settings, the bars, and how a figure is printed.

import { readFileSync } from 'node:fs';
import { costOf, median, runBot, sleep, spread } from './harness.mjs';

const hasAvx512 = /\bavx512f\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
const env = process.env;

export const quick = env.QUICK === '1';
export const rounds = Number(env.ROUNDS ?? (quick ? 1 : 3));
// The viewers' figures are small differences of large ones.
export const viewerRounds = Number(env.ROUNDS ?? (quick ? 1 : 5));
export const seconds = Number(env.RUN_S ?? (quick ? 4 : 6));
export const warmUp = quick ? 1 : 2;
export const media = env.MEDIA ?? 'build/media';
// x264's AVX-512 is the slower choice where there is one; both sides get the same.
export const asm = env.ASM ?? (hasAvx512 ? 'avx2' : 'default');
export const serverSettings = [`video.asm=${asm}`];
// What is given up or refused under load is no work: where costs are compared, all of it is to be done.
export const wholeWork = ['overload.degrade=false', 'overload.high_percent=0'];
// A crowd from one address.
export const crowdSettings = [...serverSettings, 'room.max_participants=3000', 'room.max_rooms=500',
	'limits.participants_per_address=3000', 'limits.connections=5000', 'limits.connections_per_address=5000',
	'limits.rooms_per_address=500', 'overload.high_percent=0'];

// For a machine of two cores. The unit is of the figure.
const bars = {
	room4_ratio: ['<=', 1.1], room4_vs_ffmpeg: ['<=', 1.0],
	grid9_ratio: ['<=', 1.2], grid25_ratio: ['<=', 1.5], static_ratio: ['<=', 0.35],
	viewer_ratio: ['<=', 1.5], rtsp_viewer_ratio: ['<=', 1.5], viewer_flatness: ['<=', 1.15],
	talkers10_ratio: ['<=', 1.25], listener_ratio: ['<=', 1.5],
	latency_audio_p95: ['<=', 45], latency_video_p95: ['<=', 55],
	join_p95: ['<=', 300], storm_keyframes: ['<=', 5], storm_gap_max: ['<=', 200],
	threads_50_rooms_minus_1: ['<=', 0], viewer_kib: ['<=', 300], idle_room_kib: ['<=', 4096],
	idle_core_percent: ['<=', 0.5], after_all_left_core_percent: ['<=', 0.5],
	audio_missed_ticks_overload: ['<=', 0], psnr_delta_db: ['>=', -0.3],
	phones100_ratio: ['<=', 1.5], calls_per_s: ['>=', 50], search_100k_ms: ['<=', 50],
	record_added_ratio: ['<=', 0.04],
	hls_added_ratio: ['<=', 0.05],
};

let failed = false;

export const hasFailed = () => failed;

// The figure is void: something was not done that it is a figure of.
export function fail(why) {
	console.error(`bench: ${why}`);
	failed = true;
}

const text = (v) => (typeof v === 'number' ? String(+v.toFixed(3)) : v);

export function print(name, value, unit, keys) {
	const bar = bars[name];
	const all = { ...keys };
	if (bar) {
		all.bar = bar[1];
		all.met = (bar[0] === '<=' ? value <= bar[1] : value >= bar[1]) ? 'yes' : 'no';
	}
	const tail = Object.entries(all).map(([k, v]) => `${k}=${text(v)}`);
	console.log(`bench ${name} ${value === 0 ? 0 : +value.toPrecision(4)} ${unit} ${tail.join(' ')}`);
}

// A ratio with both of its sides: { room4: [figures of the rounds], … }.
export function printRatio(name, over, under, keys = {}) {
	const [[a, x], [b, y]] = [Object.entries(over)[0], Object.entries(under)[0]];
	const sides = {};
	for (const [side, list] of [[a, x], [b, y]]) {
		sides[side] = median(list);
		sides[`${side}_min`] = Math.min(...list);
		sides[`${side}_max`] = Math.max(...list);
	}
	print(name, median(x) / median(y), 'x', { ...sides, rounds: x.length, ...keys });
}

export { spread, median };

export function expectServed(result) {
	if (!result.ok) fail(`the clients were not served: ${result.failures.slice(0, 5).join('; ')}`);
	return result;
}

// What the last participant was shown: pictures and kilobits per second.
export function shown(result) {
	const v = result.participants.at(-1).video;
	return { fps: v.fps, kbps: v.frames ? (v.bytes * 8e-3 * v.fps) / v.frames : 0 };
}

// Milliseconds of CPU per second of the server while these participants are there.
export async function serverCost(server, argsOfBots) {
	const bots = argsOfBots.map((args) =>
		runBot([...args, '--url', server.url, '--media', args.includes('--media') ? args[args.indexOf('--media') + 1] : media,
			'--seconds', 600]));
	await Promise.all(bots.map((b) => b.ready));
	await sleep(warmUp * 1000);
	const cost = await costOf(server.pid, seconds);
	const results = [];
	for (const b of bots.reverse()) results.unshift(expectServed(await b.stop()));
	return { cost, results };
}

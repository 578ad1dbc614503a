#!/usr/bin/env node
// The benches: server and floor program in turn on the same media, medians.
//
//   tests/bench/run.mjs [NAME…]     room4 vp8 viewers talkers latency join; by default all
//   ONLY=room4,join  QUICK=1 (one short round)  ROUNDS=5  RUN_S=8  ASM=avx2|default
//   MCU_BIN, BOT_BIN, FLOOR_DIR, MEDIA: what is measured, and with which files
//
// Prints "bench NAME VALUE UNIT key=value…", the lowest and highest round among
// the keys. CPU is user plus system time of the server alone: the time its
// threads ran, by /proc/PID/task/*/schedstat, over a window in which everything
// is connected; a floor counts its own. Neither is pinned to a core.

import { cpuTimeNs, median, runBot, runFloor, sleep, spread, startServer } from './harness.mjs';
import { readFileSync } from 'node:fs';

const quick = process.env.QUICK === '1';
const rounds = Number(process.env.ROUNDS ?? (quick ? 1 : 5));
const seconds = Number(process.env.RUN_S ?? (quick ? 4 : 8));
const media = process.env.MEDIA ?? 'build/media';
const hasAvx512 = /\bavx512f\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
// x264's AVX-512 is the slower choice where there is one; both sides get the same.
const asm = process.env.ASM ?? (hasAvx512 ? 'avx2' : 'default');
const warmUp = 2;
const VP8_SPEED = 8; // of the server's encoder too

let failed = false;

function print(name, value, unit, keys) {
	const tail = Object.entries(keys).map(([k, v]) => `${k}=${typeof v === 'number' ? +v.toFixed(3) : v}`);
	console.log(`bench ${name} ${value.toPrecision(4)} ${unit} ${tail.join(' ')}`);
}

// Milliseconds of CPU per second while the bot's participants are all there.
async function serverCost(server, args) {
	const bot = runBot([...args, '--url', server.url, '--media', media, '--seconds', seconds + warmUp + 1]);
	await bot.ready;
	await sleep(warmUp * 1000);
	const cpu = cpuTimeNs(server.pid);
	const start = process.hrtime.bigint();
	await sleep(seconds * 1000);
	const used = cpuTimeNs(server.pid) - cpu;
	const took = Number(process.hrtime.bigint() - start);
	const result = await bot.done;
	if (!result.ok) {
		console.error(`the clients were not served: ${result.failures.slice(0, 5).join('; ')}`);
		failed = true;
	}
	return { cost: (used / took) * 1000, result };
}

const serverSettings = [`video.asm=${asm}`];

async function benchRoom4() {
	const floor = [], server = [];
	let last;
	const mcu = await startServer(serverSettings);
	for (let i = 0; i < rounds; i++) {
		floor.push(runFloor('room_floor', ['--media', media, '--asm', asm, '--paced', '--seconds', seconds]).figure);
		last = await serverCost(mcu, ['--room', `room4-${i}`, '--senders', 4, '--send-only-video', '--viewers', 1]);
		server.push(last.cost);
	}
	await mcu.stop();
	const viewer = last.result.participants.at(-1);
	const keys = { ...spread(server), rounds, asm, fps: viewer.video.fps };
	print('room4_ms_per_s', median(server), 'ms/s', keys);
	print('room4_ratio', median(server) / median(floor), 'x',
		{ floor: median(floor), floor_min: Math.min(...floor), floor_max: Math.max(...floor) });
}

// One VP8 receiver beside H.264 ones: one more encode, and that is all.
async function benchVp8() {
	const floor = [], added = [];
	const mcu = await startServer(serverSettings);
	const room = ['--senders', 4, '--send-only-video'];
	for (let i = 0; i < rounds; i++) {
		floor.push(runFloor('room_floor', ['--media', media, '--asm', asm, '--paced', '--seconds', seconds, '--vp8', VP8_SPEED]).figure);
		const without = await serverCost(mcu, ['--room', `h264-${i}`, ...room, '--viewers', 2]);
		const other = runBot(['--url', mcu.url, '--room', `vp8-${i}`, '--vp8', '--viewers', 1, '--seconds', seconds + warmUp + 3]);
		const beside = await serverCost(mcu, ['--room', `vp8-${i}`, ...room, '--viewers', 1]);
		failed ||= !(await other.done).ok;
		added.push(beside.cost - without.cost);
	}
	await mcu.stop();
	print('vp8_added_ms_per_s', median(added), 'ms/s', { ...spread(added), rounds });
	print('vp8_added_ratio', median(added) / median(floor), 'x',
		{ floor: median(floor), floor_min: Math.min(...floor), floor_max: Math.max(...floor) });
}

async function benchTalkers() {
	const floor = [], server = [];
	const mcu = await startServer(serverSettings);
	for (let i = 0; i < rounds; i++) {
		floor.push(runFloor('audio_floor', ['--media', media, '--talkers', 10, '--paced', '--seconds', seconds]).figure);
		server.push((await serverCost(mcu, ['--room', `talk-${i}`, '--senders', 10, '--audio-only', '--viewers', 1])).cost);
	}
	await mcu.stop();
	print('talkers10_ms_per_s', median(server), 'ms/s', { ...spread(server), rounds });
	print('talkers10_ratio', median(server) / median(floor), 'x',
		{ floor: median(floor), floor_min: Math.min(...floor), floor_max: Math.max(...floor) });
}

async function benchViewers() {
	const few = 50, many = 300;
	const floor = [], server = [];
	let packets = 0, fps = 0;
	const mcu = await startServer([...serverSettings, 'room.max_participants=2000', 'limits.participants_per_address=2000']);
	const floorAt = (n) =>
		(runFloor('fanout_floor', ['--viewers', n, '--each', '--feedback', 11, '--seconds', seconds]).figure * n) / 1000;
	const serverAt = async (n, i) => {
		const r = await serverCost(mcu, ['--room', `view${n}-${i}`, '--senders', 4, '--send-only-video',
			'--viewers', n, '--feedback', 11, '--ramp', 50, '--gcm']);
		const v = r.result.participants.at(-1);
		packets = (v.video.packets + v.audio.packets) / (seconds + warmUp + 1);
		fps = v.video.fps;
		return r.cost;
	};
	for (let i = 0; i < rounds; i++) {
		const f = [floorAt(few)], s = [await serverAt(few, i)];
		f.push(floorAt(many));
		s.push(await serverAt(many, i));
		floor.push(((f[1] - f[0]) * 1000) / (many - few));
		server.push(((s[1] - s[0]) * 1000) / (many - few));
	}
	await mcu.stop();
	print('viewer_us_per_s', median(server), 'us/s', { ...spread(server), rounds, from: few, to: many, packets_per_s: packets, fps });
	print('viewer_ratio', median(server) / median(floor), 'x',
		{ floor: median(floor), floor_min: Math.min(...floor), floor_max: Math.max(...floor), feedback: 11 });
}

async function benchLatency() {
	const runs = Math.min(rounds, 3);
	const audio = [], video = [], p50 = { audio: [], video: [] };
	let seen = [0, 0];
	const mcu = await startServer(serverSettings);
	for (let i = 0; i < runs; i++) {
		const bot = runBot(['--latency', '--url', mcu.url, '--room', `late-${i}`, '--seconds', quick ? 12 : 20]);
		const r = await bot.done;
		failed ||= !r.ok;
		audio.push(r.latency_audio.p95_ms);
		video.push(r.latency_video.p95_ms);
		p50.audio.push(r.latency_audio.p50_ms);
		p50.video.push(r.latency_video.p50_ms);
		seen = [seen[0] + r.latency_audio.seen, seen[1] + r.latency_video.seen];
	}
	await mcu.stop();
	print('latency_audio_p95', median(audio), 'ms', { ...spread(audio), p50: median(p50.audio), samples: seen[0] });
	print('latency_video_p95', median(video), 'ms', { ...spread(video), p50: median(p50.video), samples: seen[1] });
}

async function benchJoin() {
	const runs = Math.min(rounds, 3);
	const p95 = [], p50 = [];
	const mcu = await startServer(serverSettings);
	for (let i = 0; i < runs; i++) {
		const room = `join-${i}`;
		const senders = runBot(['--url', mcu.url, '--room', room, '--media', media, '--senders', 4,
			'--send-only-video', '--seconds', 12]);
		await senders.ready;
		await sleep(1000);
		const r = await runBot(['--url', mcu.url, '--room', room, '--viewers', 50, '--ramp', 10, '--seconds', 1]).done;
		const s = await senders.done;
		failed ||= !r.ok || !s.ok;
		p95.push(r.totals.first_frame_ms_p95);
		p50.push(r.totals.first_frame_ms_p50);
	}
	await mcu.stop();
	print('join_p95', median(p95), 'ms', { ...spread(p95), p50: median(p50), joins: 50 * runs });
}

const benches = { room4: benchRoom4, vp8: benchVp8, viewers: benchViewers, talkers: benchTalkers, latency: benchLatency, join: benchJoin };
const wanted = process.argv.slice(2).concat((process.env.ONLY ?? '').split(/[\s,]+/).filter(Boolean));
for (const name of wanted) {
	if (!(name in benches)) {
		console.error(`no bench "${name}": there are ${Object.keys(benches).join(', ')}`);
		process.exit(2);
	}
}
for (const name of wanted.length ? wanted : Object.keys(benches)) await benches[name]();
process.exit(failed ? 1 : 0);

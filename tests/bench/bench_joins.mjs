// Joining a room that runs: how soon one sees, and what it does to the others.

import { median, runBot, sleep, startServer } from './harness.mjs';
import { crowdSettings, expectServed, media, print, rounds, spread } from './report.mjs';

const JOINS = 50, STORM = 200, WATCHERS = 5;

const senders = ['--media', media, '--senders', 4, '--send-only-video', '--seconds', 600];

async function joins(mcu, room) {
	const others = runBot(['--url', mcu.url, '--room', room, ...senders]);
	await others.ready;
	await sleep(1000);
	const r = await runBot(['--url', mcu.url, '--room', room, '--viewers', JOINS, '--ramp', 10, '--seconds', 1]).done;
	expectServed(await others.stop());
	return expectServed(r).totals;
}

// The watchers are a process of their own and take arrival times from the
// kernel: what is late at them was late from the server.
async function storm(mcu, room) {
	const watchers = runBot(['--url', mcu.url, '--room', room, ...senders, '--viewers', WATCHERS, '--stamps']);
	await watchers.ready;
	await sleep(3000);
	const keys = await mcu.metric('mcu_video_encoded_keys_total');
	const crowd = runBot(['--url', mcu.url, '--room', room, '--name', 'storm-', '--viewers', STORM, '--ramp', STORM,
		'--seconds', 1]);
	await crowd.ready;
	const added = (await mcu.metric('mcu_video_encoded_keys_total')) - keys;
	const encoders = await mcu.metric('mcu_video_encoders');
	const c = expectServed(await crowd.done), w = expectServed(await watchers.stop());
	return { keys: added / Math.max(encoders, 1), encoders, p95: c.totals.first_frame_ms_p95,
		gap: w.totals.video_gap_ms_max, sound: w.totals.audio_gap_ms_max };
}

export const names = ['join_p95', 'storm_keyframes', 'storm_gap_max'];

export async function run(wants) {
	const runs = Math.min(rounds, 3);
	const mcu = await startServer(crowdSettings);
	if (wants('join_p95')) {
		const t = [];
		for (let i = 0; i < runs; i++) t.push(await joins(mcu, `join-${i}`));
		const p95 = t.map((x) => x.first_frame_ms_p95);
		print('join_p95', median(p95), 'ms', { ...spread(p95), p50: median(t.map((x) => x.first_frame_ms_p50)), joins: JOINS * runs });
	}
	if (wants('storm_keyframes') || wants('storm_gap_max')) {
		const t = [];
		for (let i = 0; i < runs; i++) t.push(await storm(mcu, `storm-${i}`));
		const keys = t.map((x) => x.keys), gap = t.map((x) => x.gap);
		if (wants('storm_keyframes'))
			print('storm_keyframes', median(keys), 'IDR', { ...spread(keys), joins: STORM, encoders: t[0].encoders,
				first_frame_p95_ms: median(t.map((x) => x.p95)) });
		if (wants('storm_gap_max'))
			print('storm_gap_max', median(gap), 'ms', { ...spread(gap), sound_gap_max: Math.max(...t.map((x) => x.sound)), watchers: WATCHERS });
	}
	await mcu.stop();
}

// Sound while there is twice as much video to do as the machine can.

import { availableParallelism } from 'node:os';
import { costOf, runBot, runFloor, sleep, startServer } from './harness.mjs';
import { asm, crowdSettings, fail, media, print, quick } from './report.mjs';

const WINDOW_S = quick ? 15 : 60, SENDERS = 4;

const NAME = 'audio_missed_ticks_overload';

export const names = [NAME];

// Everybody is let in, or there would be no load; what runs is to give way.
export async function run() {
	const cores = availableParallelism();
	const room = runFloor('room_floor', ['--media', media, '--asm', asm, '--voices', 0, '--seconds', 4]).figure;
	const rooms = Math.ceil((2 * cores * 1000) / room);
	const mcu = await startServer([...crowdSettings, 'overload.high_percent=0']);
	const bot = runBot(['--url', mcu.url, '--media', media, '--room', 'heavy', '--rooms', rooms, '--senders', rooms * SENDERS,
		'--mini-senders', '--send-only-video', '--talkers', 1, '--viewers', rooms, '--ramp', 100, '--seconds', 600]);
	await bot.ready;
	await sleep(3000);
	const counters = ['mcu_audio_ticks_missed_total', 'mcu_video_ticks_skipped_total', 'mcu_video_jobs_late_total'];
	const before = await Promise.all(counters.map((n) => mcu.metric(n)));
	const cost = await costOf(mcu.pid, WINDOW_S);
	const after = await Promise.all(counters.map((n) => mcu.metric(n)));
	const running = await mcu.metric('mcu_rooms');
	const r = await bot.stop();
	await mcu.stop();
	const t = r.totals, [missed, skipped, late] = after.map((v, i) => v - before[i]);
	if (t.connected < t.participants / 2) fail(`only ${t.connected} of ${t.participants} were let in`);
	print(NAME, missed, 'ticks', { seconds: WINDOW_S, rooms: running, wanted: (rooms * room) / 1000 / cores,
		core_percent: cost / 10, video_skipped: skipped, video_late: late, fps: t.fps_p50, sound_gap_max: t.audio_gap_ms_max,
		not_served: r.failures.length });
}


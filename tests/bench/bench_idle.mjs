// What is there when nothing happens: threads, memory of rooms, an empty server.

import { costOf, memoryKib, runBot, sleep, startServer, threads } from './harness.mjs';
import { crowdSettings, expectServed, media, print, quick, serverSettings, wholeWork } from './report.mjs';

const ROOMS = 50, IDLE_ROOMS = 100, LINGER_S = 5, WINDOW_S = quick ? 5 : 10;

// Small slow pictures: fifty encoders run, and the machine has time for them.
async function countThreads() {
	const mcu = await startServer([...crowdSettings, ...wholeWork, 'video.width=320', 'video.height=180', 'video.fps=5', 'video.preset=ultrafast']);
	const count = {};
	for (const rooms of [1, ROOMS]) {
		const bot = runBot(['--url', mcu.url, '--media', media, '--room', `many${rooms}`, '--rooms', rooms, '--senders', rooms,
			'--mini-senders', '--send-only-video', '--viewers', rooms, '--seconds', 600]);
		await bot.ready;
		await sleep(2000);
		count[rooms] = threads(mcu.pid);
		count.encoders = await mcu.metric('mcu_video_encoders');
		expectServed(await bot.stop());
	}
	await mcu.stop();
	print(`threads_${ROOMS}_rooms_minus_1`, count[ROOMS] - count[1], 'threads', { with_1: count[1], with_50: count[ROOMS], encoders: count.encoders });
}

// A room with one person in it who neither sends nor is sent anything; and
// what it holds while it waits for somebody to come back.
async function idleRooms() {
	const mcu = await startServer([...crowdSettings, 'room.linger_s=3600']);
	const stay = (rooms, name) => runBot(['--url', mcu.url, '--media', media, '--room', name, '--rooms', rooms, '--viewers', rooms,
		'--audio-only', '--idle', '--seconds', 600]);
	const first = stay(1, 'first');
	await first.ready;
	await sleep(500);
	const before = memoryKib(mcu.pid);
	const bot = stay(IDLE_ROOMS, 'idle');
	await bot.ready;
	await sleep(1000);
	const attended = memoryKib(mcu.pid);
	expectServed(await bot.stop());
	await sleep(1500);
	const empty = memoryKib(mcu.pid);
	const rooms = await mcu.metric('mcu_rooms');
	expectServed(await first.stop());
	await mcu.stop();
	print('idle_room_kib', (attended - before) / IDLE_ROOMS, 'KiB', { empty: (empty - before) / IDLE_ROOMS, rooms });
}

async function emptyServer() {
	const mcu = await startServer(serverSettings);
	await sleep(3000);
	const cost = await costOf(mcu.pid, WINDOW_S);
	await mcu.stop();
	print('idle_core_percent', cost / 10, '%', { seconds: WINDOW_S });
}

async function afterAllLeft() {
	const mcu = await startServer([...serverSettings, `room.linger_s=${LINGER_S}`]);
	const bot = runBot(['--url', mcu.url, '--media', media, '--room', 'party', '--senders', 4, '--viewers', 20, '--seconds', 3]);
	expectServed(await bot.done);
	await sleep((LINGER_S + 2) * 1000);
	const left = {};
	for (const what of ['video_encoders', 'audio_encoders', 'video_decoders', 'rooms']) left[what] = await mcu.metric(`mcu_${what}`);
	const cost = await costOf(mcu.pid, WINDOW_S);
	await mcu.stop();
	print('after_all_left_core_percent', cost / 10, '%', { seconds: WINDOW_S, ...left });
}

export const names = [`threads_${ROOMS}_rooms_minus_1`, 'idle_room_kib', 'idle_core_percent', 'after_all_left_core_percent'];

export async function run(wants) {
	for (const [i, bench] of [countThreads, idleRooms, emptyServer, afterAllLeft].entries())
		if (wants(names[i])) await bench();
}

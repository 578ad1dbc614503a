// What recording a room adds to it: the thread that writes, and what encoding threads do
// for it (AAC, handing packets over), over all else.

import { Socket } from '../support/ws.mjs';
import { cpuTimeNs, median, runBot, sleep, startServer, threadTimeNs } from './harness.mjs';
import { expectServed, fail, media, print, rounds, seconds, serverSettings, spread, warmUp, wholeWork } from './report.mjs';

export const names = ['record_added_ratio'];

// Nanoseconds of CPU so far: of all, and of that what is for the recording.
async function cpu(mcu) {
	return { all: cpuTimeNs(mcu.pid), recorder: threadTimeNs(mcu.pid, 'sto-volume') + await mcu.metric('mcu_sink_cpu_ns_total') };
}

async function round(mcu, room) {
	const bot = runBot(['--url', mcu.url, '--media', media, '--seconds', 600, '--room', room, '--senders', 4, '--viewers', 1]);
	await bot.ready;
	const s = await Socket.open(mcu.url);
	await s.join(room, 'operator');
	s.send({ type: 'record', action: 'start' });
	await s.next('recording', { test: (m) => m.state === 'on' });
	await sleep(warmUp * 1000);
	const before = await cpu(mcu);
	await sleep(seconds * 1000);
	const after = await cpu(mcu);
	s.send({ type: 'record', action: 'stop' });
	const { state } = await s.next('recording', { test: (m) => ['ready', 'failed'].includes(m.state) });
	if (state !== 'ready') fail('the recording failed');
	s.destroy();
	expectServed(await bot.stop());
	const recorder = after.recorder - before.recorder;
	return { ratio: recorder / (after.all - before.all - recorder), ms: recorder / seconds / 1e6 };
}

export async function run() {
	const mcu = await startServer([...serverSettings, ...wholeWork, 'room.record=all']);
	const got = [];
	for (let i = 0; i < rounds; i++) got.push(await round(mcu, `record-${i}`));
	await mcu.stop();
	print('record_added_ratio', median(got.map((g) => g.ratio)), 'x', { ...spread(got.map((g) => g.ratio)),
		recorder_ms_per_s: median(got.map((g) => g.ms)), rounds: got.length });
}

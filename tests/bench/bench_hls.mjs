// What a stream over HTTP adds to its room: what encoding threads do for it (AAC, handing
// packets over: by thread clocks around them), and what the control loop has more to do
// than before (cutting, playlists, answers), with one player that takes every part.

import { readFileSync } from 'node:fs';

import { cpuTimeNs, median, runBot, sleep, startServer } from './harness.mjs';
import { expectServed, fail, media, print, rounds, seconds, serverSettings, spread, warmUp, wholeWork } from './report.mjs';

export const names = ['hls_added_ratio'];

// Nanoseconds of CPU so far: of all, of the control loop (the first thread), of what sinks cost.
async function cpu(mcu) {
	return {
		all: cpuTimeNs(mcu.pid),
		control: Number(readFileSync(`/proc/${mcu.pid}/task/${mcu.pid}/schedstat`, 'utf8').split(' ')[0]),
		sink: await mcu.metric('mcu_sink_cpu_ns_total'),
	};
}

async function over(mcu) {
	const a = await cpu(mcu);
	await sleep(seconds * 1000);
	const b = await cpu(mcu);
	return Object.fromEntries(Object.keys(a).map((k) => [k, (b[k] - a[k]) / seconds / 1e6])); // ms per second
}

// As players do: waits for the next part, and takes it.
async function play(mcu, room) {
	const get = async (url) => {
		const r = await fetch(url);
		if (!r.ok) throw new Error(`${url}: ${r.status}`);
		return r;
	};
	const index = `${mcu.url}/hls/${room}/index.m3u8`;
	const live = new URL((await (await get(index)).text()).trim().split('\n').at(-1), index);
	const player = { parts: 0, stopped: false };
	player.done = (async () => {
		let text = await (await get(live)).text();
		while (!player.stopped) {
			const [, msn, part] = text.match(/PRELOAD-HINT:TYPE=PART,URI="(\d+)\.(\d+)\.m4s"/);
			text = await (await get(`${live}?_HLS_msn=${msn}&_HLS_part=${part}`)).text();
			await (await get(new URL(`${msn}.${part}.m4s`, live))).arrayBuffer();
			player.parts++;
		}
	})();
	player.done.catch(() => {});
	return player;
}

async function round(mcu, room) {
	const bot = runBot(['--url', mcu.url, '--media', media, '--seconds', 600, '--room', room, '--senders', 4, '--viewers', 1]);
	await bot.ready;
	await sleep(warmUp * 1000);
	const without = await over(mcu);
	const player = await play(mcu, room);
	await sleep(warmUp * 1000);
	const parts = player.parts, during = await over(mcu);
	const perSecond = (player.parts - parts) / seconds;
	player.stopped = true;
	await player.done;
	if (perSecond < 2) fail(`${perSecond} parts a second reached the player`);
	expectServed(await bot.stop());
	const stream = Math.max(0, during.sink - without.sink) + Math.max(0, during.control - without.control);
	return { ratio: stream / (during.all - stream), ms: stream, parts: perSecond };
}

export async function run() {
	const mcu = await startServer([...serverSettings, ...wholeWork]);
	const got = [];
	for (let i = 0; i < rounds; i++) got.push(await round(mcu, `live-${i}`));
	await mcu.stop();
	print('hls_added_ratio', median(got.map((g) => g.ratio)), 'x', { ...spread(got.map((g) => g.ratio)),
		hls_ms_per_s: median(got.map((g) => g.ms)), parts_per_s: median(got.map((g) => g.parts)), rounds: got.length });
}

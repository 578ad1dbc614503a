// What one more passive viewer costs: processor time at 1, 50 and 500, and memory.

import { loadOf, median, memoryKib, runBot, runFloor, sleep, startServer } from './harness.mjs';
import { noisyMedia } from './media.mjs';
import { crowdSettings, expectServed, fail, print, printRatio, seconds, spread, viewerRounds, warmUp, wholeWork } from './report.mjs';

const FEW = 50, MANY = 500, FEEDBACK = 11; // ten and one report each second
const KBPS = 1400;
// Of the floor, per viewer and second; the server's may differ by so much.
const FLOOR_PACKETS = 212, TOLERANCE = 0.1;

// The room is small so that its own cost, which varies, is little beside the
// viewers'; its picture has so much noise that it needs the rate of a large one.
const settings = [...crowdSettings, ...wholeWork, 'video.width=640', 'video.height=360', `video.bitrate_kbps=${KBPS}`];

const floorAt = (n) =>
	(runFloor('fanout_floor', ['--viewers', n, '--each', '--feedback', FEEDBACK, '--seconds', seconds]).figure * n) / 1000;

// Costs with 1, 50 and 500 viewers of one room, which fills up.
async function round(mcu, dir, room) {
	const common = ['--url', mcu.url, '--media', dir, '--room', room, '--seconds', 600, '--gcm', '--feedback', FEEDBACK];
	const bots = [], at = {};
	for (const [n, args] of [
		[1, ['--senders', 1, '--send-only-video', '--viewers', 1]],
		[FEW, ['--viewers', FEW - 1, '--name', 'few-']],
		[MANY, ['--viewers', MANY - FEW, '--name', 'many-', '--ramp', 150]],
	]) {
		bots.unshift(runBot([...common, ...args]));
		await bots[0].ready;
		await sleep(warmUp * 1000);
		at[n] = { ...(await loadOf(mcu, seconds)), kib: memoryKib(mcu.pid) };
	}
	const results = [];
	for (const b of bots) results.push(expectServed(await b.stop()));
	if (results[0].participants.some((p) => p.profile !== 'gcm')) fail('not all viewers use GCM');
	return { at, results };
}

export const names = ['viewer_ratio', 'viewer_flatness', 'viewer_kib'];

export async function run(wants) {
	const slope = { floor: [], server: [] }, flatness = [], kib = [];
	const marginal = { [FEW]: [], [MANY]: [] };
	const timed = wants('viewer_ratio') || wants('viewer_flatness');
	const packets = [];
	let lost = 0;
	const dir = noisyMedia(KBPS);
	const mcu = await startServer(settings);
	for (let i = 0; i < (timed ? viewerRounds : 1); i++) {
		const low = wants('viewer_ratio') ? floorAt(FEW) : 0;
		const { at, results } = await round(mcu, dir, `view-${i}`);
		if (wants('viewer_ratio')) slope.floor.push(((floorAt(MANY) - low) * 1000) / (MANY - FEW));
		slope.server.push(((at[MANY].cost - at[FEW].cost) * 1000) / (MANY - FEW));
		for (const n of [FEW, MANY]) marginal[n].push(((at[n].cost - at[1].cost) * 1000) / (n - 1));
		flatness.push(marginal[MANY].at(-1) / marginal[FEW].at(-1));
		// Later rounds find the memory of the first one in its place.
		if (!i) kib.push((at[MANY].kib - at[FEW].kib) / (MANY - FEW));
		packets.push((at[MANY].packets - at[FEW].packets) / (MANY - FEW));
		lost += results.reduce((sum, r) => sum + r.totals.lost, 0);
	}
	await mcu.stop();
	if (Math.abs(median(packets) / FLOOR_PACKETS - 1) > TOLERANCE)
		fail(`a viewer was sent ${median(packets).toFixed(0)} packets a second, by the floor ${FLOOR_PACKETS}`);
	const keys = { packets_per_s: median(packets), lost, feedback: FEEDBACK };
	if (wants('viewer_ratio'))
		printRatio('viewer_ratio', { server_us_per_s: slope.server }, { floor_us_per_s: slope.floor },
			{ from: FEW, to: MANY, ...keys });
	if (wants('viewer_flatness'))
		print('viewer_flatness', median(flatness), 'x', { ...spread(flatness), rounds: flatness.length,
			[`us_per_s_at_${FEW}`]: median(marginal[FEW]), [`us_per_s_at_${MANY}`]: median(marginal[MANY]) });
	if (wants('viewer_kib')) print('viewer_kib', kib[0], 'KiB', { from: FEW, to: MANY });
}

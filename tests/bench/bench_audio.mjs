// Rooms of sound alone: ten who talk, and what one more listener costs.

import { loadOf, median, runBot, runFloor, sleep, startServer } from './harness.mjs';
import { crowdSettings, expectServed, media, printRatio, rounds, seconds, warmUp, wholeWork } from './report.mjs';

const TALKERS = 10, FEW = 100, MANY = 1000, FEEDBACK = 11;

const floorAt = (n) =>
	(runFloor('fanout_floor', ['--viewers', n, '--each', '--audio-only', '--feedback', FEEDBACK, '--seconds', seconds]).figure * n) / 1000;

export const names = ['talkers10_ratio', 'listener_ratio'];

export async function run(wants) {
	const talk = { floor: [], server: [] }, listen = { floor: [], server: [] };
	const packets = [];
	let lost = 0;
	const mcu = await startServer([...crowdSettings, ...wholeWork]);
	for (let i = 0; i < rounds; i++) {
		const steps = [[1, ['--senders', TALKERS, '--viewers', 1]]], bots = [], at = {};
		if (wants('talkers10_ratio'))
			talk.floor.push(runFloor('audio_floor', ['--media', media, '--talkers', TALKERS, '--paced', '--seconds', seconds]).figure);
		if (wants('listener_ratio'))
			steps.push([FEW, ['--viewers', FEW - 1, '--name', 'few-', '--gcm']],
				[MANY, ['--viewers', MANY - FEW, '--name', 'many-', '--gcm', '--ramp', 200]]);
		for (const [n, args] of steps) {
			bots.unshift(runBot(['--url', mcu.url, '--media', media, '--room', `talk-${i}`, '--audio-only', '--seconds', 600,
				'--feedback', FEEDBACK, ...args]));
			await bots[0].ready;
			await sleep(warmUp * 1000);
			at[n] = await loadOf(mcu, seconds);
		}
		const results = [];
		for (const b of bots) results.push(expectServed(await b.stop()));
		talk.server.push(at[1].cost);
		if (!wants('listener_ratio')) continue;
		listen.server.push(((at[MANY].cost - at[FEW].cost) * 1000) / (MANY - FEW));
		listen.floor.push(((floorAt(MANY) - floorAt(FEW)) * 1000) / (MANY - FEW));
		packets.push((at[MANY].packets - at[FEW].packets) / (MANY - FEW));
		lost += results.reduce((sum, r) => sum + r.totals.lost, 0);
	}
	await mcu.stop();
	if (wants('talkers10_ratio')) printRatio('talkers10_ratio', { server_ms_per_s: talk.server }, { floor_ms_per_s: talk.floor });
	if (wants('listener_ratio'))
		printRatio('listener_ratio', { server_us_per_s: listen.server }, { floor_us_per_s: listen.floor },
			{ from: FEW, to: MANY, feedback: FEEDBACK, packets_per_s: median(packets), lost });
}

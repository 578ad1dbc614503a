// What one more player costs that watches a room by RTSP over UDP.

import { freePort, loadOf, runBot, runFloor, sleep, startServer } from './harness.mjs';
import { noisyMedia } from './media.mjs';
import { crowdSettings, expectServed, median, printRatio, fail, seconds, viewerRounds, warmUp, wholeWork } from './report.mjs';

const FEW = 50, MANY = 500, FEEDBACK = 1; // a report each second
const KBPS = 1400;
// Of the floor, per viewer and second; the server's may differ by so much.
const FLOOR_PACKETS = 212, TOLERANCE = 0.1;

const floorAt = (n) =>
	(runFloor('fanout_floor', ['--viewers', n, '--each', '--plain', '--feedback', FEEDBACK, '--seconds', seconds]).figure * n) / 1000;

// Costs with 50 and 500 players of one room with one sender, which fills up.
async function round(mcu, port, dir, room) {
	const bots = [runBot(['--url', mcu.url, '--media', dir, '--room', room, '--seconds', 600, '--senders', 1, '--send-only-video', '--viewers', 0])];
	await bots[0].ready;
	const at = {};
	for (const [n, more] of [[FEW, FEW], [MANY, MANY - FEW]]) {
		bots.unshift(runBot(['--port', port, '--room', room, '--viewers', more], 'rtsp_load'));
		await bots[0].ready;
		await sleep(warmUp * 1000);
		at[n] = await loadOf(mcu, seconds);
	}
	let lost = 0;
	for (const b of bots) lost += expectServed(await b.stop()).totals.lost;
	return { at, lost };
}

export const names = ['rtsp_viewer_ratio'];

export async function run() {
	const floor = [], server = [], packets = [], port = await freePort();
	let lost = 0;
	const dir = noisyMedia(KBPS);
	const mcu = await startServer([...crowdSettings, ...wholeWork, 'video.width=640', 'video.height=360', `video.bitrate_kbps=${KBPS}`,
		`rtsp.port=${port}`, 'rtsp.address=127.0.0.1', 'rtsp.sessions_per_address=2000']);
	for (let i = 0; i < viewerRounds; i++) {
		const low = floorAt(FEW);
		floor.push(((floorAt(MANY) - low) * 1000) / (MANY - FEW));
		const r = await round(mcu, port, dir, `rtsp-${i}`);
		server.push(((r.at[MANY].cost - r.at[FEW].cost) * 1000) / (MANY - FEW));
		packets.push((r.at[MANY].packets - r.at[FEW].packets) / (MANY - FEW));
		lost += r.lost;
	}
	await mcu.stop();
	if (Math.abs(median(packets) / FLOOR_PACKETS - 1) > TOLERANCE)
		fail(`a player was sent ${median(packets).toFixed(0)} packets a second, by the floor ${FLOOR_PACKETS}`);
	printRatio('rtsp_viewer_ratio', { server_us_per_s: server }, { floor_us_per_s: floor },
		{ from: FEW, to: MANY, packets_per_s: median(packets), lost, feedback: FEEDBACK });
}

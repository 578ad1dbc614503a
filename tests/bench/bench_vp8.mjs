// One VP8 receiver beside H.264 ones: one more encode, and that is all. No bar: one round.

import { runFloor, startServer } from './harness.mjs';
import { asm, media, printRatio, seconds, serverCost, serverSettings, wholeWork } from './report.mjs';

const SPEED = 8; // of the server's encoder too

export const names = ['vp8_added_ratio'];

export async function run() {
	const floor = [], added = [];
	const mcu = await startServer([...serverSettings, ...wholeWork]);
	for (let i = 0; i < Number(process.env.ROUNDS ?? 1); i++) {
		const room = (name) => ['--room', name, '--senders', 4, '--send-only-video', '--viewers'];
		floor.push(runFloor('room_floor', ['--media', media, '--asm', asm, '--paced', '--seconds', seconds, '--vp8', SPEED]).figure);
		const without = await serverCost(mcu, [[...room(`h264-${i}`), 2]]);
		const beside = await serverCost(mcu, [[...room(`vp8-${i}`), 1],
			['--room', `vp8-${i}`, '--name', 'vp8-', '--vp8', '--viewers', 1]]);
		added.push(beside.cost - without.cost);
	}
	await mcu.stop();
	printRatio('vp8_added_ratio', { server_ms_per_s: added }, { floor_ms_per_s: floor });
}

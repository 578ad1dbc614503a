// A room of telephones: a hundred with G.711, twenty of them talking.

import { costOf, floorBeside, freePort, runBot, sleep, startServer } from './harness.mjs';
import { crowdSettings, expectServed, median, printRatio, rounds, seconds, warmUp, wholeWork } from './report.mjs';

// Who comes hears how many there are: that is over by then.
const PHONES = 100, TALKERS = 20, ANNOUNCED_MS = 10000;
// What the kernel drops for the server unread it charges, on loopback, to who sends: so much
// as the telephones cost more than those of the floor is the server's.
// Both are measured in the same seconds, on a machine that is mostly idle even so: from one
// minute to the next what system calls cost here moves by half, and they are most of it.
const FLOOR_WARM_UP_MS = 1000;

export const names = ['phones100_ratio'];

export async function run() {
	const port = await freePort(), server = [], floor = [], own = [], senders = [], floorSenders = [], lost = [];
	const mcu = await startServer([...crowdSettings, ...wholeWork, `sip.port=${port}`, 'sip.tls_port=-1', 'sip.address=127.0.0.1']);
	for (let i = 0; i < rounds; i++) {
		const phones = runBot(['--port', port, '--room', `phones-${i}`, '--phones', PHONES, '--talkers', TALKERS], 'phones_load');
		await phones.ready;
		await sleep(ANNOUNCED_MS + warmUp * 1000);
		const beside = floorBeside('phones_floor', ['--phones', PHONES, '--talkers', TALKERS, '--seconds', seconds]);
		await sleep(FLOOR_WARM_UP_MS);
		const [cost, sending] = await Promise.all([mcu.pid, phones.pid].map((pid) => costOf(pid, seconds)));
		const { figure, keys } = await beside, sendingThere = Number(/senders=([\d.]+)/.exec(keys)[1]);
		server.push(cost + Math.max(0, sending - sendingThere));
		floor.push(figure);
		own.push(cost);
		senders.push(sending);
		floorSenders.push(sendingThere);
		lost.push(expectServed(await phones.stop()).lost);
	}
	await mcu.stop();
	printRatio('phones100_ratio', { server_ms_per_s: server }, { floor_ms_per_s: floor },
		{ own_ms_per_s: median(own), senders_ms_per_s: median(senders), floor_senders_ms_per_s: median(floorSenders),
			phones: PHONES, talking: TALKERS, lost: lost.reduce((a, b) => a + b) });
}

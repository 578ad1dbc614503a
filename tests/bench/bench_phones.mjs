// A room of telephones: a hundred with G.711, twenty of them talking.

import { costOf, floorBeside, freePort, runBot, sleep, startServer } from './harness.mjs';
import { crowdSettings, expectServed, printRatio, rounds, seconds, warmUp, wholeWork } from './report.mjs';

// Who comes hears how many there are: that is over by then.
const PHONES = 100, TALKERS = 20, ANNOUNCED_MS = 10000;
// Both are measured in the same seconds, on a machine that is mostly idle even so: from one
// minute to the next what system calls cost here moves by half, and they are most of it.
const FLOOR_WARM_UP_MS = 1000;

export const names = ['phones100_ratio'];

export async function run() {
	const port = await freePort(), server = [], floor = [], lost = [];
	const mcu = await startServer([...crowdSettings, ...wholeWork, `sip.port=${port}`, 'sip.tls_port=-1', 'sip.address=127.0.0.1']);
	for (let i = 0; i < rounds; i++) {
		const phones = runBot(['--port', port, '--room', `phones-${i}`, '--phones', PHONES, '--talkers', TALKERS], 'phones_load');
		await phones.ready;
		await sleep(ANNOUNCED_MS + warmUp * 1000);
		const beside = floorBeside('phones_floor', ['--phones', PHONES, '--talkers', TALKERS, '--seconds', seconds]);
		await sleep(FLOOR_WARM_UP_MS);
		server.push(await costOf(mcu.pid, seconds));
		floor.push((await beside).figure);
		lost.push(expectServed(await phones.stop()).lost);
	}
	await mcu.stop();
	printRatio('phones100_ratio', { server_ms_per_s: server }, { floor_ms_per_s: floor },
		{ phones: PHONES, talking: TALKERS, lost: lost.reduce((a, b) => a + b) });
}

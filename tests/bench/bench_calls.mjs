// Calls with PCMU into a room, set up and torn down one after the other, so many at a
// time: the server on one core, SIPp on the other.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { costOf, freePort, runProgram, sleep, startServer } from './harness.mjs';
import { crowdSettings, fail, print, quick } from './report.mjs';

const AT_ONCE = 20, CALLS_S = quick ? 5 : 60, DRAIN_MS = 40000;
const scenario = fileURLToPath(new URL('../sip/call_and_hang_up.xml', import.meta.url));

export const names = ['calls_per_s'];

// The last line of SIPp's statistics by the names of their columns.
function statistics(file) {
	const lines = readFileSync(file, 'utf8').trim().split('\n').map((l) => l.split(';'));
	return Object.fromEntries(lines[0].map((name, i) => [name, Number(lines.at(-1)[i])]));
}

export async function run() {
	const port = await freePort(), folder = mkdtempSync(join(tmpdir(), 'mcu-calls-')), file = join(folder, 'stat.csv');
	const mcu = await startServer([...crowdSettings, `sip.port=${port}`, 'sip.tls_port=-1', 'sip.address=127.0.0.1',
		// one address makes them all, which is a flood by default
		'sip.messages_per_s=0'], ['taskset', '-c', '0']);
	const begin = process.hrtime.bigint();
	const sipp = runProgram('taskset', ['-c', '1', 'sipp', `127.0.0.1:${port}`, '-sf', scenario, '-i', '127.0.0.1', '-p', await freePort(),
		'-s', 'calls', '-l', AT_ONCE, '-r', 2000, '-nostdin', '-trace_stat', '-stf', file, '-fd', 1, '-recv_timeout', 10000]);
	const cost = await costOf(mcu.pid, CALLS_S);
	sipp.signal('SIGUSR1'); // no more calls; it ends with the last one
	const code = await Promise.race([sipp.exited, sleep(DRAIN_MS).then(() => 'did not end')]);
	const elapsed = Number(process.hrtime.bigint() - begin) / 1e9;
	if (code === 'did not end') await sipp.stop();
	await mcu.stop();
	const s = statistics(file);
	rmSync(folder, { recursive: true, force: true });
	const done = s['SuccessfulCall(C)'], failed = s['FailedCall(C)'];
	if (code !== 0 || failed !== 0) fail(`calls: SIPp ended with ${code}, ${failed} of ${done + failed} calls failed`);
	print('calls_per_s', done / elapsed, '/s', { calls: done, failed, at_once: AT_ONCE, seconds: elapsed, server_ms_per_s: cost,
		retransmitted: s['Retransmissions(C)'] });
}

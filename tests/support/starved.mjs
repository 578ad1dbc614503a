// Whether the machine let a server wait for a processor: no recorder can have what was not
// made in time, by encoders that did not run.
import { readFileSync, readdirSync } from 'node:fs';

const STARVED_MS = 400;

// For how long each thread has waited, ms.
export function waits(pid) {
	const all = new Map();
	for (const tid of readdirSync(`/proc/${pid}/task`)) {
		try {
			all.set(tid, Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[1]) / 1e6);
		} catch { /* it has ended, or the kernel does not say */ }
	}
	return all;
}

// Since waits() was asked before: seconds; 0: not for long.
export function starved(pid, before) {
	const most = Math.max(0, ...[...waits(pid)].map(([tid, ms]) => ms - (before.get(tid) ?? 0)));
	return most > STARVED_MS ? most / 1000 : 0;
}

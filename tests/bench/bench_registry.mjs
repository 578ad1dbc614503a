// Reads and writes of the registry through its thread, against SQLite alone (registry.c).

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { median } from './harness.mjs';
import { print, rounds, seconds } from './report.mjs';

const bin = join(process.env.FLOOR_DIR ?? 'build/release', 'registry');

export const names = ['registry_ops_per_s'];

function once(what) {
	const folder = mkdtempSync(join(tmpdir(), 'mcu-registry-'));
	const r = JSON.parse(execFileSync(bin, [what, folder, String(seconds)], { stdio: ['ignore', 'pipe', 'ignore'] }));
	rmSync(folder, { recursive: true, force: true });
	return { perS: r.ops / r.seconds, usOfCpu: 1000 * r.cpu_ms / r.ops };
}

export async function run() {
	const server = [], floor = [];
	for (let i = 0; i < rounds; i++) {
		floor.push(once('floor'));
		server.push(once('server'));
	}
	const mid = (all, key) => median(all.map((r) => r[key]));
	print('registry_ops_per_s', mid(server, 'perS'), '/s', { floor_per_s: mid(floor, 'perS'), ratio: mid(floor, 'perS') / mid(server, 'perS'),
		cpu_us: mid(server, 'usOfCpu'), floor_cpu_us: mid(floor, 'usOfCpu'), cpu_ratio: mid(server, 'usOfCpu') / mid(floor, 'usOfCpu') });
}

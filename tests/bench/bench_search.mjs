// How long a search over 100,000 recordings takes, over several kinds of questions.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { floorDir } from './harness.mjs';
import { print } from './report.mjs';

export const names = ['search_100k_ms'];

export async function run() {
	const folder = mkdtempSync(join(tmpdir(), 'mcu-search-'));
	try {
		const out = execFileSync(join(floorDir, 'search_load'), [folder, '100000'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
		const { p95_ms, cpu_p95_ms, p50_ms, max_ms, slowest, questions } = JSON.parse(out);
		print('search_100k_ms', p95_ms, 'ms', { cpu: cpu_p95_ms, p50: p50_ms, max: max_ms, slowest: slowest.replaceAll(' ', '_'), questions });
	} finally {
		rmSync(folder, { recursive: true });
	}
}

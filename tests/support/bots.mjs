// mcu-bot as a participant: starts it, waits until it is ready, reads its summary.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { tie } from './server.mjs';
import { SLOWER, variant } from './variant.mjs';

const top = fileURLToPath(new URL('../..', import.meta.url));
const bin = resolve(process.env.BOT_BIN ?? join(top, 'build/release/mcu-bot'));
export const clips = join(top, 'build/clips');

execFileSync(join(top, 'tests/load/media.sh'), [clips]);
const lines = (name) => readFileSync(join(clips, name), 'utf8').trim().split('\n');
// Of the i-th sender: what its camera shows and its microphone hears.
export const COLOURS = lines('colours.txt').map((c) => [0, 2, 4].map((i) => parseInt(c.slice(i, i + 2), 16)));
export const TONES = lines('tones.txt').map(Number);

const HEARD_DB = -31, UNHEARD_DB = -35;

export class Bots {
	// options: of mcu-bot without the dashes; true: a flag. prefix: a command that runs it.
	static start(server, room, options = {}, { prefix = [], url = server.url } = {}) {
		const b = new Bots();
		const all = {
			url: url.replace('localhost', '127.0.0.1'), room, media: clips, tones: TONES.join(),
			'ready-within': 20 * SLOWER, ...options,
		};
		const args = Object.entries(all).flatMap(([k, v]) => v === true ? [`--${k}`] : v === false ? [] : [`--${k}`, String(v)]);
		const [command, ...rest] = [...prefix, bin, ...args];
		b.folder = mkdtemp(join(tmpdir(), 'mcu-bot-'));
		b.done = b.folder.then((folder) => b.#run(command, [...rest, '--json', join(folder, 'summary.json')], folder));
		b.done.catch(() => {});
		return b;
	}

	#log = '';
	#ready;
	ready = new Promise((resolve) => { this.#ready = resolve; });

	async #run(command, args, folder) {
		this.process = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
		tie(this.process);
		this.process.stderr.on('data', (d) => {
			this.#log += d;
			if (/^ready$/m.test(this.#log))
				this.#ready();
		});
		const code = await new Promise((resolve, reject) => {
			this.process.once('error', reject);
			this.process.once('exit', (c, signal) => resolve(signal ?? c));
		});
		this.#ready();
		const text = await readFile(join(folder, 'summary.json'), 'utf8').catch(() => '{}');
		await rm(folder, { recursive: true, force: true });
		const s = JSON.parse(text);
		s.code = code;
		s.log = this.#log;
		return s;
	}

	// Ends it before its time; its summary when it has found nothing to complain about.
	async finish() {
		this.process.kill('SIGTERM');
		return this.fine();
	}

	signal(name) {
		this.process.kill(name);
	}

	// Ends it without a word; its summary is lost.
	async kill() {
		this.process?.kill('SIGKILL');
		await this.done.catch(() => {});
	}

	// The summary when it has found nothing to complain about.
	async fine() {
		const s = await this.done;
		assert.deepEqual(s.failures ?? s.log, [], `mcu-bot ended with ${s.code}`);
		assert.equal(s.code, 0, s.log);
		return s;
	}
}

export const near = (a, b, tolerance = 40) => a.every((x, i) => Math.abs(x - b[i]) <= tolerance);

export const loud = (p, sender) => p.tones.find((t) => t.hz === TONES[sender % TONES.length]).dbfs;

// That p hears these senders (by number) and none of the other tones.
// heard: what it must be at least; concealment breaks the tone's phase and costs some dB.
export function assertHears(p, senders, heard = HEARD_DB) {
	for (let i = 0; i < TONES.length; i++) {
		const db = loud(p, i);
		const all = p.tones.map((t) => `${t.hz} Hz ${t.dbfs.toFixed(0)} dB`).join(', ');
		if (senders.includes(i))
			assert.ok(db > heard, `${p.name} hears sender ${i}: ${all}`);
		else
			assert.ok(db < UNHEARD_DB, `${p.name} does not hear sender ${i}: ${all}`);
	}
}

// That p's picture has everybody's colour where the layout says; senders: of leg ids to numbers.
export function assertSees(p, senders) {
	const tiles = p.colours.filter((c) => c.leg !== undefined);
	assert.deepEqual(tiles.map((t) => t.leg).sort(), [...senders.keys()].sort(), `tiles of ${p.name}`);
	for (const t of tiles) {
		const want = COLOURS[senders.get(t.leg) % COLOURS.length];
		assert.ok(near(t.rgb, want), `${p.name} sees ${t.rgb} instead of ${want} at ${t.x},${t.y} (leg ${t.leg})`);
	}
}

// That p noticed nothing of what others did: nothing lost, no freeze, no gap. (With a
// sanitizer faults are looked for: how long anything takes says nothing.)
export function assertUndisturbed(p, { gapMs = 1000 } = {}) {
	const { video, audio } = p, most = variant === 'release' ? gapMs : Infinity;
	const seen = JSON.stringify({ video, audio });
	assert.equal(p.error, null, p.name);
	assert.equal(p.auth_fail, 0, `${p.name}: packets that are not authentic`);
	assert.equal(p.malformed + p.unknown_pt, 0, `${p.name}: packets that make no sense`);
	assert.equal(audio.lost + video.lost, 0, `${p.name} lost packets: ${seen}`);
	assert.equal(audio.dup + video.dup, 0, `${p.name} got packets twice: ${seen}`);
	assert.ok(audio.max_gap_ms < most, `${p.name}: gap in the sound: ${seen}`);
	assert.ok(video.max_frame_gap_ms < most, `${p.name}: gap in the picture: ${seen}`);
	assert.equal(video.undecodable, 0, `${p.name}: pictures without what they refer to: ${seen}`);
	assert.equal(p.decode_errors ?? 0, 0, `${p.name}: ${seen}`);
}

// kill -9 of a server that records two rooms, at random moments: all files, tracks of
// participants too, play to within a second of it, and the next start repairs and finishes
// them. KILL_SEED=number repeats the moments of a run that failed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { Bots } from '../support/bots.mjs';
import { assertOrder, complaints, packets, wholeEnd } from '../support/media.mjs';
import { Server, until } from '../support/server.mjs';
import { starved, waits } from '../support/starved.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const LOST_S = 1, TIMES = 3;
const SEED = Number(process.env.KILL_SEED ?? Math.floor(Math.random() * 2 ** 31));
const settings = { 'room.record': 'all', 'recording.tracks': true, 'room.linger_s': 1 };
const ROOMS = { fragments: { container: 'mp4' }, clusters: { container: 'mkv', audio: 'opus' } };

let state = SEED;
const random = () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 2 ** 31;

function rows(data) {
	const text = execFileSync('sqlite3', ['-json', '-cmd', '.timeout 10000', join(data, 'mcu.db'), 'SELECT * FROM recordings ORDER BY id'], { encoding: 'utf8' });
	return text ? JSON.parse(text) : [];
}

const files = (data) => {
	try {
		return readdirSync(join(data, 'recordings'), { recursive: true }).map(String).filter((f) => /\.(mp4|mkv)$/.test(f)).map((f) => join(data, 'recordings', f));
	} catch {
		return [];
	}
};

// How large each file was when.
class Growth {
	#seen = new Map();

	constructor(data) {
		this.timer = setInterval(() => {
			for (const f of files(data)) {
				const all = this.#seen.get(f) ?? this.#seen.set(f, []).get(f), { size } = statSync(f);
				if (all.at(-1)?.size !== size)
					all.push({ size, at: performance.now() });
			}
		}, 20);
	}

	stop() {
		clearInterval(this.timer);
	}

	sizes(file) {
		return this.#seen.get(file) ?? [];
	}

	// When the file's time line began, at the latest: no packet is in it before its time.
	zero(file, { v, a }) {
		let least = Infinity;
		for (const p of [...v, ...a]) {
			const written = this.sizes(file).find((s) => s.size > p.pos);
			if (written)
				least = Math.min(least, written.at - p.pts * 1000);
		}
		return least;
	}
}

async function record(server, room, how) {
	const bots = Bots.start(server, room, { senders: 1, seconds: 600 });
	await bots.ready;
	const s = await Socket.open(server.url);
	await s.join(room, 'operator');
	s.send({ type: 'record', action: 'start', tracks: true, ...how });
	const on = await s.next('recording', { test: (m) => m.state === 'on' });
	assert.equal(on.tracks, true);
	return { bots, s };
}

// What ffmpeg says of the file without what is torn at its end.
function whole(file) {
	const copy = file.replace(/\.(\w+)$/, '.whole.$1'), end = wholeEnd(file);
	assert.ok(statSync(file).size - end < 1 << 20, `${file} is whole up to ${end} of ${statSync(file).size}`);
	copyFileSync(file, copy);
	truncateSync(copy, end);
	const said = complaints(copy, { uneven: true }), all = packets(copy);
	rmSync(copy);
	assert.equal(said, '', file);
	return all;
}

// at: of the kill; late: what the machine has cost, seconds.
function assertPlays(what, { v, a }, zero, { at, late }) {
	const lasted = (at - zero) / 1000;
	for (const [name, list] of [['pictures', v], ['sound', a]])
		assert.ok(list.at(-1)?.pts > lasted - LOST_S - late && list.at(-1).pts < lasted, `${what}: ${name} until ${list.at(-1)?.pts} of ${lasted} s, ${late} s late (KILL_SEED=${SEED})`);
	return lasted - Math.min(v.at(-1).pts, a.at(-1).pts);
}

test(`kill -9 while two rooms record (KILL_SEED=${SEED})`, { timeout: within(240000) }, async (t) => {
	for (let time = 1; time <= TIMES; time++) {
		const data = mkdtempSync(join(tmpdir(), 'mcu-kill-'));
		const first = await Server.small(settings, { data });
		const growth = new Growth(data), waited = waits(first.process.pid);
		const rooms = await Promise.all(Object.entries(ROOMS).map(([room, how]) => record(first, room, how)));
		await until('what is received to be in tracks', () => files(data).filter((f) => growth.sizes(f).length >= 3).length === 4);
		const after = Math.round(random() * 2000);
		await sleep(after);
		const late = starved(first.process.pid, waited);
		first.process.kill('SIGKILL');
		const kill = { at: performance.now(), late };
		await first.exited;
		growth.stop();
		await Promise.all(rooms.map((r) => r.bots.kill()));
		rooms.forEach((r) => r.s.destroy());
		let lost = 0;

		// As they are: all but the last fragment is well, and within a second of the kill.
		const before = rows(data);
		assert.deepEqual(before.map((r) => r.state), Array(4).fill('recording'));
		const file = (r) => join(data, r.path), zero = new Map();
		for (const r of before.toSorted((x, y) => x.parent_id - y.parent_id)) {
			const all = whole(file(r)), parent = before.find((p) => p.id === r.parent_id) ?? r;
			if (r === parent)
				zero.set(r.id, growth.zero(file(r), all));
			lost = Math.max(lost, assertPlays(`${r.kind} ${r.path}`, all, zero.get(parent.id), kill));
		}
		t.diagnostic(`round ${time}: killed ${after} ms after the files had begun, at most ${lost.toFixed(2)} s lost${late ? `; the machine was ${late.toFixed(2)} s late` : ''}`);

		// The next start completes them, and what follows a recording follows it; where that
		// is off it is not forgotten.
		if (time === 1) {
			const off = await Server.small({ ...settings, 'recording.finish': false }, { data });
			assert.deepEqual(rows(data).map((r) => `${r.state} ${r.finish}`), Array(4).fill('interrupted queued'));
			await off.stopFine();
		}
		const second = await Server.small(settings, { data });
		const finished = await until('all to be finished', () => {
			const all = rows(data);
			return all.every((r) => r.finish === 'done') && all;
		}, 60000);
		assert.deepEqual(finished.map((r) => r.state), Array(4).fill('interrupted'));
		assert.equal(execFileSync('sqlite3', [join(data, 'mcu.db'), 'pragma integrity_check'], { encoding: 'utf8' }), 'ok\n');
		const listed = await second.recordings(first.password);
		assert.deepEqual(listed.map((r) => `${r.room} ${r.state}`).sort(), ['clusters interrupted', 'fragments interrupted']);
		for (const r of listed) {
			const got = await fetch(new URL(r.url, second.url));
			assert.deepEqual([got.status, (await got.arrayBuffer()).byteLength], [200, r.bytes]);
		}
		for (const r of finished) {
			assert.equal(complaints(file(r), { uneven: true }), '', r.path);
			const composed = !r.parent_id;
			const all = composed ? assertOrder(file(r), { apart: kill.late ? 0.5 : 0.02 }) : packets(file(r));
			assertPlays(`repaired ${r.path}`, all, zero.get(composed ? r.id : r.parent_id), kill);
			assert.ok(Math.abs(r.duration_ms / 1000 - Math.max(all.v.at(-1).end, all.a.at(-1).end)) < 0.2, `${r.path}: ${r.duration_ms} ms`);
		}
		await second.stopFine();
		rmSync(data, { recursive: true });
	}
});

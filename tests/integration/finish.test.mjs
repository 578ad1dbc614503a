// What becomes of recordings after their end: the index in front, pictures, chapters, a
// checksum (after kill -9: kill.test.mjs).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { Bots, clips } from '../support/bots.mjs';
import { assertOrder, boxes, complaints, probe } from '../support/media.mjs';
import { Server, until } from '../support/server.mjs';
import { starved, waits } from '../support/starved.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const limit = { timeout: within(120000) };
const FRONT = 'ftyp moov mdat';

function rows(data) {
	const text = execFileSync('sqlite3', ['-json', '-cmd', '.timeout 10000', join(data, 'mcu.db'), 'SELECT * FROM recordings ORDER BY id'], { encoding: 'utf8' });
	return text ? JSON.parse(text) : [];
}

const finished = (data, n) => until(`${n} recordings to be finished`, () => {
	const all = rows(data);
	return all.length === n && all.every((r) => r.finish === 'done') && all;
}, 60000);

const kinds = (file) => boxes(file).map((b) => b.type).join(' ');

async function operator(server, room) {
	const s = await Socket.open(server.url);
	await s.join(room, 'operator');
	return s;
}

const told = (s, state) => s.next('recording', { test: (m) => m.state === state });

function assertFinished(data, row, apart) {
	const file = join(data, row.path), base = file.replace(/\.mp4$/, '');
	const body = readFileSync(file);
	assert.equal(kinds(file), FRONT);
	assert.equal(complaints(file), '');
	assertOrder(file, { apart });
	assert.equal(row.bytes, body.length);
	assert.equal(row.sha256, createHash('sha256').update(body).digest('hex'));
	const [picture, sheet] = ['.jpg', '.sheet.jpg'].map((e) => probe(base + e).video);
	assert.deepEqual([picture.width, picture.height, sheet.height], [640, 360, 90]);
	assert.match(readFileSync(`${base}.scrub.vtt`, 'utf8'), /^WEBVTT\n\n00:00:00\.000 --> 00:00:04\.000\nsheet\.jpg#xywh=0,0,160,90\n/);
	assert.ok(!readdirSync(join(file, '..')).some((f) => f.endsWith('.new')));
}

test('a recording is ready at once, and finished afterwards', limit, async () => {
	const server = await Server.small({ 'room.record': 'all' });
	const waited = waits(server.process.pid);
	const bots = Bots.start(server, 'r', { senders: 2, seconds: 600 });
	await bots.ready;
	const s = await operator(server, 'r');
	s.send({ type: 'record', action: 'start' });
	await told(s, 'on');
	await sleep(5000); // of those who were there
	const late = Bots.start(server, 'r', { name: 'Late <&> ', senders: 1, seconds: 600, content: join(clips, 'colour5.h264') });
	await late.ready;
	await sleep(2000); // of what is shared
	s.send({ type: 'record', action: 'stop' });
	await told(s, 'ready');
	const [{ url }] = await server.recordings();
	assert.equal((await fetch(new URL(url, server.url))).status, 200);
	const [row] = await finished(server.data, 1);
	const apart = starved(server.process.pid, waited) ? 0.5 : 0.02;
	assertFinished(server.data, row, apart);
	assert.equal(row.state, 'ready');
	const chapters = readFileSync(join(server.data, row.path).replace(/\.mp4$/, '.chapters.vtt'), 'utf8');
	assert.match(chapters, /^WEBVTT\n\n00:00:00\.000 --> 00:00:\d\d\.\d{3}\n/);
	assert.match(chapters, /Late &lt;&amp;&gt; \S* joins/);
	assert.match(chapters, /Late &lt;&amp;&gt; \S* shares/);
	assert.equal(await server.value('mcu_finished_total'), 1);
	assert.equal(await server.value('mcu_finish_failures_total'), 0);
	const body = Buffer.from(await (await fetch(new URL(url, server.url))).arrayBuffer());
	assert.equal(createHash('sha256').update(body).digest('hex'), row.sha256);
	s.destroy();
	await Promise.all([bots.kill(), late.kill()]);
	await server.stopFine();
});

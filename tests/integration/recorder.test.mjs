// The recorder: pauses, by itself, other formats, a disk that hangs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';

import { Bots, assertUndisturbed } from '../support/bots.mjs';
import { Disturbance, undisturbed } from '../support/disturbance.mjs';
import { assertOrder, complaints, contents, probe, wholeEnd } from '../support/media.mjs';
import { Server, until } from '../support/server.mjs';
import { starved, waits } from '../support/starved.mjs';
import { variant, within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const limit = { timeout: within(120000) };

async function enter(server, room, name) {
	const s = await Socket.open(server.url);
	await s.join(room, name);
	return s;
}

const state = (s, want, from = 0) => s.next('recording', { from, test: (m) => m.state === want, ms: within(60000) });

function fileOf(data) {
	const all = readdirSync(join(data, 'recordings'), { recursive: true }).map(String).filter((f) => /\.(mp4|mkv)$/.test(f));
	return all.map((f) => join(data, 'recordings', f)).sort();
}

async function rest(server, room, action) {
	const r = await fetch(`http://127.0.0.1:${server.port}/api/v1/rooms/${room}/recording`, {
		method: action ? 'POST' : 'GET', body: action && JSON.stringify({ action }),
		headers: { Authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` },
	});
	return { status: r.status, ...await r.json() };
}

describe('a recording that is paused', limit, () => {
	let server, bots, s;
	before(async () => {
		server = await Server.small({ 'room.linger_s': 1, 'room.record': 'all' });
		bots = Bots.start(server, 'r', { senders: 2, decode: 1, seconds: 600 });
		await bots.ready;
		s = await enter(server, 'r', 'operator');
	});
	after(async () => {
		s?.destroy();
		await bots?.kill();
		await server.stopFine();
	});

	test('goes on without a gap, is told to all, and costs no encoder meanwhile', async () => {
		assert.equal((await rest(server, 'nobody', 'start')).status, 404);
		assert.deepEqual([(await rest(server, 'r', 'pause')).code, (await rest(server, 'r', 'dance')).code], ['not_recording', 'bad_json']);
		const began = Date.now();
		const on = await rest(server, 'r', 'start');
		assert.deepEqual([on.status, on.state, on.by], [200, 'on', 'admin']);
		await state(s, 'on');
		assert.equal((await rest(server, 'r', 'start')).code, 'already_recording');
		await sleep(2000); // of the first part
		s.send({ type: 'record', action: 'pause' });
		const paused = await state(s, 'paused');
		const stood = Date.now();
		assert.equal(paused.recording, on.recording);
		const late = await enter(server, 'r', 'late');
		assert.equal((await rest(server, 'r')).state, 'paused');
		late.destroy();
		await sleep(2500); // of the pause
		const from = s.messages.length, pause = (Date.now() - stood) / 1000;
		assert.equal((await rest(server, 'r', 'resume')).state, 'on');
		await state(s, 'on', from);
		await sleep(2000); // of the second part
		assert.equal((await rest(server, 'r', 'stop')).status, 200);
		await state(s, 'ready');
		const most = (Date.now() - began) / 1000 - pause;
		const [file] = fileOf(server.data);
		assert.equal(complaints(file), '');
		const c = contents(file), p = probe(file);
		// longer than one part, and without the pause, however long all of it took
		assert.ok(p.duration > 2.5 && p.duration < most + 0.3, `lasts ${p.duration} s of ${most} s, paused for ${pause} s`);
		assert.ok(c.gap < 1.5, `a gap of ${c.gap} s`);
		assert.ok(Math.abs(c.lastPicture - c.lastSound) < 1.5, JSON.stringify(c));
		for (const b of (await bots.finish()).participants)
			assertUndisturbed(b);
	});
});

describe('a room that is recorded by itself', limit, () => {
	let server;
	before(async () => {
		server = await Server.small({ 'room.linger_s': 1, 'room.record': 'auto', 'recording.auto_end_s': 0, 'recording.container': 'mkv', 'recording.audio': 'opus' });
	});
	after(() => server.stopFine());

	test('while there are two people, unless a host stops it', async () => {
		const a = await enter(server, 'lesson', 'Ann');
		assert.equal((await rest(server, 'lesson')).state, 'off');
		let b = await enter(server, 'lesson', 'Bob');
		const on = await state(a, 'on');
		assert.equal(on.by ?? '', '');
		await until('something in the file', async () => (await server.recordings())[0] && fileOf(server.data).length);
		await sleep(2500); // of the recording
		b.destroy();
		const ready = await state(a, 'ready');
		const [file] = fileOf(server.data);
		const p = probe(file);
		assert.deepEqual([p.video.codec_name, p.audio.codec_name, file.slice(-4)], ['h264', 'opus', '.mkv']);
		assert.equal(complaints(file), '');
		assert.ok(Math.abs(contents(file).lastPicture - contents(file).lastSound) < 1.5, JSON.stringify(contents(file)));
		assert.equal((await fetch(new URL(ready.url, server.url))).headers.get('content-type'), 'video/x-matroska');
		// again
		let from = a.messages.length;
		b = await enter(server, 'lesson', 'Bob');
		await state(a, 'on', from);
		a.send({ type: 'record', action: 'stop' });
		await a.next('recording', { from, test: (m) => ['ready', 'failed'].includes(m.state) });
		from = a.messages.length;
		const c = await enter(server, 'lesson', 'Cem');
		assert.equal((await rest(server, 'lesson')).state, 'off', 'a host has stopped it');
		b.destroy();
		c.destroy();
		await until('them to be gone', () => a.messages.slice(from).filter((m) => m.type === 'left').length === 2);
		b = await enter(server, 'lesson', 'Bob');
		await state(a, 'on', from);
		for (const s of [a, b])
			s.destroy();
		await until('it to end with the room', async () => (await server.recordings()).every((r) => r.state !== 'recording'));
	});
});

// Of every format, as it is written, when it was stopped and in the end: times that only grow,
// sound and picture that begin and end together, key frames at most 4 s apart.
test('every format', limit, async () => {
	const server = await Server.small({ 'room.record': 'all' });
	const rounds = [
		{ a: { container: 'mp4', audio: 'aac' }, b: { container: 'mp4', audio: 'opus' }, c: { container: 'mkv', audio: 'aac' } },
		{ a: { container: 'mkv', audio: 'opus' }, b: { container: 'mp4', audio: 'aac', video: false }, c: { container: 'mkv', audio: 'opus', video: false } },
	];
	const bots = ['a', 'b', 'c'].map((room) => Bots.start(server, room, { senders: 1, decode: 0, seconds: 600 }));
	await Promise.all(bots.map((b) => b.ready));
	for (const round of rounds) {
		const waited = waits(server.process.pid);
		const running = await Promise.all(Object.entries(round).map(async ([room, how]) => {
			const s = await enter(server, room, 'operator');
			s.send({ type: 'record', action: 'start', ...how });
			return { how, s, id: Number((await state(s, 'on')).recording) };
		}));
		await sleep(5500); // longer than from one key frame to the next
		const apart = starved(server.process.pid, waited) ? 0.5 : 0.02;
		for (const r of running) {
			const file = fileOf(server.data).find((f) => f.includes(`-${r.id}.`)), copy = join(server.data, `now.${r.how.container}`);
			copyFileSync(file, copy);
			truncateSync(copy, wholeEnd(copy));
			assert.equal(complaints(copy), '', JSON.stringify(r.how));
			assertOrder(copy, { apart, ends: false });
		}
		for (const r of running) {
			r.s.send({ type: 'record', action: 'stop' });
			await state(r.s, 'ready');
			r.s.destroy();
		}
		const rows = await until('all to be finished', async () => {
			const all = await server.recordings();
			return all.every((r) => r.finish === 'done') && all;
		}, 60000);
		for (const { how, id } of running) {
			const file = fileOf(server.data).find((f) => f.includes(`-${id}.`)), p = probe(file);
			assert.equal(rows.find((r) => r.id === id).kind, how.video === false ? 'audio' : 'composed');
			assert.deepEqual([file.slice(-3), p.video?.codec_name, p.audio.codec_name], [how.container, how.video === false ? undefined : 'h264', how.audio]);
			assert.equal(complaints(file), '', JSON.stringify(how));
			const { v, a } = assertOrder(file, { apart });
			assert.ok(a.at(-1).end > 4 && (how.video === false || v.at(-1).end > 4), `${file} lasts ${a.at(-1).end} s`);
		}
	}
	await Promise.all(bots.map((b) => b.kill()));
	await server.stopFine();
});

test('sound alone', limit, async () => {
	const server = await Server.small({ 'room.record': 'all', 'recording.video': false });
	const s = await enter(server, 'r', 'operator');
	s.send({ type: 'record', action: 'start' });
	await state(s, 'on');
	await sleep(2000); // of the recording
	assert.equal(await server.value('mcu_video_encoders', 'r'), 0);
	s.send({ type: 'record', action: 'stop' });
	await state(s, 'ready');
	const p = probe(fileOf(server.data)[0]);
	assert.equal(p.video, undefined);
	assert.equal(p.audio.codec_name, 'aac');
	assert.ok(p.duration > 1, `${p.duration} s`);
	assert.equal(complaints(fileOf(server.data)[0]), '');
	s.destroy();
	await server.stopFine();
});

test('a disk that hangs ends the recording and disturbs nobody', { ...limit, skip: variant === 'release' ? false : 'sanitizers want to be preloaded themselves' }, async () => {
	const folder = mkdtempSync(join(tmpdir(), 'mcu-slow-'));
	const lib = join(folder, 'slow.so'), mark = join(folder, 'hangs');
	execFileSync('cc', ['-D_GNU_SOURCE', '-shared', '-fPIC', '-o', lib, fileURLToPath(new URL('slow_disk.c', import.meta.url)), '-ldl']);
	const server = await Server.small({ 'room.record': 'all', 'recording.buffer_kb': 256 }, { prefix: ['env', `LD_PRELOAD=${lib}`, `SLOW_DISK=${mark}`] });
	const bots = Bots.start(server, 'r', { senders: 2, decode: 1, seconds: 600 });
	await bots.ready;
	const s = await enter(server, 'r', 'operator');
	const seen = [];
	let failures = 0;
	// No tick of sound is missed and no picture late while the disk hangs. Of a machine that
	// does so by itself now and then a second is found in which it does not.
	for (let fine = false; !fine;) {
		assert.ok(failures < 5, `there was no calm moment: ${JSON.stringify(seen)}`);
		const before = await Disturbance.during(server, 'r', 2000);
		const from = s.messages.length;
		s.send({ type: 'record', action: 'start' });
		await state(s, 'on', from);
		await sleep(2000); // of the recording
		writeFileSync(mark, '');
		let over = false;
		const failed = state(s, 'failed', from).then((m) => { over = true; return m; });
		while (!over) {
			seen.push(await Disturbance.during(server, 'r', 1000));
			fine ||= undisturbed(seen.at(-1), before);
		}
		assert.match((await failed).text, /too slow/);
		assert.equal(await server.value('mcu_recording_alarm'), 1);
		unlinkSync(mark);
		failures++;
		const rows = await until('the registry to know', async () => {
			const all = await server.recordings();
			return all.filter((r) => r.state === 'failed').length === failures && all;
		});
		assert.match(rows[0].error, /too slow/);
	}
	for (const file of fileOf(server.data)) {
		assert.equal(complaints(file), '');
		assert.ok(contents(file).lastPicture > 2, JSON.stringify(contents(file)));
	}
	for (const b of (await bots.finish()).participants)
		assertUndisturbed(b, { gapMs: 3000 }); // it hung for longer
	// It works again, and the alarm is over.
	const from = s.messages.length;
	s.send({ type: 'record', action: 'start' });
	await state(s, 'on', from);
	await sleep(1000); // of the second one
	s.send({ type: 'record', action: 'stop' });
	await state(s, 'ready', from);
	assert.equal(await server.value('mcu_recording_alarm'), 0);
	s.destroy();
	await server.stopFine();
	rmSync(folder, { recursive: true });
});

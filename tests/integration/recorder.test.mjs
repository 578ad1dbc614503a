// The recorder: pauses, by itself, other formats, a disk that hangs, kill -9 of a server
// with two recordings.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';

import { Bots, assertUndisturbed } from '../support/bots.mjs';
import { complaints, contents, probe } from '../support/media.mjs';
import { Server, until } from '../support/server.mjs';
import { variant, within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

// What may be missing at the end: a fragment, and what it takes to begin.
const LOST_S = 2;
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
	s.send({ type: 'record', action: 'start' });
	await state(s, 'on');
	await sleep(2000); // of the recording
	const before = await server.metrics();
	const hung = Date.now();
	writeFileSync(mark, '');
	const failed = await state(s, 'failed');
	assert.match(failed.text, /too slow/);
	assert.equal(await server.value('mcu_recording_alarm'), 1);
	await sleep(1000); // the conference goes on beside the disk that hangs
	const now = await server.metrics();
	// Whoever waited for the disk would have missed all of them.
	const seconds = (Date.now() - hung) / 1000;
	for (const [name, hz] of [['mcu_audio_ticks_missed_total', 50], ['mcu_video_ticks_skipped_total', 15]]) {
		const missed = (now.get(name) ?? 0) - (before.get(name) ?? 0);
		assert.ok(missed < seconds * hz / 3, `${name}: ${missed} in ${seconds} s`);
	}
	unlinkSync(mark);
	const row = await until('the registry to know', async () => (await server.recordings()).find((r) => r.state === 'failed'));
	assert.match(row.error, /too slow/);
	const [file] = fileOf(server.data);
	assert.equal(complaints(file), '');
	assert.ok(contents(file).lastPicture > 2, JSON.stringify(contents(file)));
	for (const b of (await bots.finish()).participants)
		assertUndisturbed(b);
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

describe('kill -9 of a server that records two rooms', limit, () => {
	for (const container of ['mp4', 'mkv'])
		test(`${container}: both play to within a second, and are repaired`, async () => {
			const data = mkdtempSync(join(tmpdir(), 'mcu-kill-'));
			const settings = { 'room.record': 'all', 'recording.container': container };
			const first = await Server.small(settings, { data });
			const rooms = [];
			const both = ['a', 'b'].map((room) => [room, Bots.start(first, room, { senders: 1, seconds: 600 })]);
			for (const [room, bots] of both) {
				await bots.ready;
				const s = await enter(first, room, 'operator');
				s.send({ type: 'record', action: 'start' });
				await state(s, 'on');
				rooms.push({ bots, s, began: Date.now() });
			}
			await sleep(2000 + Math.random() * 2000); // until a moment of its own
			first.process.kill('SIGKILL');
			const at = Date.now();
			await first.exited;
			for (const r of rooms) {
				await r.bots.kill();
				r.s.destroy();
			}
			const second = await Server.small(settings, { data });
			const files = fileOf(data);
			assert.equal(files.length, 2);
			const rows = await second.recordings(first.password);
			assert.deepEqual(rows.map((r) => r.state), ['interrupted', 'interrupted']);
			for (const file of files) {
				const began = rooms[/\/b-[^/]*$/.test(file) ? 1 : 0].began;
				const c = contents(file);
				for (const end of [c.lastPicture, c.lastSound])
					assert.ok(end > (at - began) / 1000 - LOST_S, `${JSON.stringify(c)} of ${(at - began) / 1000} s`);
				assert.equal(complaints(file), '');
			}
			await second.stopFine();
			rmSync(data, { recursive: true });
		});
});

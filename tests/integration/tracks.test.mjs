// Isolated tracks: what each participant sends, in a file of its own beside the recording.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';

import { Bots, TONES, assertUndisturbed } from '../support/bots.mjs';
import { complaints, probe } from '../support/media.mjs';
import { Server, until } from '../support/server.mjs';
import { fromS16, loudness } from '../support/tones.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const HEARD_DB = -40, UNHEARD_DB = -60;
// Of the end of a track against the recording's, and what a pause may cost beside its length.
const OFF_S = 0.5;
const limit = { timeout: within(120000) };
const settings = { 'room.linger_s': 1, 'room.record': 'all', 'recording.tracks': true };

async function ask(server, path) {
	const r = await fetch(`http://127.0.0.1:${server.port}/api/v1/${path}`, {
		headers: { Authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` },
	});
	assert.equal(r.status, 200);
	return r.json();
}

const state = (s, want) => s.next('recording', { test: (m) => m.state === want, ms: within(60000) });

async function enter(server, room) {
	const s = await Socket.open(server.url);
	await s.join(room, 'operator');
	return s;
}

// When each packet of a stream is, seconds.
function times(file, stream) {
	return execFileSync('ffprobe', ['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file], { encoding: 'utf8' })
		.split('\n').filter(Boolean).map(parseFloat);
}

function assertGrows(file) {
	const [v, a] = [times(file, 'v'), times(file, 'a')];
	for (const list of [v, a])
		list.forEach((t, i) => assert.ok(!i || t > list[i - 1], `${file}: ${t} after ${list[i - 1]}`));
	return { v, a };
}

const RATE = 16000;
const sound = (file) => fromS16(execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-vn', '-ac', '1', '-ar', String(RATE), '-f', 's16le', '-'], { maxBuffer: 1 << 26 }));

// The file of a row, fetched as who sees the list would.
async function fileOf(server, row, folder) {
	const r = await fetch(new URL(row.url, server.url));
	assert.equal(r.status, 200);
	const file = join(folder, `${row.id}.${row.format}`);
	writeFileSync(file, Buffer.from(await r.arrayBuffer()));
	return file;
}

// The recording with its tracks, when nothing more is done to any.
async function settled(server, id, tracks, want) {
	let last;
	return until(`${tracks} tracks to be ${want}`, async () => {
		const r = last = await ask(server, `recordings/${id}`);
		return [r, ...r.tracks].every((x) => x.state === want && x.finish === 'done') && r.tracks.length === tracks && r;
	}, within(60000)).catch((e) => assert.fail(`${e.message}: ${JSON.stringify(last)}`));
}

describe('isolated tracks', limit, () => {
	test('line up with the recording, each with its own sound, through a pause, a mute, coming and going', async () => {
		const server = await Server.small(settings);
		const s = await enter(server, 'r'); // first, and so a host
		const bots = Bots.start(server, 'r', { senders: 2, decode: 0, seconds: 600, name: 'first-' });
		await bots.ready;
		s.send({ type: 'record', action: 'start' });
		const { recording } = await state(s, 'on');
		await sleep(2500); // of the recording
		const late = Bots.start(server, 'r', { senders: 1, decode: 0, seconds: 600, name: 'late-' });
		await late.ready;
		await sleep(1500); // of it
		s.send({ type: 'record', action: 'pause' });
		await state(s, 'paused');
		await sleep(2000); // of the pause
		s.send({ type: 'record', action: 'resume' });
		const { leg } = s.messages.filter((m) => m.type === 'joined').map((m) => m.participant).find((p) => p.name.startsWith('late-'));
		s.send({ type: 'moderate', action: 'mute', leg });
		await s.next('muted', { test: (m) => m.leg === leg && m.audio });
		await sleep(2000); // in which it is not heard, and so not kept
		const gone = await late.finish();
		await sleep(1500);
		s.send({ type: 'record', action: 'stop' });
		await state(s, 'ready');
		const all = await settled(server, recording, 3, 'ready');
		const composed = await fileOf(server, all, server.data), whole = probe(composed);
		const joined = (await bots.finish()).participants;
		for (const b of [...joined, ...gone.participants])
			assertUndisturbed(b);
		for (const [i, b] of [...joined, ...gone.participants].entries()) {
			const row = all.tracks.find((t) => t.leg === b.leg);
			assert.deepEqual([row.kind, row.format, row.title, row.sha256.length], ['track', 'mkv', b.name ?? row.title, 64]);
			const file = await fileOf(server, row, server.data), p = probe(file);
			assert.deepEqual([p.video.codec_name, p.audio.codec_name], ['h264', 'opus'], row.title);
			assert.equal(complaints(file), '', row.title);
			const { v, a } = assertGrows(file);
			const muted_s = i < 2 ? 0 : 2;
			assert.ok(Math.abs(v.at(-1) - muted_s - a.at(-1)) < OFF_S + muted_s / 2, `pictures until ${v.at(-1)}, sound until ${a.at(-1)}`);
			const own = TONES[i < 2 ? i : 0];
			if (i < 2) {
				assert.ok(Math.abs(p.duration - whole.duration) < OFF_S, `${row.title} lasts ${p.duration} s of ${whole.duration}`);
				assert.ok(a[0] < OFF_S && v[0] < 1 + OFF_S, `begins at ${a[0]}, ${v[0]}`);
				const gap = Math.max(...a.slice(1).map((t, k) => t - a[k]));
				assert.ok(gap < OFF_S, `the pause is a gap of ${gap} s`);
			} else {
				assert.ok(a[0] > 2 && p.duration < whole.duration - 1, `late: from ${a[0]} to ${p.duration} of ${whole.duration}`);
			}
			const heard = sound(file), other = TONES[i === 1 ? 0 : 1];
			assert.ok(loudness(heard, RATE, own) > HEARD_DB, `${row.title}: ${own} Hz at ${loudness(heard, RATE, own)} dB`);
			assert.ok(loudness(heard, RATE, other) < UNHEARD_DB, `${row.title}: ${other} Hz at ${loudness(heard, RATE, other)} dB`);
		}
		assert.equal((await ask(server, 'recordings')).recordings.length, 1, 'tracks are not among the recordings');
		s.destroy();
		await server.stopFine();
	});
});

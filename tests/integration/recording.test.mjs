// Recordings: by the protocol, through SIGINT and a full disk.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';

import { Bots, COLOURS, TONES, assertUndisturbed, clips, near } from '../support/bots.mjs';
import { Disturbance, undisturbed } from '../support/disturbance.mjs';
import { colour, complaints, contents, level, probe } from '../support/media.mjs';
import { Server, until } from '../support/server.mjs';
import { SLOWER, variant, within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const WIDTH = 640, HEIGHT = 360, FPS = 15;
const HEARD_DB = -35, UNHEARD_DB = -60;
const LOST_S = 2;
const RECORD_MS = 5000;
const limit = { timeout: within(120000) };

// Somebody who starts and stops recordings.
class Operator {
	static async enter(server, room) {
		const o = new Operator();
		o.s = await Socket.open(server.url);
		await o.s.join(room, 'operator');
		return o;
	}

	record(action) {
		this.s.send({ type: 'record', action });
	}

	state(state, from = 0) {
		return this.s.next('recording', { from, test: (m) => m.state === state });
	}

	// Running, and with pictures in the file.
	async start() {
		const from = this.s.messages.length;
		this.asked = Date.now();
		this.record('start');
		const m = await this.state('on', from);
		this.began = Date.now();
		return m;
	}

	// Of the recording, at least; the time that it took to begin may be in it too.
	seconds() {
		return (Date.now() - this.began) / 1000;
	}

	get late() {
		return (this.began - this.asked) / 1000;
	}
}

// Of the file of a recording that was told of: in the list, as others than hosts get it.
async function addressOf(server, { recording }) {
	return (await server.recordings()).find((r) => String(r.id) === recording).url;
}

function files(folder) {
	return existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String).filter((f) => f.endsWith('.mp4')).map((f) => join(folder, f)) : [];
}

async function download(server, url, headers = {}) {
	const r = await fetch(new URL(url, server.url), { headers });
	return { status: r.status, headers: r.headers, body: Buffer.from(await r.arrayBuffer()) };
}

async function fetched(server, url, folder) {
	const { status, body } = await download(server, url);
	assert.equal(status, 200);
	const file = join(folder, 'fetched.mp4');
	writeFileSync(file, body);
	return file;
}

function assertContent(file, layout, legs, atSecond) {
	const tiles = layout.tiles.filter((x) => legs.includes(x.leg));
	assert.equal(tiles.length, legs.length);
	for (const t of tiles) {
		const want = COLOURS[legs.indexOf(t.leg)];
		const seen = colour(file, atSecond, t.x + Math.floor(t.width / 2), t.y + Math.floor(t.height / 2), WIDTH);
		assert.ok(near(seen, want), `leg ${t.leg} is ${seen} instead of ${want}`);
	}
	for (const i of legs.keys())
		assert.ok(level(file, atSecond, TONES[i]) > HEARD_DB, `${TONES[i]} Hz at ${level(file, atSecond, TONES[i])} dB`);
	assert.ok(level(file, atSecond, TONES[7]) < UNHEARD_DB, 'a tone that nobody sends');
}

describe('recording by the protocol', limit, () => {
	let server, bots, operator, folder;
	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'mcu-rec-'));
		server = await Server.small({ 'room.linger_s': 1, 'room.record': 'all' });
		bots = Bots.start(server, 'r', { senders: 2, decode: 1, seconds: 600 });
		await bots.ready;
		operator = await Operator.enter(server, 'r');
	});
	after(async () => {
		operator?.s.destroy();
		await bots?.kill();
		await server.stopFine();
		rmSync(folder, { recursive: true });
	});

	let on, ready;
	test('start and stop; who comes meanwhile is told; a second start is refused', async () => {
		const before = await server.value('mcu_video_ticks_skipped_total');
		on = await operator.start();
		assert.equal(on.by, 'operator');
		const other = await Socket.open(server.url);
		const { recording } = await other.join('r', 'late');
		assert.deepEqual([recording.state, recording.recording, recording.by], ['on', on.recording, 'operator']);
		const e = await other.ask({ type: 'record', action: 'start', id: 'x' }, 'error');
		assert.deepEqual([e.code, e.id], ['already_recording', 'x']);
		assert.equal(await server.value('mcu_video_encoders', 'r'), 1, 'the room\'s own encoder is recorded');
		await sleep(RECORD_MS); // the length of the recording
		const layout = operator.s.messages.findLast((m) => m.type === 'layout');
		operator.record('stop');
		const seconds = operator.seconds();
		ready = await operator.state('ready');
		assert.equal(ready.recording, on.recording);
		const heard = await other.next('recording', { test: (m) => m.state === 'ready' });
		assert.deepEqual([heard.url, ready.url], [undefined, undefined], 'the link is for hosts');
		ready.url = await addressOf(server, ready);
		other.destroy();
		const file = await fetched(server, ready.url, folder);
		const p = probe(file);
		assert.deepEqual([p.video.codec_name, p.video.width, p.video.height, p.audio.codec_name, p.audio.sample_rate], ['h264', WIDTH, HEIGHT, 'aac', '48000']);
		assert.ok(p.duration > seconds - SLOWER && p.duration < seconds + 1 + operator.late, `lasts ${p.duration} s instead of ${seconds}`);
		assert.equal(complaints(file), '');
		const c = contents(file);
		// but for those that the room could not make in time
		const skipped = await server.value('mcu_video_ticks_skipped_total') - before;
		assert.ok(c.pictures > ((p.duration - 1) * FPS * 0.9 - skipped) / SLOWER, `${c.pictures} pictures in ${p.duration} s, ${skipped} skipped`);
		assert.ok(c.gap < 0.3 + skipped / FPS || variant !== 'release', `a gap of ${c.gap} s`);
		const s = await bots.finish();
		for (const b of s.participants)
			assertUndisturbed(b);
		assertContent(file, layout, s.participants.map((b) => b.leg), 1);
	});

	test('parts of a file', async () => {
		const all = (await download(server, ready.url)).body;
		const part = async (range) => {
			const r = await download(server, ready.url, { Range: range });
			return [r.status, r.headers.get('content-range'), r.body];
		};
		assert.deepEqual(await part('bytes=0-99'), [206, `bytes 0-99/${all.length}`, all.subarray(0, 100)]);
		assert.deepEqual(await part('bytes=1000-'), [206, `bytes 1000-${all.length - 1}/${all.length}`, all.subarray(1000)]);
		assert.deepEqual(await part('bytes=-10'), [206, `bytes ${all.length - 10}-${all.length - 1}/${all.length}`, all.subarray(-10)]);
		assert.deepEqual((await part(`bytes=${all.length}-`)).slice(0, 2), [416, `bytes */${all.length}`]);
	});

	test('the list is for those with an account, the file for those who have its link', async () => {
		const [row] = await server.recordings();
		assert.deepEqual([row.state, row.room, row.by], ['ready', 'r', 'operator']);
		assert.equal((await download(server, row.url)).status, 200);
		await assert.rejects(server.recordings('wrong'), /401/);
		assert.equal((await fetch(`http://127.0.0.1:${server.port}/api/v1/recordings`)).status, 401);
		const wrong = ready.url.replace(/.$/, (c) => c === '0' ? '1' : '0');
		assert.equal((await download(server, wrong)).status, 404);
	});
});

// After SIGKILL: kill.test.mjs.
test('SIGINT during a recording: it plays, and is listed as ready', limit, async () => {
	const data = mkdtempSync(join(tmpdir(), 'mcu-rec-'));
	const first = await Server.small({ 'room.record': 'all' }, { data });
	const bots = Bots.start(first, 'r', { senders: 2, seconds: 600 });
	await bots.ready;
	const operator = await Operator.enter(first, 'r');
	const { recording } = await operator.start();
	await sleep(RECORD_MS);
	first.process.kill('SIGINT');
	const seconds = operator.seconds();
	const { code } = await first.exited;
	assert.equal(code, 0, first.log);
	await bots.kill();
	operator.s.destroy();

	const [file, ...more] = files(join(data, 'recordings'));
	assert.equal(more.length, 0);
	const assertLength = (f) => {
		const c = contents(f);
		for (const at of [c.lastPicture, c.lastSound])
			assert.ok(at > seconds - SLOWER && at < seconds + 1 + operator.late, `${JSON.stringify(c)} of ${seconds} s`);
	};
	assertLength(file);
	assert.equal(complaints(file), '');
	const second = await Server.small({ 'room.record': 'all', 'recording.finish': false }, { data });
	assert.equal(second.password, undefined, 'the password is shown once only');
	const rows = await second.recordings(first.password);
	assert.deepEqual(rows.map((r) => [String(r.id), r.state, r.room, r.by]), [[String(recording), 'ready', 'r', 'operator']]);
	assert.ok(Math.abs(rows[0].duration_ms / 1000 - seconds) < 1 + SLOWER + operator.late, `${rows[0].duration_ms} ms of ${seconds} s`);
	const got = await fetched(second, rows[0].url, data);
	assert.equal(complaints(got), '');
	assert.equal(rows[0].bytes, statSync(got).size);
	assertLength(got);
	const third = Bots.start(second, 'r', { senders: 1, seconds: 1 });
	await third.fine();
	await second.stopFine();
	rmSync(data, { recursive: true });
});

// What somebody shares is in the recording from when it begins, at its place.
describe('a recording of shared content', limit, () => {
	const SHARED = 5;
	let server, folder;
	const bots = [];
	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'mcu-rec-'));
		server = await Server.small({ 'room.linger_s': 1, 'room.record': 'all' });
	});
	after(async () => {
		await Promise.all(bots.map((b) => b.kill()));
		await server.stopFine();
		rmSync(folder, { recursive: true });
	});

	const enter = async (options) => {
		const b = Bots.start(server, 'shared', { senders: 1, decode: 1, seconds: 600, ...options });
		bots.push(b);
		await b.ready;
		return b;
	};

	test('before it the cameras alone, then what is shared', limit, async () => {
		const operator = await Operator.enter(server, 'shared');
		const first = await enter();
		operator.s.send({ type: 'layout', layout: 'presentation' });
		await operator.start();
		await sleep(2000); // of the camera alone
		const alone = operator.seconds();
		const second = await enter({ name: 'b-', video: join(clips, 'colour1.h264'), content: join(clips, `colour${SHARED}.h264`) });
		const layout = await operator.s.next('layout', { test: (m) => m.tiles.some((t) => t.content) });
		await sleep(3000); // of what is shared
		const seconds = operator.seconds();
		operator.record('stop');
		const ready = await operator.state('ready');
		const [a, b] = (await Promise.all([first.finish(), second.finish()])).map((s) => s.participants[0]);
		assertUndisturbed(a);
		assert.ok(b.sent.content_frames > 0);
		const file = await fetched(server, await addressOf(server, ready), folder);
		const tile = layout.tiles.find((t) => t.content);
		assert.equal(tile.leg, b.leg);
		assert.ok(tile.width > WIDTH / 2, `content is large: ${JSON.stringify(tile)}`);
		const shown = (at) => colour(file, at, tile.x + Math.floor(tile.width / 2), tile.y + Math.floor(tile.height / 2), WIDTH);
		assert.ok(near(shown(alone / 2), COLOURS[0]), `before it was shared: ${shown(alone / 2)}`);
		assert.ok(near(shown(seconds - 1), COLOURS[SHARED]), `shared: ${shown(seconds - 1)}`);
		const seen = b.colours.find((c) => c.content);
		assert.ok(near(seen.rgb, COLOURS[SHARED]), `${b.name} sees ${seen.rgb}`);
		operator.s.destroy();
	});
});

const canMount = process.getuid() === 0;

describe('a full disk', { ...limit, skip: canMount ? false : 'needs root, to mount a small tmpfs' }, () => {
	const FREE = 150000;
	let data;
	before(() => {
		data = mkdtempSync(join(tmpdir(), 'mcu-full-'));
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', data]);
	});
	after(() => {
		execFileSync('umount', ['-l', data]);
		rmSync(data, { recursive: true });
	});

	test('the recording fails with a reason, the conference goes on, the file plays', async () => {
		const server = await Server.small({ 'room.record': 'all' }, { data });
		const bots = Bots.start(server, 'r', { senders: 2, decode: 1, seconds: 600 });
		await bots.ready;
		const filler = join(data, 'filler');
		const [bsize, free] = execFileSync('stat', ['-f', '-c', '%S %a', data], { encoding: 'utf8' }).split(' ').map(Number);
		writeFileSync(filler, Buffer.alloc(bsize * free - FREE));
		const operator = await Operator.enter(server, 'r');
		// Nothing of the room's sound is missed and no picture late, until after the end; on a
		// machine that does so by itself it is looked again.
		const seen = [], lasted = [];
		for (let fine = false; !fine;) {
			assert.ok(seen.length < 5, `there was no calm moment: ${JSON.stringify(seen)}`);
			const before = await Disturbance.during(server, 'r', 2000);
			truncateSync(filler, bsize * free - FREE * (seen.length + 1));
			const from = operator.s.messages.length, recordings = join(data, 'recordings');
			await operator.start();
			// from when it runs, until after its end
			await until('something in its file', () => files(recordings).length > lasted.length && statSync(files(recordings).sort().at(-1)).size > 5000);
			const d = await Disturbance.begin(server, 'r');
			const failed = await operator.s.next('recording', { from, test: (m) => m.state === 'failed', ms: 60000 });
			assert.match(failed.text, /space|full/i);
			lasted.push(operator.seconds());
			assert.equal(await server.value('mcu_recorder_failures_total'), lasted.length);
			assert.equal(await server.value('mcu_recording_alarm'), 1);
			seen.push(await d.seen());
			fine = undisturbed(seen.at(-1), before);
		}
		assert.equal(await server.value('mcu_legs', 'r'), 3);
		// Once there is room again, it can be recorded again.
		const [broken] = files(join(data, 'recordings')).sort();
		unlinkSync(filler);
		await operator.start();
		await sleep(2000);
		operator.record('stop');
		const ready = await operator.state('ready');
		assert.equal(complaints(await fetched(server, await addressOf(server, ready), data)), '');
		const s = await bots.finish();
		for (const p of s.participants)
			assertUndisturbed(p);
		assert.equal(complaints(broken), '');
		assert.ok(contents(broken).lastPicture > lasted[0] - LOST_S * SLOWER - 1, `${JSON.stringify(contents(broken))} of ${lasted} s`);
		// The registry was on the full disk too: it is told when there is room.
		const rows = await until('the registry to know how they ended', async () => {
			const all = await server.recordings();
			return all.every((r) => r.state !== 'recording') && all;
		});
		assert.deepEqual(rows.map((r) => r.state), ['ready', ...seen.map(() => 'failed')]);
		assert.match(rows.at(-1).error, /space|full/i);
		assert.equal(await server.value('mcu_recording_alarm'), 0, 'the last one ended well');
		operator.s.destroy();
		await server.stopFine();
	});
});

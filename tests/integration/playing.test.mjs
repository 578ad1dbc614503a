// What is played into rooms, watched closely: decoded only while it is seen, in step with its
// sound, a camera that goes away and comes back, films of odd lengths, and nothing left behind.
// The rooms run side by side.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';

import { near } from '../support/bots.mjs';
import { Camera } from '../support/camera.mjs';
import { level, middles } from '../support/media.mjs';
import { Api, ffmpeg, recorded, state, upload } from '../support/playback.mjs';
import { Server, until } from '../support/server.mjs';
import { flashes, offsets } from '../support/sync.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const WIDTH = 320, HEIGHT = 180;
const RED = [255, 0, 0], GREEN = [0, 255, 0], BLUE = [0, 0, 255];
const LOW = 500, HIGH = 1500, APART_DB = 20, APART_MS = 60;
let server, folder;

// Somebody in a room of his own, who may play.
async function enter(room) {
	const host = await Socket.open(server.url);
	await host.join(room, 'Ann');
	const api = new Api(server, room);
	await api.sign();
	return { host, api, record: (fn) => recorded(server, host, folder, fn) };
}

async function play(api, ask) {
	const { status, body } = await api.playback('POST', null, ask);
	assert.equal(status, 202, JSON.stringify(body));
	return body.playback;
}

const get = async (api, id) => (await api.playback('GET', id)).body;
const tone = (file, at, hz, other) => level(file, at, hz) > level(file, at, other) + APART_DB;
const is = (rgb, want) => near(rgb, want, 70);
// When (s) it is first of that colour.
const first = (seen, want) => seen.find(({ rgb }) => is(rgb, want))?.t ?? -1;
// What it changes to, and when.
const story = (seen) => seen.filter(({ rgb }, i) => !i || !near(rgb, seen[i - 1].rgb, 30)).map(({ t, rgb }) => `${t}: ${rgb}`).join('; ');

// Colours and tones one after the other, seconds each.
function makeFilm(file, seconds, parts) {
	const one = ([c, hz]) => ['-f', 'lavfi', '-t', String(seconds), '-i', `color=c=${c}:s=320x180:r=25`, '-f', 'lavfi', '-t', String(seconds), '-i', `sine=frequency=${hz}:sample_rate=44100`];
	ffmpeg(...parts.flatMap(one), '-filter_complex', `${parts.map((p, i) => `[${2 * i}][${2 * i + 1}]`).join('')}concat=n=${parts.length}:v=1:a=1[v][a]`,
		'-map', '[v]', '-map', '[a]', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '250', '-pix_fmt', 'yuv420p', '-c:a', 'aac', file);
}

// What the server holds of playbacks: their memory, their files.
const held = () => readdirSync(`/proc/${server.process.pid}/fd`).map((f) => {
	try {
		return readlinkSync(`/proc/${server.process.pid}/fd/${f}`);
	} catch {
		return '';
	}
}).filter((f) => /mcu-media|\/uploads\//.test(f));

describe('playing', { timeout: within(180000), concurrency: true }, () => {
	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'mcu-playing-'));
		server = await Server.small({ 'video.width': WIDTH, 'video.height': HEIGHT, 'video.fps': 30, 'room.record': 'all', 'room.linger_s': 1, 'playback.per_room': 8 });
	});
	after(async () => {
		await until('nothing to be held', async () => await server.value('mcu_media_children') === 0 && !held().length);
		assert.deepEqual(readdirSync(server.data, { recursive: true }).filter((f) => f.endsWith('.part')), []);
		await server?.stopFine();
		rmSync(folder, { recursive: true, force: true });
	});

	test('what nobody sees is not decoded, and is heard', async () => {
		const film = join(folder, 'film.mp4'), { host, api, record } = await enter('hidden');
		makeFilm(film, 4, [['red', LOW], ['blue', HIGH]]);
		const { body: { upload: id } } = await upload(api, film);
		const at = async (ms, it) => until(`it to be at ${ms} ms`, async () => (await get(api, it)).position_ms >= ms, 30000);
		// Nobody watches.
		const it = await play(api, { source: 'upload', upload: id, loop: true });
		await state(host, 'playing');
		await at(600, it);
		const unseen = (await get(api, it)).pictures;
		await at(1200, it);
		assert.equal((await get(api, it)).pictures, unseen, 'nobody is there to see it');
		await api.playback('PATCH', it, { position_ms: 0 });
		const { file } = await record(async () => {
			await until('it to be decoded', async () => (await get(api, it)).pictures > unseen);
			await sleep(1000); // pictures of it
			assert.equal((await api.playback('PATCH', it, { hidden: true })).status, 200);
			let count;
			await until('nothing to be decoded', async () => {
				const before = count;
				await sleep(200);
				count = (await get(api, it)).pictures;
				return count === before;
			});
			const from = (await get(api, it)).position_ms;
			await at(Math.max(5000, from + 1000), it);
			assert.equal((await get(api, it)).pictures, count);
			await api.playback('PATCH', it, { hidden: false });
			await until('it to be decoded again', async () => (await get(api, it)).pictures > count);
			await sleep(1000);
			await api.playback('DELETE', it);
		});
		const seen = middles(file), red = first(seen, RED), gone = seen.find(({ t, rgb }) => t > red && !is(rgb, RED)).t, blue = first(seen, BLUE);
		assert.ok(red >= 0 && gone > red && blue > gone, story(seen));
		assert.ok(tone(file, Math.max(0, gone - 0.5), LOW, HIGH), 'it is heard while it is hidden');
		host.destroy();
	});

	test('pictures and sound are in step, also after a pause, a place that is sought, and the end', async (t) => {
		const film = join(folder, 'flashes.mp4'), { host, api, record } = await enter('sync');
		flashes(film, 4);
		const { body: { upload: id } } = await upload(api, film);
		const { file } = await record(async () => {
			const it = await play(api, { source: 'upload', upload: id, loop: true });
			await state(host, 'playing');
			await sleep(2300); // flashes
			await api.playback('PATCH', it, { paused: true });
			await sleep(700);
			await api.playback('PATCH', it, { paused: false });
			await sleep(1000);
			await api.playback('PATCH', it, { position_ms: 2200 });
			await sleep(4000); // beyond the end
			await api.playback('DELETE', it);
		});
		const all = offsets(file).map(Math.round);
		t.diagnostic(`pictures late by ${all} ms`);
		assert.ok(all.length >= 5, `${all}`);
		const sorted = [...all].sort((a, b) => a - b);
		assert.ok(Math.abs(sorted[sorted.length >> 1]) < APART_MS, `the picture is late by ${all} ms`);
		assert.ok(all.filter((ms) => Math.abs(ms) < APART_MS).length >= all.length * 0.75, `the picture is late by ${all} ms`);
		host.destroy();
	});

	test('a camera goes away and comes back, until it is stopped', async () => {
		const camera = await Camera.open('red', LOW), { host, api, record } = await enter('camera');
		const { file } = await record(async () => {
			const it = await play(api, { source: 'camera', url: camera.url });
			await state(host, 'playing');
			await sleep(1500);
			let from = host.messages.length;
			camera.lose();
			const lost = await state(host, 'reconnecting', from);
			assert.equal(lost.code, 'camera_lost');
			// Longer from time to time; each of these was the second connection or a later one.
			await until('two attempts', () => camera.asked.length >= 3, 30000);
			const [, first, second] = camera.asked;
			assert.ok(second - first > 1900, `after ${second - first} ms`);
			assert.equal((await get(api, it)).state, 'reconnecting');
			from = host.messages.length;
			camera.back('lime', HIGH);
			const back = await state(host, 'playing', from, 40000);
			assert.equal(back.leg, lost.leg, 'it is who it was');
			assert.equal(back.text, undefined);
			await sleep(2500);
			from = host.messages.length;
			camera.lose();
			await state(host, 'reconnecting', from);
			await api.playback('DELETE', it);
			await state(host, 'ended', from);
		});
		camera.close();
		const seen = middles(file), red = first(seen, RED), green = first(seen, GREEN);
		assert.ok(red >= 0 && green > red, story(seen));
		assert.ok(tone(file, green + 0.3, HIGH, LOW), 'the tone of the one that came back');
		host.destroy();
	});

	test('a camera that says it has sound, and sends none, is seen', async () => {
		const camera = await Camera.open('blue', LOW, { sound: false }), { host, api } = await enter('silent');
		await play(api, { source: 'camera', url: camera.url });
		await state(host, 'playing', 0, 30000);
		camera.close();
		host.destroy();
	});

	test('films whose sound ends early, and songs with a picture, play to their end and again', async () => {
		const { host, api, record } = await enter('odd');
		const short = join(folder, 'short.mp4'), song = join(folder, 'song.mp3');
		ffmpeg('-f', 'lavfi', '-t', '3', '-i', 'color=c=red:s=320x180:r=30', '-f', 'lavfi', '-t', '0.6', '-i', 'sine=frequency=500', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', short);
		ffmpeg('-f', 'lavfi', '-i', 'color=c=blue:s=200x200', '-frames:v', '1', join(folder, 'cover.png'));
		ffmpeg('-f', 'lavfi', '-t', '1.5', '-i', `sine=frequency=${HIGH}`, '-i', join(folder, 'cover.png'), '-map', '0:a', '-map', '1:v', '-c:v', 'mjpeg', '-disposition:v', 'attached_pic', song);
		const ids = await Promise.all([short, song].map(async (f) => (await upload(api, f)).body.upload));
		const { file } = await record(async () => {
			await play(api, { source: 'upload', upload: ids[0] });
			await state(host, 'playing');
			await state(host, 'ended', 0, 30000);
			const from = host.messages.length, it = await play(api, { source: 'upload', upload: ids[1], loop: true, position_ms: 1000 });
			await state(host, 'playing', from);
			const again = () => host.messages.slice(from).filter((m) => m.type === 'playback' && m.state === 'playing' && m.position_ms < 500).length;
			await until('it to begin again', () => again() >= 2, 30000);
			await api.playback('DELETE', it);
		});
		const seen = middles(file), blue = first(seen, BLUE);
		assert.ok(first(seen, RED) >= 0 && blue > 0, story(seen));
		assert.ok(tone(file, blue, HIGH, LOW));
		host.destroy();
	});

	test('nothing is left of what was played', async () => {
		const { host, api } = await enter('often'), film = join(folder, 'often.mp4');
		makeFilm(film, 1, [['red', LOW]]);
		const { body: { upload: id } } = await upload(api, film);
		for (let i = 0; i < 20; i++) {
			const from = host.messages.length, it = await play(api, { source: 'upload', upload: id, loop: true });
			if (i % 3)
				await state(host, i % 3 === 1 ? 'opening' : 'playing', from);
			assert.equal((await api.playback('DELETE', it)).status, 204);
		}
		host.destroy();
	});
});

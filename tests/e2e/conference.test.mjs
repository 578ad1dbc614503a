// Three browsers in one room: everybody sees all three where the layout puts
// them, hears the two others and not itself; one leaves and comes back; the
// recording holds the same.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { LOOKS, Person, near } from './person.mjs';

const WIDTH = 640, HEIGHT = 360, FPS = 15;
const HEARD_DB = -45, UNHEARD_DB = -70;
const out = process.env.E2E_OUT;
const looks = Object.keys(LOOKS);
let server;
let people;

const byLeg = (leg) => people.find((p) => p.leg === leg);
const others = (p) => people.filter((q) => q !== p && q.here);

async function seesEverybody(p, n) {
	const tiles = await until(`${p.name} to be told of ${n} tiles`, () => p.last('layout')?.tiles.length === n && p.tiles());
	await until(`${p.name} to see ${n} colours in their places`, async () => {
		const c = await p.colours(tiles);
		return c && tiles.every((t, i) => near(c[i], LOOKS[byLeg(t.leg).look].rgb));
	}).catch(async (e) => {
		throw new Error(`${e.message}: ${JSON.stringify(await p.colours(tiles))} in ${JSON.stringify(tiles)}`);
	});
}

async function hears(p, expected) {
	const hz = looks.map((l) => LOOKS[l].hz);
	let db;
	await until(`${p.name} to hear ${expected.join(', ') || 'nobody'}`, async () => {
		db = await p.tones(hz);
		return looks.every((l, i) => expected.includes(l) ? db[i] > HEARD_DB : db[i] < UNHEARD_DB);
	}).catch((e) => { throw new Error(`${e.message}: ${looks.map((l, i) => `${l} ${db[i].toFixed(0)} dB`)}`); });
}

const value = async (name) => (await server.metrics()).get(`${name}{room="demo"}`);

describe('three browsers in one room', { timeout: 180000 }, () => {
	before(async () => {
		server = await Server.start({ 'video.width': WIDTH, 'video.height': HEIGHT, 'video.fps': FPS, 'video.bitrate_kbps': 600 });
		people = await Promise.all(looks.map((l, i) => Person.open(server, ['Ana', 'Björn', '김민지'][i], l)));
		for (const p of people) {
			await p.join('demo');
			p.here = true;
		}
	});

	after(async () => {
		await Promise.all(people.map((p) => p.close()));
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
	});

	test('each sees all three colours at the tiles of the layout', async () => {
		for (const p of people)
			await seesEverybody(p, 3);
		await people[0].page.screenshot({ path: join(out, 'three.png') });
	});

	test('each hears the two others and not itself', async () => {
		for (const p of people)
			await hears(p, others(p).map((q) => q.look));
	});

	test('one video encoder and one listener mix serve everybody', async () => {
		assert.equal(await value('mcu_legs'), 3);
		assert.equal(await value('mcu_video_encoders'), 1);
		assert.equal(await value('mcu_listener_mixes'), 1);
		assert.equal(await value('mcu_video_decoders'), 3);
	});

	test('mute and unmute', async () => {
		await people[0].page.click('#mute');
		for (const p of people.slice(1))
			await hears(p, others(p).map((q) => q.look).filter((l) => l !== people[0].look));
		const muted = people[1].last('muted');
		assert.deepEqual([muted.leg, muted.audio, muted.video], [people[0].leg, true, false]);
		await people[0].page.click('#mute');
		for (const p of people.slice(1))
			await hears(p, others(p).map((q) => q.look));
	});

	test('a recording holds the picture and all three tones', async () => {
		await people[0].page.click('#record');
		await people[0].page.click('#record-go');
		await until('everybody to be told', () => people.every((p) => p.last('recording')?.state === 'on'));
		await until('a running recorder', async () => await value('mcu_video_encoders') === 1);
		await new Promise((r) => setTimeout(r, 6000)); // the length of the recording
		await people[0].page.click('#record');
		await until('the recording to be ready', () => people.every((p) => p.last('recording')?.state === 'ready'));
		const { url } = people[0].last('recording');
		assert.equal(people[2].last('recording').url, undefined, 'the link is for hosts');
		const file = join(out, 'recording.mp4');
		const reply = await fetch(server.url + url);
		assert.equal(reply.status, 200);
		writeFileSync(file, Buffer.from(await reply.arrayBuffer()));
		const probe = JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', file]));
		const [video, audio] = ['video', 'audio'].map((t) => probe.streams.find((s) => s.codec_type === t));
		assert.deepEqual([video.codec_name, video.width, video.height, audio.codec_name], ['h264', WIDTH, HEIGHT, 'aac']);
		assert.ok(Math.abs(probe.format.duration - 6) < 2, `lasts ${probe.format.duration} s`);
		assert.equal(execFileSync('ffmpeg', ['-v', 'warning', '-i', file, '-f', 'null', '-'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }), '');
		const rgb = execFileSync('ffmpeg', ['-v', 'error', '-ss', '3', '-i', file, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-']);
		for (const t of people[0].tiles()) {
			const at = ((t.y + t.height / 2) * WIDTH + t.x + t.width / 2) * 3;
			const seen = [...rgb.subarray(at, at + 3)];
			assert.ok(near(seen, LOOKS[byLeg(t.leg).look].rgb), `${byLeg(t.leg).look} is ${seen}`);
		}
		for (const l of looks)
			assert.ok(level(file, LOOKS[l].hz) > HEARD_DB, `${l} is heard at ${level(file, LOOKS[l].hz)} dB`);
		assert.ok(level(file, 1900) < UNHEARD_DB, 'and nothing else');
	});

	test('the finished file plays in the browser', async () => {
		const page = await people[0].page.context().newPage();
		await page.goto(server.url + people[0].last('recording').url);
		await until('the player to play', () => page.evaluate(() => {
			const v = document.querySelector('video');
			return v && v.readyState >= 2 && v.currentTime > 0.5 && v.duration > 4;
		}));
		await page.close();
	});

	test('one leaves: the picture is laid out anew within 15 output frames', async () => {
		const watcher = people[0];
		await watcher.page.evaluate(() => {
			const video = document.getElementById('view');
			window.seen = [];
			const canvas = new OffscreenCanvas(64, 36);
			const ctx = canvas.getContext('2d', { willReadFrequently: true });
			const look = (now, meta) => {
				ctx.drawImage(video, 0, 0, 64, 36);
				const here = document.querySelectorAll('#people > li').length;
				window.seen.push({ rtp: meta.rtpTimestamp, here, data: [...ctx.getImageData(0, 0, 64, 36).data] });
				window.seen.length > 450 && window.seen.shift();
				video.requestVideoFrameCallback(look);
			};
			video.requestVideoFrameCallback(look);
		});
		await until('a frame with all three', () => watcher.page.evaluate(() => window.seen.some((f) => f.here === 3)));
		people[2].here = false;
		await people[2].page.click('#leave');
		await seesEverybody(watcher, 2);
		const tiles = watcher.tiles();
		const isRelaid = (f) => tiles.every((t) => {
			const x = Math.floor((t.x + t.width / 2) / 10), y = Math.floor((t.y + t.height / 2) / 10);
			const at = (y * 64 + x) * 4;
			return near(f.data.slice(at, at + 3), LOOKS[byLeg(t.leg).look].rgb);
		});
		// A frame is noted after it was shown: the one that was just seen may come to the list a little later.
		const frames = await until('a frame with the new layout in the list', async () => {
			const all = await watcher.page.evaluate(() => window.seen);
			return all.some((f) => f.here === 2 && isRelaid(f)) && all;
		});
		// From the last frame before the page knew that somebody left; both may come first.
		const left = frames.findLast((f) => f.here === 3);
		const relaid = frames.find((f) => (f.rtp - left.rtp | 0) > 0 && isRelaid(f)) ?? left;
		const n = (relaid.rtp - left.rtp | 0) / (90000 / FPS); // RTP time stamps wrap
		assert.ok(n <= 15, `${n} frames`);
		await hears(watcher, [people[1].look]);
	});

	test('and comes back', async () => {
		await people[2].join('demo');
		people[2].here = true;
		await people[2].page.evaluate(() => { delete window.ears; });
		for (const p of people)
			await seesEverybody(p, 3);
		await hears(people[2], [people[0].look, people[1].look]);
	});

	test('no page had an error', () => {
		for (const p of people)
			assert.deepEqual(p.errors, []);
	});
});

// dB of one frequency in the file's sound, by a narrow band-pass.
function level(file, hz) {
	const text = execFileSync('bash', ['-c', `ffmpeg -v quiet -i ${file} -ac 1 -ar 48000 -f wav - | sox -t wav - -n trim 2 3 sinc ${hz - 30}-${hz + 30} stats 2>&1`], { encoding: 'utf8' });
	return Number(text.match(/RMS lev dB\s+(-?[\d.]+|-inf)/)[1].replace('-inf', '-200'));
}

// Rooms going out live: HLS from memory, to ffmpeg and with parts; RTMP and SRT to listeners.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { Bots, COLOURS, near } from '../support/bots.mjs';
import { colour, complaints, probe } from '../support/media.mjs';
import { freePort } from '../support/ports.mjs';
import { Server, tie, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const limit = { timeout: within(120000) };
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'mcu-live-'));
let server, admin;

before(async () => {
	server = await Server.small({ 'hls.idle_s': within(5000) / 1000, 'room.linger_s': 1, 'log.level': 'trace' });
	admin = { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` };
});
after(async () => {
	rmSync(folder, { recursive: true, force: true });
	await server.stopFine();
});

async function ask(path, how = {}) {
	const r = await fetch(new URL(path, server.url), how);
	return { status: r.status, headers: r.headers, body: Buffer.from(await r.arrayBuffer()) };
}
const text = async (path) => {
	const r = await ask(path);
	assert.equal(r.status, 200, `${path}: ${r.body}`);
	return r.body.toString();
};
const rest = async (method, path, body, headers = admin) => {
	const r = await ask(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
	return { status: r.status, ...(r.body.length ? JSON.parse(r.body) : {}) };
};
const numbers = (list) => list.split('\n').filter(Boolean).map(Number);

// The address of the playlist that the multivariant one names.
async function playlist(index) {
	const lines = (await text(index)).trim().split('\n');
	return new URL(lines.at(-1), new URL(index, server.url)).href;
}

// ffmpeg waits for the push, and keeps what comes.
function listen(url, format, file) {
	const p = spawn('ffmpeg', ['-v', 'error', ...(format === 'flv' ? ['-listen', '1'] : []), '-f', format, '-i', url, '-c', 'copy', '-flush_packets', '1', '-f', 'matroska', '-y', file], { stdio: ['pipe', 'ignore', 'pipe'] });
	tie(p);
	p.log = '';
	p.stderr.on('data', (d) => { p.log += d; });
	p.gone = once(p, 'exit');
	return p;
}
const size = (file) => {
	try {
		return statSync(file).size;
	} catch {
		return 0;
	}
};

describe('live', { ...limit, concurrency: true }, () => {
describe('HLS', { concurrency: 1 }, () => {
	let bots;
	before(async () => {
		bots = Bots.start(server, 'live', { senders: 2, seconds: 600 });
		await bots.ready;
	});
	after(() => bots.kill());

	test('ffmpeg plays it, from the encode that viewers get', async () => {
		const index = `${server.url}/hls/live/index.m3u8`, file = join(folder, 'hls.mp4');
		await run('ffmpeg', ['-v', 'error', '-t', '5', '-i', index, '-c', 'copy', '-y', file]);
		for (const stream of ['v', 'a']) {
			const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file]);
			const times = numbers(stdout.replaceAll(',', ''));
			assert.ok(times.length > (stream === 'a' ? 20 : 4), `${stream}: ${times}`);
			assert.ok(times.every((t, i) => !i || t > times[i - 1]), `${stream} goes back: ${times}`);
		}
		const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-skip_frame', 'nokey', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', file]);
		const keys = numbers(stdout.replaceAll(',', ''));
		assert.ok(keys.length >= 2 && keys.every((t, i) => !i || t - keys[i - 1] < 3), `key frames at ${keys}`);
		const p = probe(file);
		assert.ok(Math.abs(p.video.start_time - p.audio.start_time) < 0.25, `${p.video.start_time} ${p.audio.start_time}`);
		assert.equal(complaints(file), '');
		assert.ok(near(colour(file, 3, 160, 180, 640), COLOURS[0]));
		assert.ok(near(colour(file, 3, 480, 180, 640), COLOURS[1]));
		assert.equal(await server.value('mcu_video_encoders', 'live'), 1);
	});

	test('whoever asks for a part gets it when it is there; parts are their segment', async () => {
		const live = await playlist('/hls/live/index.m3u8');
		const first = await text(live);
		for (const tag of ['#EXT-X-VERSION:9', '#EXT-X-INDEPENDENT-SEGMENTS', '#EXT-X-MAP:URI="map-1.mp4"', 'CAN-BLOCK-RELOAD=YES', '#EXT-X-PROGRAM-DATE-TIME:'])
			assert.ok(first.includes(tag), `no ${tag} in ${first}`);
		let [, msn, part] = first.match(/PRELOAD-HINT:TYPE=PART,URI="(\d+)\.(\d+)\.m4s"/).map(Number);
		const hinted = ask(new URL(`${msn}.${part}.m4s`, live)); // not there yet
		for (let i = 0; i < 8; i++) {
			const now = await text(`${live}?_HLS_msn=${msn}&_HLS_part=${part}`);
			const has = now.includes(`"${msn}.${part}.m4s"`) || now.includes(`"${msn + 1}.0.m4s"`);
			assert.ok(has, `${msn}.${part} is not in ${now}`);
			[, msn, part] = now.match(/PRELOAD-HINT:TYPE=PART,URI="(\d+)\.(\d+)\.m4s"/).map(Number);
		}
		assert.equal((await hinted).status, 200);
		const done = await text(`${live}?_HLS_msn=${msn}`);
		const parts = [...done.matchAll(new RegExp(`PART:DURATION=([\\d.]+),URI="(${msn}\\.\\d+\\.m4s)"`, 'g'))];
		assert.ok(parts.length > 2);
		assert.ok(parts.some((p) => Number(p[1]) > 0.2 && Number(p[1]) <= 0.35), `${parts}`);
		const bodies = await Promise.all(parts.map((p) => ask(new URL(p[2], live))));
		const whole = await ask(new URL(`${msn}.m4s`, live));
		assert.ok(Buffer.concat(bodies.map((b) => b.body)).equals(whole.body));
		assert.match(whole.headers.get('cache-control'), /immutable/);
		assert.equal(whole.headers.get('access-control-allow-origin'), '*');
		assert.equal(whole.headers.get('content-type'), 'video/mp4');
		for (const [path, status] of [[`${live}?_HLS_msn=${msn + 99}`, 400], [`${live}?_HLS_part=1`, 400], [new URL('0.99.m4s', live), 404], [new URL('x.mp4', live), 404],
			['/hls/live/0123/live.m3u8', 404], ['/hls/nobody/index.m3u8', 404]])
			assert.equal((await ask(path)).status, status, path);
	});

	test('it ends when nobody asks for it any more, and begins again', async () => {
		await until('the stream to end', async () => await server.value('mcu_hls_streams') === 0);
		assert.match(await playlist('/hls/live/index.m3u8'), /\/hls\/live\/[0-9a-f]{32}\/live\.m3u8$/);
		assert.equal(await server.value('mcu_hls_streams'), 1);
	});

	test('a room that asks for a PIN is watched with a key', async () => {
		assert.equal((await rest('PUT', '/rooms/closed', { guest_pin: '2468' })).status, 200);
		assert.equal((await rest('POST', '/rooms/closed/watch', {}, {})).code, 'room_unknown');
		const inside = await Socket.open(server.url); // who sends nothing: the picture stands still
		try {
			await inside.join('closed', 'somebody', { pin: '2468' });
			assert.equal((await ask('/hls/closed/index.m3u8')).status, 401);
			assert.equal((await rest('POST', '/rooms/closed/watch', {}, {})).code, 'pin_required');
			assert.equal((await rest('POST', '/rooms/closed/watch', { pin: '1' }, {})).code, 'pin_wrong');
			const { hls } = await rest('POST', '/rooms/closed/watch', { pin: '2468' }, {});
			assert.match(hls, /^\/hls\/closed\/index\.m3u8\?key=[0-9a-f]{40}$/);
			const live = await playlist(hls);
			await text(live);
			assert.equal((await ask(live.replace(/\?.*/, ''))).status, 401);
			assert.equal((await ask(live.replace(/.$/, (c) => c === '0' ? '1' : '0'))).status, 401);
			await text(new URL('map-1.mp4', live)); // whoever knows its name was given it
		} finally {
			inside.destroy();
		}
	});
});

describe('pushes', { concurrency: true }, () => {
	for (const [kind, format] of [['rtmp', 'flv'], ['srt', 'mpegts']])
		test(`${kind}: to a listener, and to the next one when it goes`, async () => {
			const room = `push-${kind}`, port = await freePort(), key = 'very-secret-key';
			const to = kind === 'rtmp' ? `rtmp://127.0.0.1:${port}/app/${key}` : `srt://127.0.0.1:${port}?streamid=${key}`;
			const at = kind === 'rtmp' ? to : `srt://127.0.0.1:${port}?mode=listener`;
			const bots = Bots.start(server, room, { senders: 1, seconds: 600 });
			await bots.ready;
			let listener;
			try {
				const made = await rest('POST', `/rooms/${room}/pushes`, { url: to });
				assert.equal(made.status, 201, JSON.stringify(made));
				assert.equal(made.state, 'connecting');
				assert.ok(!JSON.stringify(made).includes(key), made.to);
				const state = async () => (await rest('GET', `/rooms/${room}/pushes/${made.id}`)).state;
				const file = (n) => join(folder, `${kind}${n}.mkv`);
				for (const n of [1, 2]) {
					await until('it to be tried again', async () => await state() === 'retrying', 40000);
					listener = listen(at, format, file(n));
					await until(`something to arrive: ${listener.log}`, () => size(file(n)) > 60000, 60000);
					await until('it to be live', async () => await state() === 'live');
					listener.kill(n === 1 ? 'SIGKILL' : 'SIGINT');
					await listener.gone;
				}
				const p = probe(file(2));
				assert.equal(p.video.codec_name, 'h264');
				assert.equal(p.audio.codec_name, 'aac');
				assert.ok(near(colour(file(2), 1, 320, 180, 640), COLOURS[0]), `${colour(file(2), 1, 320, 180, 640)}`);
				assert.deepEqual((await rest('GET', `/rooms/${room}/pushes`)).pushes.map((x) => x.id), [made.id]);
				assert.equal((await rest('DELETE', `/rooms/${room}/pushes/${made.id}`)).status, 204);
				await until('it to end', async () => (await rest('GET', `/rooms/${room}/pushes/${made.id}`)).status === 404);
				assert.ok(!server.log.includes(key), 'the key is in the log');
			} finally {
				listener?.kill('SIGKILL');
				await bots.kill();
			}
		});

	test('a host hears of it, nobody else may begin one, and nonsense is refused', async () => {
		const s = await Socket.open(server.url);
		await s.join('told', 'host');
		assert.equal((await rest('POST', '/rooms/told/pushes', { url: 'file:///etc/passwd' })).code, 'push_invalid');
		assert.equal((await rest('POST', '/rooms/told/pushes', { url: 'rtmp://127.0.0.1:9/app/k' }, {})).status, 401);
		assert.equal((await rest('POST', '/rooms/nobody/pushes', { url: 'rtmp://127.0.0.1:9/app/k' })).code, 'room_unknown');
		const port = await freePort();
		for (let i = 0; i < 4; i++)
			assert.equal((await rest('POST', '/rooms/told/pushes', { url: `rtmp://127.0.0.1:${port}/app/k` })).status, 201);
		assert.equal((await rest('POST', '/rooms/told/pushes', { url: `rtmp://127.0.0.1:${port}/app/k` })).code, 'too_many_pushes');
		const m = await s.next('push', { test: (e) => e.state === 'retrying' });
		assert.equal(m.to, `rtmp://127.0.0.1:${port}/app/…`);
		assert.ok(m.text.length > 20);
		s.destroy();
		await until('the room to take its pushes with it', async () => !(await rest('GET', '/rooms/told/pushes')).pushes.length);
	});
});
});

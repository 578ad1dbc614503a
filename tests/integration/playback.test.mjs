// What is played into a room: a recording, with its colours and tones, paused, sought,
// stopped; and what is refused.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { Bots, COLOURS, TONES, near } from '../support/bots.mjs';
import { colour, level, middles } from '../support/media.mjs';
import { Server, until } from '../support/server.mjs';
import { Api, ffmpeg, recorded, state, upload } from '../support/playback.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const WIDTH = 640, HEIGHT = 360;
const UNHEARD_DB = -55;
const limit = { timeout: within(180000) };

describe('a recording in a room', limit, () => {
	let server, host, api, folder, source;
	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'mcu-play-'));
		server = await Server.small({ 'room.record': 'all', 'room.linger_s': 1 });
		host = await Socket.open(server.url);
		await host.join('play', 'Ann');
		api = new Api(server, 'play');
		await api.sign();
		const bots = Bots.start(server, 'play', { senders: 1, seconds: 600 });
		await bots.ready;
		source = await recorded(server, host, folder, () => sleep(5000));
		await bots.finish();
	});
	after(async () => {
		host?.destroy();
		await server?.stopFine();
		rmSync(folder, { recursive: true, force: true });
	});

	test('is seen and heard, and leaves at its end', async () => {
		const from = host.messages.length;
		const { file } = await recorded(server, host, folder, async () => {
			const { status, body } = await api.playback('POST', null, { source: 'recording', recording: source.id, title: 'Film' });
			assert.equal(status, 202, JSON.stringify(body));
			const { participant } = await host.next('joined', { from, test: (m) => m.participant.kind === 'playback', ms: 20000 });
			assert.equal(participant.name, 'Film');
			await state(host, 'playing', from);
			await state(host, 'ended', from, 30000);
			await host.next('left', { from, test: (m) => m.leg === participant.leg });
		});
		assert.ok(near(colour(file, 3, WIDTH / 2, HEIGHT / 2, WIDTH), COLOURS[0]), `${colour(file, 3, WIDTH / 2, HEIGHT / 2, WIDTH)}`);
		const heard = level(file, 2.5, TONES[0]), was = level(source.file, 2, TONES[0]);
		assert.ok(Math.abs(heard - was) < 2, `${heard} dB, and ${was} dB at first`);
		assert.ok(level(file, 2.5, TONES[3]) < UNHEARD_DB);
		await until('its process to end', async () => await server.value('mcu_media_children') === 0);
	});
});

// Three seconds of red with 500 Hz, then blue with 1,500 Hz.
function makeFilm(file) {
	const half = (colour, hz) => ['-f', 'lavfi', '-t', '3', '-i', `color=c=${colour}:s=320x180:r=10`, '-f', 'lavfi', '-t', '3', '-i', `sine=frequency=${hz}:sample_rate=44100`];
	ffmpeg(...half('red', 500), ...half('blue', 1500), '-filter_complex', '[0][1][2][3]concat=n=2:v=1:a=1[v][a]', '-map', '[v]', '-map', '[a]',
		'-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'aac', file);
}

const is = (rgb, r, g, b) => near(rgb, [r, g, b], 60);

describe('files in a room', limit, () => {
	let server, host, api, folder, film;
	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'mcu-play-'));
		film = join(folder, 'film.mp4');
		makeFilm(film);
		server = await Server.small({ 'room.record': 'all', 'room.linger_s': 1, 'playback.upload_mb': 20, 'playback.room_mb': 40 });
		host = await Socket.open(server.url);
		await host.join('play', 'Ann');
		api = new Api(server, 'play');
		await api.sign();
	});
	after(async () => {
		host?.destroy();
		await server?.stopFine();
		rmSync(folder, { recursive: true, force: true });
	});

	test('a film is paused, sought and stopped', async () => {
		const { status, body: row } = await upload(api, film, '../..\\..\\étc/Film.mp4');
		assert.equal(status, 201, JSON.stringify(row));
		assert.equal(row.name, 'Film.mp4');
		assert.ok(Math.abs(row.duration_ms - 6000) < 200, JSON.stringify(row));
		let from = host.messages.length, id;
		const { file } = await recorded(server, host, folder, async () => {
			const { body } = await api.playback('POST', null, { source: 'upload', upload: row.upload, paused: true });
			id = body.playback;
			await host.next('joined', { from, test: (m) => m.participant.kind === 'playback', ms: 20000 });
			await host.next('playback', { from, test: (m) => m.state === 'paused' && m.duration_ms > 0 });
			host.send({ type: 'playback', playback: id, paused: false, position_ms: 3100, loop: false });
			await state(host, 'playing', from);
			await until('the film to be in its second half', async () => (await api.playback('GET', id)).body.position_ms > 3300);
			const { leg } = (await api.playback('GET', id)).body;
			const turned = host.messages.length;
			host.send({ type: 'volume', leg, gain_db: 6 });
			await host.next('sound', { from: turned, test: (m) => m.leg === leg && m.gain_db === 6 });
			await sleep(2000); // to be recorded
			const paused = (await api.playback('PATCH', id, { paused: true })).body;
			assert.equal(paused.state, 'paused');
			await sleep(600);
			assert.equal((await api.playback('GET', id)).body.position_ms, paused.position_ms);
		});
		const end = Number(execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', file], { encoding: 'utf8' }));
		const seen = colour(file, end - 0.3, WIDTH / 2, HEIGHT / 2, WIDTH);
		assert.ok(is(seen, 0, 0, 255), `the picture that is paused is ${seen}`);
		assert.ok(level(file, end - 2.8, 1500) > level(file, end - 2.8, 500) + 20, 'the tone of the second half');
		from = host.messages.length;
		host.send({ type: 'playback_stop', playback: id });
		await state(host, 'ended', from);
		assert.equal((await api.playback('GET', id)).status, 404);
		assert.equal((await api.call('DELETE', `/api/v1/rooms/play/uploads/${row.upload}`)).status, 204);
		await until('the file to go', () => !readdirSync(join(server.data, 'uploads')).length);
	});

	test('an image and a document are slides', async () => {
		const png = join(folder, 'slide.png'), pdf = join(folder, 'slides.pdf');
		ffmpeg('-f', 'lavfi', '-i', 'color=c=lime:s=800x450', '-frames:v', '1', png);
		execFileSync('python3', ['-c', PDF, pdf]);
		const from = host.messages.length;
		const image = (await upload(api, png, 'slide.png')).body, slides = (await upload(api, pdf, 'slides.pdf')).body;
		assert.equal(slides.pages, 2, JSON.stringify(slides));
		const { file } = await recorded(server, host, folder, async () => {
			const { body } = await api.playback('POST', null, { source: 'upload', upload: slides.upload, content: true });
			await host.next('playback', { from, test: (m) => m.playback === body.playback && m.state === 'playing', ms: 20000 });
			await host.next('layout', { from, test: (m) => m.tiles.some((t) => t.content) });
			await sleep(3000);
			const turned = await api.playback('PATCH', body.playback, { page: 2 });
			assert.equal(turned.body.page, 2);
			assert.equal((await api.playback('PATCH', body.playback, { page: 3 })).status, 400);
			await sleep(3000);
			await api.playback('DELETE', body.playback);
			const other = (await api.playback('POST', null, { source: 'upload', upload: image.upload })).body;
			await host.next('playback', { from, test: (m) => m.playback === other.playback && m.state === 'playing', ms: 20000 });
			await sleep(3000);
			await api.playback('DELETE', other.playback);
		});
		const colours = middles(file).map(({ rgb }) => rgb);
		const after = (i, ...rgb) => colours.findIndex((c, k) => k > i && is(c, ...rgb));
		const red = after(-1, 255, 0, 0), blue = after(red, 0, 0, 255), green = after(blue, 0, 255, 0);
		assert.ok(red >= 0 && red < blue && blue < green, `red ${red}, blue ${blue}, green ${green} of ${JSON.stringify(colours)}`);
	});

	test('what is broken, a bomb or too large is refused, and the server goes on', async () => {
		const cut = join(folder, 'cut.mp4'), noise = join(folder, 'noise.pdf'), bomb = join(folder, 'bomb.png');
		writeFileSync(cut, readFileSync(film).subarray(0, 2000));
		writeFileSync(noise, '%PDF-1.7\n' + 'garbage '.repeat(2000));
		await promisify(execFile)('python3', ['-c', BOMB, bomb]); // takes long: connections must be seen to close meanwhile
		const text = join(folder, 'notes.txt'), locked = join(folder, 'locked.pdf'), strange = join(folder, 'strange.mp4');
		writeFileSync(text, 'what was said\n'.repeat(300));
		execFileSync('python3', ['-c', PDF.replace('/Root 1 0 R', `/Root 1 0 R/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<${'5a'.repeat(32)}>/U<${'a5'.repeat(32)}>>>`), locked]);
		writeFileSync(strange, Buffer.from(readFileSync(film).toString('latin1').replaceAll('avc1', 'zzzz').replaceAll('avcC', 'zzzC'), 'latin1'));
		for (const [file, code] of [[cut, 'unreadable'], [noise, 'unreadable'], [text, 'unreadable'], [bomb, 'too_large'], [locked, 'locked'], [strange, 'codec']]) {
			const { status, body } = await upload(api, file);
			assert.equal(status, 422, `${file}: ${JSON.stringify(body)}`);
			assert.equal(body.code, `media_${code}`, file);
			assert.match(body.text, /^[A-Z].*\.$/);
		}
		const empty = await api.call('POST', '/api/v1/rooms/play/uploads', { name: 'x', bytes: 0 });
		assert.equal(empty.status, 422);
		assert.equal((await empty.json()).code, 'media_empty');
		const large = await api.call('POST', '/api/v1/rooms/play/uploads', { name: 'x', bytes: 21000000 });
		assert.equal(large.status, 413);
		assert.equal((await fetch(`${server.url}/api/v1/uploads/${'0'.repeat(32)}`, { method: 'PUT', body: 'x' })).status, 404);
		const twice = await upload(api, film);
		assert.equal((await fetch(new URL(twice.url, server.url), { method: 'PUT', body: readFileSync(film) })).status, 404, 'an address is used once');
		const r = await api.call('POST', '/api/v1/rooms/play/uploads', { name: 'x', bytes: 100 });
		assert.equal((await fetch(new URL((await r.json()).url, server.url), { method: 'PUT', body: 'only a few' })).status, 400);
		await until('processes to end', async () => await server.value('mcu_media_children') === 0);
		assert.deepEqual(readdirSync(join(server.data, 'uploads')).filter((f) => f.endsWith('.part')), []);
	});

	test('cameras are for whom the configuration says; strangers play nothing', async () => {
		for (const url of ['http://127.0.0.1/', 'rtsp://', 'file:///etc/passwd'])
			assert.equal((await api.playback('POST', null, { source: 'camera', url })).status, 400, url);
		const e = await host.ask({ type: 'play', source: 'camera', url: 'rtsp://127.0.0.1:1/x', id: 'c' }, 'error');
		assert.equal(e.code, 'not_allowed');
		const from = host.messages.length;
		assert.equal((await api.playback('POST', null, { source: 'camera', url: 'rtsp://127.0.0.1:1/x' })).status, 202);
		const failed = await state(host, 'failed', from);
		assert.match(failed.text, /does not answer/);
		assert.equal((await api.playback('POST', null, { source: 'upload', upload: '12' })).status, 202);
		assert.match((await state(host, 'failed', host.messages.indexOf(failed) + 1)).text, /no such file/);
		assert.equal((await fetch(`${server.url}/api/v1/rooms/play/playbacks`)).status, 401);
	});

	test('a camera sends nobody on to another address', async () => {
		let heard = '', asked = 0;
		const other = createServer((c) => c.on('error', () => {}).on('data', (d) => { heard += d; }));
		const camera = createServer((c) => c.on('error', () => {}).on('data', (d) => {
			asked++;
			c.write(`RTSP/1.0 302 Found\r\nCSeq: ${/CSeq: (\d+)/.exec(d)[1]}\r\nLocation: rtsp://127.0.0.1:${other.address().port}/x\r\n\r\n`);
		}));
		for (const s of [other, camera])
			await new Promise((done) => { s.listen(0, '127.0.0.1', done); });
		const url = `rtsp://127.0.0.1:${camera.address().port}/x`, from = host.messages.length;
		for (const way of ['udp', 'a=b&multicast'])
			assert.equal((await api.playback('POST', null, { source: 'camera', url: `${url}?${way}` })).status, 400, way);
		assert.equal((await api.playback('POST', null, { source: 'camera', url: `${url}?channel=1` })).status, 202);
		assert.match((await state(host, 'failed', from)).text, /does not answer/);
		assert.equal(asked, 1);
		assert.equal(heard, '');
		other.close();
		camera.close();
	});
});

describe('how much may be uploaded', limit, () => {
	let server, api;
	before(async () => {
		server = await Server.small({ 'playback.upload_mb': 10000000, 'playback.room_mb': 10000000, 'playback.account_mb': 10000000, 'playback.total_mb': 100000000 });
		api = new Api(server, 'play');
		await api.sign();
	});
	after(async () => server?.stopFine());

	test('recordings keep room on the disk', async () => {
		const disk = statfsSync(server.data), bytes = disk.bavail * disk.bsize;
		const r = await api.call('POST', '/api/v1/rooms/play/uploads', { name: 'x', bytes });
		assert.equal(r.status, 507);
		assert.equal((await r.json()).code, 'disk_full');
		assert.equal((await api.call('POST', '/api/v1/rooms/play/uploads', { name: 'x', bytes: 1e6 })).status, 201);
	});

	test('four at a time by one', async () => {
		const answers = [];
		for (let i = 0; i < 5; i++) answers.push(await api.call('POST', '/api/v1/rooms/other/uploads', { name: 'x', bytes: 1000 }));
		const last = answers.at(-1);
		assert.equal(answers[0].status, 201);
		assert.equal(last.status, 429);
		assert.equal((await last.json()).code, 'rate_limited');
	});
});

describe('how much may be uploaded by one', limit, () => {
	for (const [key, what] of [['account_mb', 'this account'], ['total_mb', 'all rooms']])
		test(`${what} together`, async () => {
			const server = await Server.small({ [`playback.${key}`]: 3 });
			const ask = async (room) => {
				const api = new Api(server, room);
				await api.sign();
				const r = await api.call('POST', `/api/v1/rooms/${room}/uploads`, { name: 'x', bytes: 2e6 });
				return { status: r.status, body: await r.json() };
			};
			try {
				assert.equal((await ask('one')).status, 201);
				const { status, body } = await ask('two');
				assert.equal(status, 409);
				assert.equal(body.code, 'quota');
				assert.match(body.text, new RegExp(what));
			} finally {
				await server.stopFine();
			}
		});
});

test('what no row names goes at a start, once it is older than files are kept', limit, async () => {
	const data = mkdtempSync(join(tmpdir(), 'mcu-play-')), folder = join(data, 'uploads');
	mkdirSync(folder);
	for (const name of ['11', '12', '13.part', 'notes']) writeFileSync(join(folder, name), 'x');
	for (const name of ['11', 'notes']) utimesSync(join(folder, name), 1e9, 1e9);
	const server = await Server.small({}, { data });
	try {
		assert.deepEqual(readdirSync(folder).sort(), ['12', 'notes']);
	} finally {
		await server.stopFine();
		rmSync(data, { recursive: true, force: true });
	}
});

// Two pages, red and blue.
const PDF = `
import sys
objs = [b'<</Type/Catalog/Pages 2 0 R>>', b'<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>']
for n in (5, 6):
    objs.append(b'<</Type/Page/Parent 2 0 R/MediaBox[0 0 640 360]/Contents %d 0 R/Resources<<>>>>' % n)
for c in (b'1 0 0 rg 0 0 640 360 re f', b'0 0 1 rg 0 0 640 360 re f'):
    objs.append(b'<</Length %d>>stream\\n%s\\nendstream' % (len(c), c))
out, at = b'%PDF-1.4\\n', []
for i, o in enumerate(objs):
    at.append(len(out)); out += b'%d 0 obj\\n%s\\nendobj\\n' % (i + 1, o)
x = len(out)
out += b'xref\\n0 %d\\n0000000000 65535 f \\n' % (len(objs) + 1) + b''.join(b'%010d 00000 n \\n' % a for a in at)
out += b'trailer<</Size %d/Root 1 0 R>>\\nstartxref\\n%d\\n%%%%EOF' % (len(objs) + 1, x)
open(sys.argv[1], 'wb').write(out)
`;

// 16,384 times 16,384 points in a few hundred kilobytes.
const BOMB = `
import sys, zlib, struct
def chunk(t, d): return struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))
z = zlib.compressobj(1); d = b''
for _ in range(16384): d += z.compress(b'\\0' * (16384 * 3 + 1))
d += z.flush()
open(sys.argv[1], 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 16384, 16384, 8, 2, 0, 0, 0)) + chunk(b'IDAT', d) + chunk(b'IEND', b''))
`;

// RTSP: rooms live and recordings, over UDP and over the connection, to a client made by
// hand and to ffmpeg and GStreamer; who may watch; bad input.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { Bots, COLOURS, near } from '../support/bots.mjs';
import { Rtsp, grays, keys, stamp } from '../support/rtsp.mjs';
import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';

const limit = { timeout: within(120000) };
const run = promisify(execFile);
const PASSWORD = 'telephone-1';
const SECONDS = 24, FPS = 25, GOP_S = 4, STEP = 8; // of the film: 8 brighter each second
let server, bots, data, film, admin;

const api = (method, path, body) => fetch(`${server.url}/api/v1/${path}`, {
	method, body: body && JSON.stringify(body),
	headers: { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` },
});

// A recording whose picture tells the time; the start of the server takes it in.
function makeFilm(folder) {
	const month = join(folder, 'recordings/2026/01');
	mkdirSync(month, { recursive: true });
	execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `color=black:s=64x64:r=${FPS},geq=lum='16+floor(T*${STEP})':cb=128:cr=128`,
		'-f', 'lavfi', '-i', 'sine=f=440:r=48000', '-t', SECONDS, '-c:v', 'libx264', '-profile:v', 'baseline', '-qp', 10,
		'-g', FPS * GOP_S, '-sc_threshold', 0, '-bf', 0, '-c:a', 'aac', join(month, 'film-20260101T000000Z-77.mp4')]);
}

before(async () => {
	data = mkdtempSync(join(tmpdir(), 'mcu-rtsp-'));
	makeFilm(data);
	server = await Server.small({ 'rtsp.port': 0, 'room.linger_s': 1, 'rtsp.timeout_s': 10, 'log.level': 'debug' }, { data });
	const [row] = await server.recordings();
	film = { path: '/recordings/77', query: `?token=${row.url.split('/').at(-1)}` };
	film.url = `rtsp://127.0.0.1:${server.rtspPort}${film.path}${film.query}`;
	admin = `admin:${PASSWORD}`;
	assert.equal((await api('PUT', 'users/admin/sip', { password: PASSWORD })).status, 200);
	for (const [room, rules] of [['closed', { members_only: true }], ['pinned', { guest_pin: '12345' }]])
		assert.ok((await api('PUT', `rooms/${room}`, rules)).ok);
	bots = Bots.start(server, 'live', { senders: 1, seconds: 600 });
	await bots.ready;
});
after(async () => {
	await bots?.finish();
	await server?.stopFine();
	rmSync(data, { recursive: true, force: true });
});

const live = () => `rtsp://127.0.0.1:${server.rtspPort}/rooms/live`;
const sessions = () => server.value('mcu_rtsp_sessions');
const nobody = () => until('all sessions to end', async () => await sessions() === 0);

// The colour in the middle of the last of some pictures that ffmpeg takes.
async function ffmpegSees(url, transport, more = []) {
	const { stdout } = await run('ffmpeg', ['-v', 'error', '-rtsp_transport', transport, ...more, '-i', url, '-map', '0:v', '-frames:v', '20',
		'-vf', 'crop=2:2', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], { encoding: 'buffer', maxBuffer: 1 << 24, timeout: within(60000) });
	return [...stdout.subarray(-3)];
}

// GStreamer decodes into a file until that has some pictures. (It is not asked to end by itself:
// what it then says of its own connection is different each time.)
async function gstreamer(url, transport, bytes) {
	const out = join(data, `gst-${transport}.yuv`);
	const child = execFile('gst-launch-1.0', ['-q', 'rtspsrc', `location=${url}`, `protocols=${transport}`, '!', 'rtph264depay', '!', 'h264parse', '!',
		'avdec_h264', '!', 'filesink', `location=${out}`, 'buffer-mode=unbuffered'], () => {});
	const done = new Promise((resolve) => { child.once('exit', resolve); });
	let errors = '';
	child.stderr.on('data', (d) => { errors += d; });
	try {
		await until('pictures that GStreamer has decoded', () => existsSync(out) && statSync(out).size >= 20 * bytes);
	} catch (e) {
		throw new Error(`${e.message}: ${errors}`);
	} finally {
		child.kill('SIGKILL');
		await done;
		rmSync(out, { force: true });
	}
}

async function open(path, how = {}) {
	const c = await Rtsp.open(server);
	for (const r of await c.setup(path, how))
		assert.equal(r.status, 200, JSON.stringify(r));
	return c;
}

describe('players', limit, () => {
	for (const transport of ['udp', 'tcp']) {
		test(`ffmpeg sees a room and a recording over ${transport}`, async () => {
			const rgb = await ffmpegSees(live(), transport);
			assert.ok(near(rgb, COLOURS[0]), `${rgb} ${COLOURS[0]}`);
			await ffmpegSees(film.url, transport);
		});
		test(`GStreamer plays a room and a recording over ${transport}`, async () => {
			await gstreamer(live(), transport, 320 * 180 * 1.5);
			await gstreamer(film.url, transport, 64 * 64 * 1.5);
		});
	}
	test('they leave nothing behind', async () => {
		await nobody();
		await until('their connections to go', async () => await server.value('mcu_rtsp_connections') === 0);
	});
});

describe('live', limit, () => {
	test('the description, and a session over the connection: play, pause, play again, end', async () => {
		const c = await Rtsp.open(server);
		const o = await c.ask('OPTIONS', '*');
		assert.deepEqual([o.status, o.headers.cseq], [200, '1']);
		assert.match(o.headers.public, /DESCRIBE.*SETUP.*PLAY.*PAUSE.*TEARDOWN.*GET_PARAMETER/);
		const d = await c.ask('DESCRIBE', '/rooms/live');
		assert.equal(d.headers['content-base'], `${live()}/`);
		assert.equal(d.headers['content-type'], 'application/sdp');
		assert.match(d.body, /m=audio 0 RTP\/AVP 97\r\na=rtpmap:97 opus\/48000\/2/);
		assert.match(d.body, /m=video 0 RTP\/AVP 96\r\na=rtpmap:96 H264\/90000/);
		const [a] = await c.setup('/rooms/live');
		assert.match(a.headers.transport, /RTP\/AVP\/TCP;unicast;interleaved=0-1/);
		assert.match(a.headers.session, /^[0-9a-f]{16};timeout=10$/);
		const encoders = await server.value('mcu_video_encoders', 'live');
		const p = await c.ask('PLAY', '/rooms/live');
		assert.deepEqual([p.status, p.headers.range], [200, 'npt=now-']);
		await Promise.all([c.more(0), c.more(2), c.more(1, 1), c.more(3, 1)]);
		assert.equal(await server.value('mcu_legs', 'live'), 2);
		assert.equal(await server.value('mcu_video_encoders', 'live'), Math.max(encoders, 1));
		assert.equal((await c.ask('GET_PARAMETER', '/rooms/live')).status, 200);
		assert.equal((await c.ask('PAUSE', '/rooms/live')).status, 200);
		await until('the leg to leave', async () => await server.value('mcu_legs', 'live') === 1);
		assert.equal((await c.ask('PLAY', '/rooms/live')).status, 200);
		await c.more(2);
		assert.equal((await c.ask('TEARDOWN', '/rooms/live')).status, 200);
		assert.equal((await c.ask('PLAY', '/rooms/live')).status, 454);
		c.close();
	});

	test('over UDP pictures come without a packet of the client\'s, and a session that is silent ends', async () => {
		const c = await open('/rooms/live', { tcp: false });
		assert.equal((await c.ask('PLAY', '/rooms/live')).status, 200);
		await Promise.all([c.more(0), c.more(2), c.more(1, 1), c.more(3, 1)]);
		c.socket.destroy(); // the session is not of the connection
		await c.more(2);
		await nobody();
		c.close();
	});

	test('several sessions share a connection', async () => {
		const c = await open('/rooms/live', { tracks: ['audio'] });
		const first = c.session;
		c.session = undefined;
		const r = await c.ask('SETUP', '/rooms/live/video', { Transport: 'RTP/AVP/TCP;unicast' });
		assert.match(r.headers.transport, /interleaved=2-3/);
		assert.notEqual(c.session, first);
		await c.ask('PLAY', '/rooms/live');
		await c.ask('PLAY', '/rooms/live', { Session: first });
		await Promise.all([c.more(0), c.more(2)]);
		c.close();
		await nobody();
	});
});

describe('stored', limit, () => {
	const npt = (r) => Number(r.headers.range.match(/npt=([\d.]+)-/)[1]);
	const rtptime = (r, track) => Number(r.headers['rtp-info'].match(new RegExp(`${track}[^,]*;seq=\\d+;rtptime=(\\d+)`))[1]);
	const since = (ts, from) => ((ts - from) | 0) / 90000;

	test('PAUSE freezes, PLAY goes on at the same place', async () => {
		const c = await open(film.path, { query: film.query });
		const p = await c.ask('PLAY', film.path);
		assert.equal(npt(p), 0);
		assert.match(p.headers.range, new RegExp(`-${SECONDS}\\.`));
		await Promise.all([c.more(0, 40), c.more(2, 20), c.more(1, 1), c.more(3, 1)]);
		const stopped = await c.ask('PAUSE', film.path);
		const at = npt(stopped), had = c.packets.length;
		assert.ok(at > 0.5 && at < SECONDS, `${at}`);
		assert.equal((await c.ask('GET_PARAMETER', film.path)).status, 200);
		assert.equal(c.packets.length, had);
		const again = await c.ask('PLAY', film.path);
		assert.equal(npt(again), at);
		await c.more(2);
		// the first picture shown is of that place
		const seen = await grays(c.packets.slice(had), rtptime(again, 'video'));
		assert.ok(Math.abs((seen.shown[0] - 16) / STEP - at) < 0.5, `${seen.shown} at ${at}`);
		c.close();
	});

	for (const tcp of [true, false])
		test(`a seek shows the place that was sought${tcp ? '' : ', over UDP'}`, async () => {
			const c = await open(film.path, { query: film.query, tcp });
			for (const to of [10.6, 3, 19.9]) {
				const had = c.packets.length;
				const p = await c.ask('PLAY', film.path, { Range: `npt=${to}-` });
				assert.equal(npt(p), to);
				const from = rtptime(p, 'video');
				await until('pictures from there on', () => c.packets.slice(had).filter((k) => k.channel === 2 && since(stamp(k), from) > 0.3).length);
				const packets = c.packets.slice(had).filter((k) => k.channel !== 2 || since(stamp(k), from) > -0.05);
				const seen = await grays(packets, from);
				// what leads to it begins with a key frame, and takes no time
				assert.ok(seen.lead.length <= (to % GOP_S) * FPS + 1, `${seen.lead.length} pictures led to ${to}`);
				assert.ok(Math.abs((seen.shown[0] - 16) / STEP - to) < 0.5, `${seen.shown} at ${to}`);
			}
			c.close();
		});

	test('Scale 4 gives the key frames, four times as fast; -4 backwards', async () => {
		const c = await open(film.path, { query: film.query });
		for (const [scale, from] of [[4, 0], [-4, 17]]) {
			const had = c.packets.length;
			const p = await c.ask('PLAY', film.path, { Range: `npt=${from}-`, Scale: String(scale) });
			assert.deepEqual([p.status, p.headers.scale], [200, `${scale}.0`]);
			assert.equal(npt(p), Math.floor(from / GOP_S) * GOP_S);
			const want = scale > 0 ? SECONDS / GOP_S : Math.floor(from / GOP_S) + 1;
			const stamps = () => [...new Set(c.packets.slice(had).filter((k) => k.channel === 2).map(stamp))];
			await until('all key frames', () => stamps().length === want);
			await until('a BYE', () => c.packets.slice(had).some((k) => k.channel === 3 && k.data.includes(Buffer.from([0x81, 203, 0, 1]))));
			const gaps = stamps().slice(1).map((t, i) => since(t, stamps()[i]));
			assert.ok(gaps.every((g) => Math.abs(g - GOP_S / 4) < 0.01), `${gaps}`);
			const video = c.packets.slice(had).filter((k) => k.channel === 2);
			assert.equal(keys(video), want);
			assert.equal(c.packets.slice(had).filter((k) => k.channel === 0).length, 0);
			// not at once: the first and the last are as far from each other as they say
			assert.ok((video.at(-1).at - video[0].at) / 1000 > gaps.length * GOP_S / 4 * 0.9);
			const { shown } = await grays(c.packets.slice(had), stamps()[0]);
			assert.deepEqual(shown.map((v) => Math.round((v - 16) / STEP)), Array.from({ length: want }, (_, i) => npt(p) + i * GOP_S * Math.sign(scale)));
		}
		assert.equal((await c.ask('PLAY', film.path, { Range: 'npt=2-3' })).status, 200);
		c.close();
	});

	test('a range ends where it says, and what is not there is 457', async () => {
		const c = await open(film.path, { query: film.query, tracks: ['video'] });
		for (const range of ['npt=30-', 'npt=5-4', 'smpte=0:10:00-', 'npt=x'])
			assert.equal((await c.ask('PLAY', film.path, { Range: range })).status, 457, range);
		const p = await c.ask('PLAY', film.path, { Range: 'npt=5-5.5' });
		await until('a BYE', () => c.packets.some((k) => k.channel === 3 && k.data.includes(Buffer.from([0x81, 203, 0, 1]))));
		const { shown } = await grays(c.packets, rtptime(p, 'video'));
		assert.ok(shown.length >= 12 && shown.length <= 14, `${shown.length}`);
		c.close();
		await nobody();
	});
});

describe('who may watch', limit, () => {
	const describeAs = async (path, user) => {
		const c = await Rtsp.open(server);
		if (user)
			[c.user, c.password] = user.split(':');
		let r = await c.ask('DESCRIBE', path);
		if (user && r.status === 401)
			r = await c.ask('DESCRIBE', path);
		const played = r.status === 200 && user && path.startsWith('/recordings') ? (await c.setup(path))[0].status : 0;
		c.close();
		return played || r.status;
	};

	test('rooms and recordings ask for what they ask of others', async () => {
		assert.equal(await describeAs('/rooms/closed'), 401);
		assert.equal(await describeAs('/rooms/closed', 'admin:wrong'), 401);
		assert.equal(await describeAs('/rooms/closed', 'nobody:wrong'), 401);
		assert.equal(await describeAs('/rooms/closed', admin), 200);
		assert.equal(await describeAs('/rooms/pinned'), 401);
		assert.equal(await describeAs('/rooms/pinned?pin=999999'), 403);
		assert.equal(await describeAs('/rooms/pinned?pin=12345'), 200);
		assert.equal(await describeAs('/rooms/nowhere'), 404);
		assert.equal(await describeAs(film.path), 401);
		assert.equal(await describeAs(film.path, admin), 200);
		assert.equal(await describeAs(`${film.path}?token=${'0'.repeat(32)}`), 404);
		assert.equal(await describeAs('/recordings/78', admin), 404);
		assert.equal(await describeAs(film.path + film.query), 200);
	});

	test('a challenge is a Digest of the realm that telephones have', async () => {
		const c = await Rtsp.open(server);
		const r = await c.ask('DESCRIBE', '/rooms/closed');
		assert.match(r.headers['www-authenticate'], /^Digest realm="mcu", nonce="[0-9a-f]+"$/);
		c.close();
	});
});

describe('bad input', limit, () => {
	test('each mistake has its status', async () => {
		const c = await Rtsp.open(server);
		const statuses = [
			[400, ['DESCRIBE', 'http://127.0.0.1/x']], [404, ['DESCRIBE', '/elsewhere']], [404, ['DESCRIBE', '/rooms/..%2fetc']],
			[405, ['ANNOUNCE', '/rooms/live']], [406, ['DESCRIBE', '/rooms/live', { Accept: 'text/html' }]],
			[454, ['PLAY', '/rooms/live']], [454, ['TEARDOWN', '/rooms/live', { Session: 'unknown' }]],
			[459, ['SETUP', '/rooms/live', { Transport: 'RTP/AVP/TCP' }]], [400, ['SETUP', '/rooms/live/video']],
			[461, ['SETUP', '/rooms/live/video', { Transport: 'RTP/AVP;multicast' }]],
			[400, ['SETUP', '/rooms/live/video', { Transport: 'RTP/AVP;unicast;client_port=99999-1' }]],
			[501, ['FLY', '/rooms/live']], [551, ['OPTIONS', '*', { Require: 'implicit-play' }]], [400, ['OPTIONS', '*', { CSeq: undefined }]],
		];
		for (const [status, args] of statuses) {
			const r = await c.ask(...args);
			assert.equal(r.status, status, `${args[0]} ${args[1]}: ${JSON.stringify(r)}`);
			c.session = undefined;
		}
		c.raw('OPTIONS * RTSP/2.0\r\nCSeq: 99\r\n\r\n');
		assert.equal((await c.reply()).status, 505);
		await c.setup('/rooms/live');
		assert.equal((await c.ask('PLAY', '/rooms/live/video')).status, 460);
		assert.equal((await c.ask('PLAY', '/rooms/live', { Range: 'npt=5-' })).status, 457);
		await c.ask('PLAY', '/rooms/live');
		assert.equal((await c.ask('SETUP', '/rooms/live/video', { Transport: 'RTP/AVP/TCP' })).status, 455);
		c.close();
		await nobody();
	});

	test('garbage, half requests and floods end their own connection alone', async () => {
		const watcher = await open('/rooms/live');
		await watcher.ask('PLAY', '/rooms/live');
		await watcher.more(2, 5);
		for (const text of ['\x16\x03\x01\x02\x00', 'OPTIONS * HTTP/1.1\r\n\r\n', 'A'.repeat(20000), `GET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\n`, '$\x00\xff\xff']) {
			const c = await Rtsp.open(server);
			c.socket.write(Buffer.from(text, 'latin1'));
			await until('the connection to end', () => c.ended);
		}
		const half = await Rtsp.open(server);
		half.raw('DESCRIBE rtsp://127.0.0.1/rooms/live RTSP/1.0\r\nCSe');
		const flood = await Rtsp.open(server);
		flood.raw('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n'.repeat(5000));
		await until('the flood to end', () => flood.ended);
		half.close();
		await watcher.more(2, 5);
		watcher.close();
		await nobody();
		await until('their connections to go', async () => await server.value('mcu_rtsp_connections') === 0);
	});
});

// What telephones of all ages agree on: codecs, the length of packets, comfort noise,
// pictures within a level. Offers by hand; what comes is looked at packet by packet.
// Beside others.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { keyFrames, nalType, readSps, spsOf } from '../support/h264.mjs';
import { complaints, level, packets, probe } from '../support/media.mjs';
import { Phone } from '../support/phone.mjs';
import { Server, until } from '../support/server.mjs';
import { RawSip } from '../support/sip_raw.mjs';
import { gone, legs } from '../support/sip_rig.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const limit = { timeout: within(120000) };
const A = 440; // Hz
let server;

before(async () => { server = await Server.small({ 'sip.port': 0, 'room.linger_s': 1, 'room.record': 'all', 'recording.tracks': true }); });
after(() => server.stopFine());

// A call of a telephone whose m-lines are given; {audio} and {video}: its ports.
class Call {
	static async start(room, mlines, { codec, video = false, hz = null } = {}) {
		const c = new Call();
		c.phone = await Phone.open({ codec, video });
		c.phone.talk(video ? hz ?? 0 : hz); // pictures are sent to whom is heard
		c.sip = await RawSip.open(server);
		c.dialog = c.sip.dialog(room);
		const lines = mlines.map((l) => l.replace('{audio}', c.phone.audio.port).replace('{video}', c.phone.video?.port));
		const body = ['v=0', 'o=raw 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...lines, ''].join('\r\n');
		c.sip.send(c.dialog, 'INVITE', { body });
		c.answer = await c.sip.final(c.dialog, 'INVITE', 20000);
		c.sip.acknowledge(c.dialog, c.answer);
		if (c.answer.status < 300)
			c.phone.connect(c.answer.text.slice(c.answer.text.indexOf('\r\nv=0') + 2));
		return c;
	}

	// n packets of a line that come from now on.
	async packets(line, n) {
		const from = line.received;
		await until(`${n} packets`, () => line.received >= from + n, 30000);
		return line.packets.slice(-Math.min(line.received - from, line.packets.length));
	}

	async end() {
		this.sip.send(this.dialog, 'BYE');
		assert.equal((await this.sip.final(this.dialog, 'BYE', 20000)).status, 200);
		this.sip.close();
		this.phone.close();
	}
}

const audio = (formats, ...more) => [`m=audio {audio} RTP/AVP ${formats}`, ...more];

// What follows each other in the stream, of one payload type.
function steps(packets) {
	const out = [];
	for (let i = 1; i < packets.length; i++)
		if (packets[i].seq === (packets[i - 1].seq + 1 & 65535))
			out.push((packets[i].ts - packets[i - 1].ts) >>> 0);
	return out;
}

describe('sound', limit, () => {
	let talker;

	before(async () => { talker = await Call.start('sound', audio('0'), { hz: A }); });
	after(() => talker.end());

	const kinds = [
		{ name: 'PCMU, nothing said', lines: audio('0'), pt: 0, octets: 160, step: 160 },
		{ name: 'PCMU of 10 ms', lines: audio('0', 'a=ptime:10'), pt: 0, octets: 80, step: 80, codec: 'PCMU' },
		{ name: 'PCMA of 30 ms', lines: audio('8', 'a=ptime:30'), pt: 8, octets: 240, step: 240, codec: 'PCMA' },
		{ name: 'PCMU of at most 40 ms', lines: audio('0', 'a=ptime:60', 'a=maxptime:40'), pt: 0, octets: 320, step: 320, codec: 'PCMU' },
		{ name: 'G.722 of 60 ms', lines: audio('9', 'a=ptime:60'), pt: 9, octets: 480, step: 480 },
		{ name: 'G.729', lines: audio('18', 'a=fmtp:18 annexb=no'), pt: 18, octets: 20, step: 160 },
		{ name: 'G.729 of 40 ms', lines: audio('18', 'a=ptime:40'), pt: 18, octets: 40, step: 320 },
		{ name: 'Opus of 60 ms', lines: audio('107', 'a=rtpmap:107 opus/48000/2', 'a=ptime:60'), pt: 107, step: 2880 },
		{ name: 'Opus of a constant rate, 16 kHz', lines: audio('107', 'a=rtpmap:107 opus/48000/2', 'a=fmtp:107 cbr=1;maxplaybackrate=16000'), pt: 107, octets: 50, step: 960 },
	];
	for (const k of kinds)
		test(k.name, async () => {
			const c = await Call.start('sound', k.lines, { codec: k.codec });
			assert.equal(c.answer.status, 200, c.answer.text);
			const p = await c.packets(c.phone.audio, 20);
			for (const one of p) {
				assert.equal(one.pt, k.pt);
				assert.equal(one.payload.length, k.octets ?? one.payload.length);
			}
			// a tick that a busy machine left out makes a longer one
			const all = steps(p);
			assert.ok(all.includes(k.step) && all.every((s) => s >= k.step), all.join());
			if (k.codec)
				await until(`${A} Hz to be heard`, () => c.phone.hears(A) > -25, 20000);
			await c.end();
		});
});

describe('silence', limit, () => {
	const noise = (p) => p.pt === 13;
	const kinds = [
		{ name: 'is told by comfort noise', lines: audio('0 13'), rest: noise, octets: 1, has: /RTP\/AVP 0 13\r/ },
		{ name: 'by G.729 as its annex B says', lines: audio('18', 'a=fmtp:18 annexb=yes'), rest: (p) => p.payload.length === 2, octets: 2, has: /annexb=yes/ },
	];
	for (const k of kinds)
		test(k.name, async () => {
			const c = await Call.start('silence', k.lines);
			assert.match(c.answer.text, k.has);
			// Nobody talks: a few packets a second are all that comes.
			await until('comfort noise', () => c.phone.audio.packets.slice(-3).length === 3 && c.phone.audio.packets.slice(-3).every(k.rest), 20000);
			const last = c.phone.audio.packets.slice(-3);
			for (const p of last)
				assert.equal(p.payload.length, k.octets);
			assert.deepEqual(steps(last).map((s) => s >= 8 * 300), [true, true]);
			await c.end();
		});

	test('who knows no rests gets it in full', async () => {
		const c = await Call.start('silence', audio('8'));
		const p = await c.packets(c.phone.audio, 50);
		assert.ok(p.every((one) => one.pt === 8 && one.payload.length === 160));
		await c.end();
		await gone(server, 'silence');
	});
});

describe('pictures', limit, () => {
	const video = (pt, ...more) => [...audio('0'), `m=video {video} RTP/AVP ${pt}`, ...more];

	test('H.264 of level 1.3, each NAL unit in a packet', async () => {
		const c = await Call.start('pictures', video(109, 'a=rtpmap:109 H264/90000', 'a=fmtp:109 profile-level-id=42800d'), { video: true });
		assert.match(c.answer.text, /packetization-mode=0/);
		await until('a key frame', () => keyFrames(c.phone.video.packets) > 0, 30000);
		// what stands still is sent about once a second
		await c.packets(c.phone.video, 1);
		for (const p of c.phone.video.packets) {
			assert.equal(p.pt, 109);
			assert.ok(nalType(p.payload) >= 1 && nalType(p.payload) <= 23, 'a single NAL unit');
			assert.ok(p.payload.length <= 1300);
		}
		const sps = readSps(spsOf(c.phone.video.packets));
		assert.equal(sps.profile, 66);
		assert.ok(sps.level <= 13, `level ${sps.level}`);
		assert.ok(sps.macroblocks <= 396, `${sps.macroblocks} macroblocks`);
		await c.end();
	});

	test('H.263 for the oldest, and nothing of it when they are gone', async () => {
		const open = async () => await server.value('mcu_venc_open');
		const c = await Call.start('pictures', video(96, 'a=rtpmap:96 H263-1998/90000', 'a=fmtp:96 CIF=1;QCIF=1'), { video: true });
		const starts = (p) => (p.payload[0] & 0x04) && (p.payload[2] & 0xfc) === 0x80;
		await until('a picture', () => c.phone.video.packets.some(starts), 30000);
		const first = c.phone.video.packets.find(starts);
		assert.equal(first.pt, 96);
		assert.equal(first.payload[4] >> 2 & 7, 3, 'of CIF');
		assert.equal(first.payload[4] & 2, 0, 'a key frame');
		assert.ok(c.phone.video.packets.every((p) => p.payload.length <= 1200));
		await until('its encoder alone', async () => await open() === 1);
		await c.end();
		await gone(server, 'pictures');
		await until('no encoder', async () => await open() === 0);
	});

	test('what has no limits gets the canvas', async () => {
		const c = await Call.start('canvas', video(97, 'a=rtpmap:97 H264/90000', 'a=fmtp:97 profile-level-id=42e01f;packetization-mode=1'), { video: true });
		await until('a key frame', () => keyFrames(c.phone.video.packets) > 0, 30000);
		const stap = c.phone.video.packets.map((p) => p.payload).find((p) => nalType(p) === 24);
		assert.ok(stap, 'SPS and PPS share a packet');
		assert.equal(readSps(stap.subarray(3)).macroblocks, 40 * 23); // 640x360
		await legs(server, 'canvas', 1);
		await c.end();
		await gone(server, 'canvas');
	});
});

test('nothing in common is 488', async () => {
	const c = await Call.start('none', audio('97', 'a=rtpmap:97 iLBC/8000'));
	assert.equal(c.answer.status, 488, c.answer.text);
	c.sip.close();
	c.phone.close();
});

// Access units of a small picture, in NAL units that fit into packets.
function pictures(folder) {
	const file = join(folder, 'small.h264');
	execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=320x180:r=25:d=2', '-c:v', 'libx264', '-preset', 'ultrafast', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p', '-g', '25', '-x264-params', 'slice-max-size=1000:repeat-headers=1:bframes=0', file]);
	const data = readFileSync(file), starts = [];
	for (let at = data.indexOf('\0\0\x01', 0, 'latin1'); at >= 0; at = data.indexOf('\0\0\x01', at + 3, 'latin1'))
		starts.push(at + 3);
	const units = starts.map((at, i) => data.subarray(at, i + 1 < starts.length ? starts[i + 1] - (data[starts[i + 1] - 4] === 0 ? 4 : 3) : undefined));
	const aus = [[]];
	for (const u of units) {
		const slice = [1, 5].includes(u[0] & 31);
		if (aus.at(-1).some((x) => [1, 5].includes(x[0] & 31)) && (!slice || u[1] & 0x80))
			aus.push([]);
		aus.at(-1).push(u);
	}
	return aus;
}

test('a track of a telephone is what it sent: G.711, H.264 of packetization-mode 0', limit, async () => {
	const aus = pictures(server.data);
	const c = await Call.start('kept', [...audio('8'), 'm=video {video} RTP/AVP 109', 'a=rtpmap:109 H264/90000', 'a=fmtp:109 profile-level-id=42800d'], { video: true, codec: 'PCMA', hz: A });
	const began = performance.now();
	let sent = 0;
	const camera = setInterval(() => {
		for (const due = (performance.now() - began) / 40; sent < due; sent++)
			aus[sent % aus.length].forEach((u, i, all) => c.phone.video.send(109, sent * 3600, u, Number(i === all.length - 1)));
	}, 10);
	const s = await Socket.open(server.url);
	await s.join('kept', 'operator');
	s.send({ type: 'record', action: 'start' });
	const { recording } = await s.next('recording', { test: (m) => m.state === 'on' });
	const ask = async () => (await fetch(`http://127.0.0.1:${server.port}/api/v1/recordings/${recording}`,
		{ headers: { Authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` } })).json();
	await until('a track', async () => (await ask()).tracks.some((t) => t.video_codec && t.audio_codec));
	await new Promise((r) => setTimeout(r, 2500)); // of the track
	s.send({ type: 'record', action: 'stop' });
	const all = await until('all to be finished', async () => {
		const r = await ask();
		return [r, ...r.tracks].every((x) => x.finish === 'done') && r;
	}, 60000);
	clearInterval(camera);
	assert.deepEqual(all.tracks.map((t) => `${t.state} ${t.video_codec} ${t.audio_codec} ${t.width}x${t.height}`), ['ready h264 pcma 320x180']);
	const file = join(server.data, 'track.mkv');
	writeFileSync(file, Buffer.from(await (await fetch(new URL(all.tracks[0].url, server.url))).arrayBuffer()));
	assert.equal(complaints(file, { uneven: true }), '');
	const p = probe(file), list = packets(file);
	assert.deepEqual([p.video.codec_name, p.video.profile, p.audio.codec_name], ['h264', 'Constrained Baseline', 'pcm_alaw']);
	for (const stream of [list.v, list.a])
		stream.forEach((x, i) => assert.ok(!i || x.pts > stream[i - 1].pts, JSON.stringify(x)));
	assert.ok(list.v.length > 40 && list.a.length > 80, `${list.v.length} pictures, ${list.a.length} packets of sound`);
	// both are on the recording's time line up to its end
	assert.ok(Math.abs(list.v.at(-1).pts - list.a.at(-1).pts) < 0.5 && list.a.at(-1).pts > 2, `${list.v.at(-1).pts}, ${list.a.at(-1).pts}`);
	const heard = [A, 1000].map((hz) => level(file, 0, hz));
	assert.ok(heard[0] > -40 && heard[1] < heard[0] - 20, `${A} Hz at ${heard[0]} dB, 1000 Hz at ${heard[1]} dB`);
	s.destroy();
	await c.end();
});

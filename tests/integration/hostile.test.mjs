// Peers that are broken or hostile: each gets a clear error or is counted, and
// three who behave, in the same room all the time, notice nothing.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Bots, assertHears, assertSees, assertUndisturbed, clips } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';
import { Socket, frame } from '../support/ws.mjs';

const OFFER = readFileSync(new URL('../signaling/fixtures/chromium-av-sendrecv.sdp', import.meta.url), 'utf8');
const LOST_WITHIN_MS = 40000; // consent expires after 30 s without an answer
const limit = { timeout: within(150000) };
let server;
let witnesses;
let frozen; // a participant that does not answer any more, its process being stopped
let observer;
let lost; // what the observer was told of it, and when

before(async () => {
	server = await Server.small({ 'room.linger_s': 1, 'room.record': 'all' });
	witnesses = Bots.start(server, 'calm', { senders: 3, decode: 1, seconds: 600 });
	frozen = Bots.start(server, 'calm', { viewers: 1, seconds: 600, name: 'frozen-' });
	await Promise.all([witnesses.ready, frozen.ready]);
	observer = await Socket.open(server.url);
	const { participants } = await observer.join('calm', 'observer');
	const { leg } = participants.find((p) => p.name.startsWith('frozen-'));
	frozen.signal('SIGSTOP');
	const began = Date.now();
	lost = observer.next('left', { test: (m) => m.leg === leg, ms: LOST_WITHIN_MS })
		.then(({ reason }) => ({ reason, seconds: (Date.now() - began) / 1000 }), (error) => ({ error }));
});

after(async () => {
	observer?.destroy();
	await frozen?.kill();
	await witnesses?.kill();
	await server.stopFine();
});

const alive = async (s) => assert.equal((await s.ask({ type: 'ping', id: 'p' }, 'pong')).id, 'p');

async function counters() {
	const m = await server.metrics();
	return (name) => m.get(name) ?? assert.fail(`no ${name} in /metrics`);
}

describe('signaling', limit, () => {
	const refused = [
		['nothing', '', 'bad_json'],
		['not JSON', 'not JSON', 'bad_json'],
		['half of it', '{"type":"join"', 'bad_json'],
		['not an object', '[1]', 'bad_json'],
		['not UTF-8', Buffer.from('{"type":"ping","id":"\xc3\x28"}', 'latin1'), 'bad_json'],
		['deep nesting', '['.repeat(60000), 'bad_json'],
		['no type', '{}', 'bad_message'],
		['a type that is no string', '{"type":5}', 'bad_message'],
		['an unknown type', '{"type":"explode","id":"x"}', 'unknown_type'],
		['a join without a room', '{"type":"join","name":"n"}', 'bad_message'],
		['a join with a number as name', '{"type":"join","room":"r","name":7}', 'bad_message'],
		['a bad room name', '{"type":"join","room":"../etc","name":"n"}', 'room_name_invalid'],
		['a name that is too long', JSON.stringify({ type: 'join', room: 'r', name: 'n'.repeat(65) }), 'name_invalid'],
		['an offer before a join', JSON.stringify({ type: 'offer', sdp: OFFER }), 'not_joined'],
		['muting before a join', '{"type":"mute","audio":true}', 'not_joined'],
		['recording before a join', '{"type":"record","action":"start"}', 'not_joined'],
	];
	for (const [what, text, code] of refused)
		test(`${what}: ${code}, and the connection goes on`, async () => {
			const s = await Socket.open(server.url);
			const from = s.messages.length;
			s.text(text);
			const e = await s.next('error', { from });
			assert.equal(e.code, code);
			assert.equal(e.fatal, false);
			assert.ok(e.text.length > 8, e.text);
			await alive(s);
			s.destroy();
		});

	const inRoom = [
		['a second join', { type: 'join', room: 'other', name: 'again' }, 'already_joined'],
		['SDP that is none', { type: 'offer', sdp: 'nonsense' }, 'bad_sdp'],
		['an m-line with an impossible port', { type: 'offer', sdp: 'v=0\r\no=- 1 1 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=audio 99999999 X 1\r\n' }, 'bad_sdp'],
		['an offer without a fingerprint', { type: 'offer', sdp: OFFER.replace(/a=fingerprint:.*\r\n/g, '') }, 'bad_sdp'],
		['an offer of unknown codecs', { type: 'offer', sdp: OFFER.replace(/a=rtpmap:(\d+) \S+\//g, 'a=rtpmap:$1 none/') }, 'no_common_codec'],
		['an answer without an offer', { type: 'answer', sdp: OFFER }, 'bad_state'],
		['a candidate before the offer', { type: 'ice', candidate: 'candidate:1 1 UDP 1 127.0.0.1 9 typ host' }, 'bad_state'],
		['a candidate that is a number', { type: 'ice', candidate: 5 }, 'bad_message'],
		['muting by a word', { type: 'mute', audio: 'yes' }, 'bad_message'],
		['an unknown action', { type: 'record', action: 'explode' }, 'bad_message'],
		['stopping what does not run', { type: 'record', action: 'stop' }, 'not_recording'],
	];
	for (const [what, message, code] of inRoom)
		test(`${what}: ${code}, and the session goes on`, async () => {
			const s = await Socket.open(server.url);
			await s.join('calm', 'peer');
			const e = await s.ask({ ...message, id: 'r1' }, 'error');
			assert.equal(e.code, code, e.text);
			assert.equal(e.id, 'r1');
			assert.equal(e.fatal, false);
			await alive(s);
			await s.ask({ type: 'leave' }, 'bye');
			assert.equal((await s.end()).code, 1000);
		});

	test('candidates of garbage after an offer harm nobody', async () => {
		const s = await Socket.open(server.url);
		await s.join('calm', 'peer');
		await s.ask({ type: 'offer', sdp: OFFER }, 'answer');
		const garbage = ['candidate:', 'candidate:1 1 UDP x y z typ', 'candidate:1 1 UDP 1 999.1.1.1 5 typ host',
			`candidate:${'9'.repeat(400)} 1 UDP 1 127.0.0.1 9 typ host`, 'candidate:1 1 UDP 1 127.0.0.1 0 typ host',
			'candidate:1 7 UDP 1 127.0.0.1 9 typ host', 'candidate:1 1 UDP 1 nowhere.invalid 9 typ host'];
		for (const candidate of garbage)
			s.send({ type: 'ice', candidate, mid: '0' });
		const e = await s.ask({ type: 'ice', candidate: 'garbage' }, 'error');
		assert.equal(e.code, 'bad_message');
		await alive(s);
		s.destroy();
	});

	for (const [what, send, code] of [
		['a message of 70,000 octets', (s) => s.text('x'.repeat(70000)), 1009],
		['many fragments of one message', (s) => s.raw(Buffer.concat(
			[...Array(40).keys()].map((i) => frame(i ? 0 : 1, 'x'.repeat(2000), { final: false })))), 1009],
		['a frame that claims 2^62 octets', (s) => s.raw(Buffer.concat([Buffer.from('81ff4000000000000000', 'hex'), randomBytes(70000)])), 1009],
		['a binary frame', (s) => s.binary('{"type":"ping"}'), 1003],
	])
		test(`${what}: bad_json, and the connection is closed with ${code}`, async () => {
			const s = await Socket.open(server.url);
			send(s);
			const e = await s.next('error');
			assert.equal(e.code, 'bad_json');
			assert.equal(e.fatal, true);
			assert.equal((await s.end()).code, code);
		});

	for (const [what, bytes] of [
		['an unknown opcode', frame(5, 'x')],
		['noise', randomBytes(4096)],
	])
		test(`${what}: the connection is closed`, async () => {
			const s = await Socket.open(server.url);
			s.raw(bytes);
			await s.end();
		});

	test('a flood: rate_limited, and the connection is closed', async () => {
		const before = await counters();
		const s = await Socket.open(server.url);
		s.raw(Buffer.concat(Array(200).fill(frame(1, '{"type":"ping"}'))));
		const e = await s.next('error');
		assert.equal(e.code, 'rate_limited');
		assert.equal(e.fatal, true);
		assert.equal((await s.end()).code, 1008);
		assert.ok(s.messages.filter((m) => m.type === 'pong').length <= 50);
		const now = await counters();
		assert.equal(now('mcu_ws_rate_limited_total'), before('mcu_ws_rate_limited_total') + 1);
	});

	test('an upgrade elsewhere, or without the subprotocol, is refused', async () => {
		await assert.rejects(Socket.open(server.url, { path: '/elsewhere' }));
		await assert.rejects(Socket.open(server.url, { protocol: 'other' }));
	});
});

describe('sockets', limit, () => {
	test('half-open connections do not keep others out', async () => {
		const half = [];
		const address = { host: '127.0.0.1', port: server.port };
		for (let i = 0; i < 200; i++) {
			const c = net.connect(address);
			c.on('error', () => {});
			c.resume();
			c.write(['', 'GET /heal', 'GET / HTTP/1.1\r\nHost: x\r\n', 'POST /api/v1/recordings HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx', '\x16\x03\x01'][i % 5]);
			half.push(c);
		}
		const began = Date.now();
		assert.equal((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status, 200);
		assert.ok(Date.now() - began < within(1000), `${Date.now() - began} ms`);
		const s = await Socket.open(server.url);
		await s.join('calm', 'peer');
		s.destroy();
		await until('the server to close them', async () => half.every((c) => c.destroyed), 25000)
			.finally(() => half.forEach((c) => c.destroy()));
	});

	test('requests that are none', async () => {
		const ask = (bytes) => new Promise((resolve) => {
			let answer = '';
			const c = net.connect({ host: '127.0.0.1', port: server.port }, () => c.end(bytes));
			c.on('data', (d) => { answer += d; });
			c.on('error', () => resolve(answer));
			c.on('close', () => resolve(answer));
		});
		for (const path of ['/../../../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '//etc/passwd', '/..\\..\\etc/passwd', '/recordings/1/../../mcu.db'])
			assert.doesNotMatch(await ask(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`), /root:|SQLite/, path);
		for (const bytes of ['\r\n\r\n', randomBytes(3000), `GET /${'x'.repeat(100000)} HTTP/1.1\r\n\r\n`, `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(20000)}\r\n`])
			assert.doesNotMatch(await ask(bytes), /HTTP\/1.1 200/);
		assert.equal((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status, 200);
	});

	test('strangers on a media port', async () => {
		const s = await Socket.open(server.url);
		await s.join('calm', 'peer');
		const { sdp } = await s.ask({ type: 'offer', sdp: OFFER }, 'answer');
		const found = () => [...sdp.matchAll(/^a=(candidate:.*)$/gm)].map((m) => m[1])
			.concat(s.messages.filter((m) => m.type === 'ice').map((m) => m.candidate))
			.map((c) => c.trim().split(' ')).find((c) => c[4] === '127.0.0.1');
		const [, , , , address, port] = await s.until('a candidate on this machine', found);
		const stranger = dgram.createSocket('udp4');
		const stun = (attributes) => Buffer.concat([Buffer.from([0, 1, 0, attributes.length]), Buffer.from('2112a442', 'hex'), randomBytes(12), attributes]);
		const packets = [
			Buffer.alloc(0), randomBytes(1), randomBytes(1400), stun(Buffer.alloc(0)), stun(Buffer.from('0006fff0', 'hex')),
			stun(Buffer.concat([Buffer.from('00060004', 'hex'), Buffer.from('a:b\0'), Buffer.from('00080014', 'hex'), randomBytes(20)])),
			Buffer.concat([Buffer.from('16fefd0000000000000000ffff', 'hex'), randomBytes(200)]),
			Buffer.concat([Buffer.from('8060', 'hex'), randomBytes(170)]), Buffer.concat([Buffer.from('80c8', 'hex'), randomBytes(60)]),
		];
		for (let round = 0; round < 50; round++)
			for (const p of packets)
				await new Promise((resolve) => stranger.send(p, Number(port), address, resolve));
		stranger.close();
		await alive(s);
		s.destroy();
	});
});

describe('media', limit, () => {
	test('garbage before and after encryption, and over signaling', async () => {
		const before = await counters();
		const s = await Bots.start(server, 'calm', { bad: 'garbage,garbage,signaling', 'bad-after': 0.2, seconds: 5, name: 'hostile-' }).done;
		const now = await counters();
		const sent = s.participants.map((p) => p.garbage_sent);
		assert.ok(sent[0] > 300 && sent[1] > 300 && sent[2] > 50, `sent: ${sent}`);
		const grown = (...names) => assert.ok(names.some((n) => now(n) > before(n)), `none of ${names} has grown`);
		grown('mcu_net_rx_auth_failed_total', 'mcu_net_rx_unknown_total', 'mcu_net_rx_malformed_total');
		grown('mcu_rtp_malformed_total', 'mcu_rtp_unknown_total');
		grown('mcu_rtcp_malformed_total');
	});

	test('a picture of 16,384 x 16,384 is not decoded', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'mcu-bomb-'));
		const file = join(folder, 'bomb.h264');
		writeFileSync(file, bomb(readFileSync(join(clips, 'colour0.h264'))));
		const before = await counters();
		const bots = Bots.start(server, 'bombed', { senders: 1, video: file, 'no-audio': true, seconds: 600 });
		const viewer = Bots.start(server, 'bombed', { viewers: 1, decode: 1, seconds: 600 });
		await Promise.all([bots.ready, viewer.ready]);
		await until('it to be refused', async () => (await counters())('mcu_video_decode_refused_total') > before('mcu_video_decode_refused_total'));
		assert.equal((await counters())('mcu_video_decode_errors_total'), before('mcu_video_decode_errors_total'));
		const encoded = async () => (await server.metrics()).get('mcu_video_encoded_frames_total');
		const shown = await encoded();
		await until('pictures to go on', async () => await encoded() > shown + 30);
		const s = await viewer.finish();
		await bots.finish();
		rmSync(folder, { recursive: true });
		assert.equal(s.participants[0].decode_errors, 0);
		assert.ok(s.participants[0].video.frames > 1);
	});

	test('a peer that reads nothing any more, and one that is gone without a word', async () => {
		const from = observer.messages.length;
		const s = await Bots.start(server, 'calm', { bad: 'stall,vanish', 'bad-after': 0.2, seconds: 3, name: 'bad-' }).done;
		const vanished = s.participants.find((p) => p.kind === 'vanish').leg;
		const left = await observer.next('left', { from, test: (m) => m.leg === vanished });
		assert.equal(left.reason, 'lost');
	});

	test('a slow reader is dropped and does not fill the memory', async () => {
		const lax = await Server.small({ 'limits.messages_per_s': 10000 });
		const s = await Socket.open(lax.url);
		const t = await Socket.open(lax.url);
		await s.join('r', 'slow');
		await t.join('r', 'observer');
		s.tcp.pause();
		const request = JSON.stringify({ type: 'mute', audio: 'x', id: 'i'.repeat(64) });
		const many = Buffer.concat(Array(500).fill(frame(1, request)));
		const sending = setInterval(() => s.tcp.writable && s.tcp.write(many), 100);
		const left = await t.next('left', { ms: 30000 }).finally(() => clearInterval(sending));
		assert.equal(left.reason, 'lost');
		assert.equal(await lax.value('mcu_ws_slow_dropped_total'), 1);
		s.destroy();
		t.destroy();
		await lax.stopFine();
	});

	test(`a peer that falls silent has left, "lost", within ${LOST_WITHIN_MS / 1000} s`, async () => {
		const { error, reason, seconds } = await lost;
		assert.ifError(error);
		assert.equal(reason, 'lost');
		assert.ok(seconds > 5, `after ${seconds} s`);
	});
});

describe('the three who behave', limit, () => {
	test('have noticed nothing', async () => {
		const s = await witnesses.finish();
		const senders = new Map(s.participants.map((p, i) => [p.leg, i]));
		for (const [i, p] of s.participants.entries()) {
			assertUndisturbed(p);
			assertHears(p, [0, 1, 2].filter((k) => k !== i));
			assertSees({ ...p, colours: p.colours.filter((c) => senders.has(c.leg)) }, senders);
		}
	});
});

// The clip with sequence parameter sets that claim 1024 x 1024 macroblocks.
function bomb(clip) {
	let bits = '';
	const ue = (v) => { const b = (v + 1).toString(2); bits += '0'.repeat(b.length - 1) + b; };
	for (const v of [0, 0, 2, 1])
		ue(v);
	bits += '0';
	ue(1023);
	ue(1023);
	bits += '11001'; // frames only, direct_8x8, no cropping, no VUI, stop bit
	const payload = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g).map((b) => parseInt(b, 2));
	const sps = Buffer.from([0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x3e, ...payload]);
	const out = [];
	const starts = [...clip.toString('latin1').matchAll(/\0\0\0?\x01/g)].map((m) => [m.index, m[0].length]);
	starts.forEach(([at, n], i) => {
		const nal = clip.subarray(at, starts[i + 1]?.[0] ?? clip.length);
		out.push((nal[n] & 31) === 7 ? sps : nal);
	});
	return Buffer.concat(out);
}

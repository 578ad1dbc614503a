// Telephones that misbehave harm only themselves: those that fall silent, never
// acknowledge, cancel at the worst moment, send garbage, or flood the server.
// Beside others.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { RawSip, sdp } from '../support/sip_raw.mjs';
import { Telephone, gone, legs } from '../support/sip_rig.mjs';
import { within } from '../support/variant.mjs';

const A = 440, B = 700; // Hz
const ROOM = 'calm';
let server, a, b;

// Those who were there before notice nothing.
const undisturbed = async () => {
	await a.hears({ [A]: false, [B]: true });
	await b.hears({ [A]: true, [B]: false });
};

describe('misbehaving telephones', { timeout: within(200000) }, () => {
	before(async () => {
		server = await Server.small({ 'sip.port': 0, 'room.linger_s': 1 });
		a = await Telephone.call(server, ROOM, { hz: A });
		b = await Telephone.call(server, ROOM, { hz: B });
		await undisturbed();
	});
	after(() => server.stopFine());

	const silent = [];
	test('some fall silent, some never acknowledge', async () => {
		const t = await Telephone.call(server, 'vanished', { hz: A });
		await legs(server, 'vanished', 1);
		await t.vanish();
		const raw = await RawSip.open(server, '127.0.0.2');
		const d = raw.dialog('unacknowledged');
		raw.send(d, 'INVITE', { body: sdp(40000) });
		assert.equal((await raw.final(d, 'INVITE')).status, 200);
		silent.push({ raw, d });
	});

	test('CANCEL at any moment: the call is over, whatever came first', async () => {
		const raw = await RawSip.open(server, '127.0.0.3');
		for (let i = 0; i < 24; i++) {
			const d = raw.dialog(`race${i % 4}`);
			raw.send(d, 'INVITE', { body: sdp(40000) });
			for (let k = 0; k < i % 6; k++)
				await new Promise((r) => setImmediate(r));
			raw.send(d, 'CANCEL');
			const cancelled = await raw.final(d, 'CANCEL');
			const invited = await raw.final(d, 'INVITE');
			assert.ok([200, 481].includes(cancelled.status), cancelled.first);
			assert.ok(invited.status === 487 || invited.status === 200, invited.first);
			raw.acknowledge(d, invited);
			if (invited.status === 200) {
				raw.send(d, 'BYE');
				assert.equal((await raw.final(d, 'BYE')).status, 200);
			}
		}
		raw.close();
		for (let i = 0; i < 4; i++)
			await gone(server, `race${i}`);
		await undisturbed();
	});

	test('garbage instead of RTP and RTCP', async () => {
		const t = await Telephone.call(server, ROOM, { hz: 1100 });
		await a.hears({ 1100: true });
		t.phone.talk(null);
		for (let i = 0; i < 2000; i++) {
			const d = randomBytes(i % 1400);
			if (i % 2 && d.length)
				d[0] = 0x80 | d[0] & 0x3f;
			t.phone.audio.raw(d);
			t.phone.audio.rawRtcp(randomBytes(i % 900));
			if (i % 50 === 0)
				await new Promise((r) => setTimeout(r, 5));
		}
		await undisturbed();
		t.phone.talk(1100);
		await a.hears({ 1100: true });
		await t.finish();
		await legs(server, ROOM, 2);
	});

	test('a stranger who sends to a telephone\'s port is not heard, and gets nothing', async () => {
		const { host, port } = a.phone.audio.remote;
		const stranger = dgram.createSocket('udp4');
		await new Promise((resolve) => stranger.bind(0, '127.0.0.9', resolve));
		let got = 0;
		stranger.on('message', () => got++);
		for (let i = 0; i < 200; i++) {
			const p = Buffer.alloc(172, i & 1 ? 0x00 : 0x80); // as loud as it gets
			p.writeUInt32BE(0x80000000 + i, 0);
			p.writeUInt32BE(i * 160, 4);
			p.writeUInt32BE(0x12345678, 8);
			stranger.send(p, port, host);
			await new Promise((r) => setTimeout(r, 5));
		}
		await undisturbed();
		assert.equal(got, 0);
		stranger.close();
	});

	test('messages that are too long, and connections that say nothing', async () => {
		const open = () => new Promise((resolve, reject) => {
			const s = net.connect(server.sipPort, '127.0.0.1', () => resolve(s));
			s.once('error', reject);
		});
		const [long, mute] = [await open(), await open()];
		long.on('error', () => {});
		let ended = false;
		long.on('close', () => { ended = true; });
		long.on('data', () => {});
		long.write('OPTIONS sip:127.0.0.1 SIP/2.0\r\nSubject: ');
		for (let i = 0; i < 400 && !ended; i++)
			if (!long.write('x'.repeat(10000)))
				await new Promise((r) => { long.once('drain', r).once('close', r); });
		await until('the end of who says too much', () => ended);
		await undisturbed();
		mute.destroy();
	});

	test('a flood from one address: others still get through', async () => {
		const raw = await RawSip.open(server, '127.0.0.66');
		for (let i = 0; i < 3000; i++) {
			const d = raw.dialog(`flood${i}`);
			raw.send(d, ['OPTIONS', 'INVITE', 'REGISTER', 'SUBSCRIBE'][i % 4], i % 4 === 1 ? { body: sdp(40000) } : {});
			if (i % 100 === 99)
				await new Promise((r) => setTimeout(r, 10));
		}
		const t = await Telephone.call(server, ROOM, { hz: 1100, host: '127.0.0.5' });
		await a.hears({ 1100: true });
		await t.finish();
		await undisturbed();
		const limited = raw.messages.filter((m) => m.status >= 400).length;
		const let_in = raw.messages.filter((m) => m.status === 200 && m.cseq.endsWith('INVITE')).length;
		assert.ok(let_in < 200, `${let_in} calls of the flood were answered, ${limited} requests refused`);
		raw.close();
	});

	test('who fell silent is let go, and who never acknowledged', async () => {
		await gone(server, 'vanished', 90000);
		for (const { raw, d } of silent) {
			raw.ok(await raw.requested(d, 'BYE', 60000));
			await gone(server, 'unacknowledged');
			raw.close();
		}
		await undisturbed();
	});

	test('the quiet ones hang up', async () => {
		await a.finish();
		await b.finish();
	});
});

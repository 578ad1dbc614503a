// Calls of telephones (SIPp, with media of their own) into rooms: how they are answered,
// and what may happen while they last.
// Beside others.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Bots } from '../support/bots.mjs';
import { keyFrames, nalType, readSps, spsOf } from '../support/h264.mjs';
import { Server, until } from '../support/server.mjs';
import { Telephone, gone, legs } from '../support/sip_rig.mjs';
import { within } from '../support/variant.mjs';

const A = 440, B = 700; // Hz
const SIP = { 'sip.port': 0, 'room.linger_s': 1 };
const limit = { timeout: within(200000) };
let server, strict;

const admin = (s) => ({ authorization: `Basic ${Buffer.from(`admin:${s.password}`).toString('base64')}` });

describe('session timers (RFC 4028), while the other calls come and go', limit, () => {
	before(async () => { server = await Server.small(SIP); });
	after(() => server.stopFine());

	let refreshed, expired;
	test('they are agreed on', async () => {
		refreshed = await Telephone.call(server, 'timers', { scenario: 'timer_server', hz: A });
		expired = await Telephone.call(server, 'timers', { scenario: 'timer_expiry', hz: B });
		const t = await Telephone.start(server, 'timer_too_small', { user: 'timers' });
		await t.fine();
	});

	test('a caller refreshes by UPDATE', async () => {
		const t = await Telephone.call(server, 'timers', { scenario: 'timer_refresh' });
		await t.sipp.received(/^SIP\/2\.0 200/, { text: /CSeq: 2 UPDATE/ });
		await t.hears({ [A]: true, [B]: true });
		await t.finish();
	});

	describe('calls', limit, () => {
		test('two telephones hear each other, and not themselves', async () => {
			const a = await Telephone.call(server, 'two', { hz: A });
			const b = await Telephone.call(server, 'two', { hz: B });
			await a.hears({ [A]: false, [B]: true });
			await b.hears({ [A]: true, [B]: false });
			await a.finish();
			await legs(server, 'two', 1);
			await b.finish();
			await gone(server, 'two');
		});

		test('late offer: the server offers, the telephone answers in ACK', async () => {
			const a = await Telephone.call(server, 'late', { hz: A });
			const b = await Telephone.call(server, 'late', { hz: B, scenario: 'late_offer' });
			await a.hears({ [A]: false, [B]: true });
			await b.hears({ [A]: true, [B]: false });
			await b.finish();
			await a.finish();
			await gone(server, 'late');
		});

		test('hold: its music is not heard in the room, and it is sent nothing', async () => {
			const a = await Telephone.call(server, 'hold', { hz: A });
			const b = await Telephone.call(server, 'hold', { hz: B, scenario: 'hold_resume' });
			await a.hears({ [B]: true });
			await b.hears({ [A]: true });
			b.go();
			await b.answered(1);
			await a.hears({ [B]: false });
			const last = () => b.phone.audio.packets.at(-1)?.at ?? 0;
			await until('no more packets to who is on hold', () => Date.now() - last() > 1000);
			b.phone.forget();
			b.go();
			await b.answered(2);
			await a.hears({ [B]: true });
			await b.hears({ [A]: true, [B]: false });
			await b.finish();
			await a.finish();
		});

		test('re-INVITE adds video', async () => {
			const bots = Bots.start(server, 'more', { senders: 1, seconds: 600 });
			await bots.ready;
			const t = await Telephone.call(server, 'more', { video: true, scenario: 'add_video', keys: { h264: 'packetization-mode=1;profile-level-id=42e01f' } });
			t.go();
			await t.answered(1);
			await until('video', () => t.phone.video.packets.length > 50 && keyFrames(t.phone.video.packets));
			await t.finish();
			await bots.kill();
			await gone(server, 'more');
		});

		test('INFO picture_fast_update is answered by a key frame', async () => {
			const bots = Bots.start(server, 'info', { senders: 1, seconds: 600 });
			await bots.ready;
			const t = await Telephone.call(server, 'info', { video: true, scenario: 'video', keys: { h264: 'packetization-mode=1;profile-level-id=42e01f' } });
			const { packets } = t.phone.video;
			await until('a first key frame', () => keyFrames(packets));
			// what others asked for is over when none has come for a while
			const settled = () => {
				const keys = packets.filter((p) => keyFrames([p]));
				return packets.at(-1).at - keys.at(-1).at > 3000;
			};
			for (const cseq of [2, 3]) {
				await until('pictures that need no key frame', settled, 60000);
				const from = packets.at(-1).at;
				t.go();
				await t.sipp.received(/^SIP\/2\.0 200/, { text: new RegExp(`CSeq: ${cseq} INFO`) });
				await until(`a key frame after INFO ${cseq - 1}`, () => keyFrames(packets.filter((p) => p.at > from)));
			}
			await t.finish();
			await bots.kill();
		});

		test('packetization-mode 0 with level 1.2: one NAL unit in a packet, no more than the level allows', async () => {
			const bots = Bots.start(server, 'old', { senders: 1, seconds: 600 });
			await bots.ready;
			const t = await Telephone.call(server, 'old', { video: true, scenario: 'video', keys: { h264: 'profile-level-id=42800c' } });
			const { packets } = t.phone.video;
			await until('five seconds of pictures', () => packets.length && packets.at(-1).at - packets[0].at > 5000 && spsOf(packets));
			const types = new Set(packets.map((p) => nalType(p.payload)));
			assert.ok([...types].every((n) => n >= 1 && n <= 12), `NAL units of types ${[...types]}`);
			assert.ok(packets.every((p) => p.payload.length <= 1460));
			const sps = readSps(spsOf(packets));
			assert.equal(sps.profile, 66);
			assert.ok(sps.level <= 12, `level_idc ${sps.level}`);
			assert.ok(sps.macroblocks <= 396, `${sps.macroblocks} macroblocks`); // MaxFS of level 1.2
			const spent = (packets.at(-1).ts - packets[0].ts >>> 0) / 90000;
			const pictures = new Set(packets.map((p) => p.ts)).size;
			assert.ok(pictures / spent * sps.macroblocks <= 6000, `${pictures} pictures in ${spent} s`); // MaxMBPS
			const bits = packets.reduce((sum, p) => sum + p.payload.length * 8, 0);
			assert.ok(bits / spent <= 384000 * 1.2, `${bits / spent} bit/s`); // MaxBR, and a key frame's worth
			t.go();
			await t.sipp.received(/^SIP\/2\.0 200/, { text: /CSeq: 2 INFO/ });
			t.go();
			await t.sipp.received(/^SIP\/2\.0 200/, { text: /CSeq: 3 INFO/ });
			await t.finish();
			await bots.kill();
		});
	});

	test('the server has refreshed as it said it would', async () => {
		await refreshed.fine();
	});

	test('who does not refresh is hung up on', async () => {
		await expired.fine();
		await gone(server, 'timers');
	});
});

describe('calls that are refused', limit, () => {
	before(async () => {
		strict = await Server.small({ ...SIP, 'room.on_demand': false, 'room.max_participants': 2 });
		const r = await fetch(`${strict.url}/api/v1/rooms/small`, { method: 'PUT', headers: admin(strict), body: '{}' });
		assert.equal(r.status, 200);
	});
	after(() => strict.stopFine());

	const refused = async (room, media, status) => {
		const t = await Telephone.start(strict, 'refused', { user: room, keys: { media } });
		await t.sipp.received(new RegExp(`^SIP/2\\.0 ${status}`));
		await t.fine();
	};

	test('no codec in common: 488', () => refused('small', '3', 488));
	test('an unknown room: 404', () => refused('nowhere', '0', 404));
	test('a full room: 486', async () => {
		const two = [await Telephone.call(strict, 'small', { hz: A }), await Telephone.call(strict, 'small', { hz: B })];
		await legs(strict, 'small', 2);
		await refused('small', '0', 486);
		await two[0].hears({ [B]: true });
		for (const t of two)
			await t.finish();
		await gone(strict, 'small');
	});
});

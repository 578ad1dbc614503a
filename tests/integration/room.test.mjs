// Rooms with real media: who sees and hears whom, and how many encoders, decoders
// and threads that takes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Bots, assertHears, assertSees, assertUndisturbed, loud } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';

const limit = { timeout: within(120000) };
const numbers = (n) => [...Array(n).keys()];
// Of leg ids to the numbers of senders.
const senderOf = (s) => new Map(s.participants.filter((p) => p.kind === 'sender').map((p, i) => [p.leg, i]));
let server;

before(async () => { server = await Server.small({ 'room.linger_s': 1 }); });
after(() => server.stopFine());

const value = (...of) => server.value(...of);
const audioEncoders = async (room, kind) => await value('mcu_audio_encoders', room, `,kind="${kind}"`);

async function assertGone(room) {
	await until(`room ${room} to close`, async () => await value('mcu_legs', room) === undefined);
}

describe('N-1', limit, () => {
	for (const n of [2, 3, 4])
		test(`${n} senders see all and hear the others, not themselves`, async () => {
			const s = await Bots.start(server, `golden-${n}`, { senders: n, decode: 1, seconds: 3 }).fine();
			assert.equal(s.participants.length, n);
			for (const [i, p] of s.participants.entries()) {
				assertSees(p, senderOf(s));
				assertHears(p, numbers(n).filter((k) => k !== i));
				assertUndisturbed(p);
			}
		});

	test('10 senders of sound', async () => {
		const bots = Bots.start(server, 'ten', { senders: 10, 'audio-only': true, decode: 1, seconds: 4 });
		await bots.ready;
		await until('ten N-1 encoders', async () => await audioEncoders('ten', 'talker') === 10);
		assert.equal(await value('mcu_video_encoders', 'ten'), 0);
		assert.equal(await value('mcu_video_decoders', 'ten'), 0);
		const s = await bots.fine();
		// So many at once are limited, which leaves traces elsewhere: by comparison.
		for (const [i, p] of s.participants.entries()) {
			const others = numbers(10).filter((k) => k !== i).map((k) => loud(p, k));
			const heard = p.tones.map((t) => `${t.hz} Hz ${t.dbfs.toFixed(0)} dB`).join(', ');
			assert.ok(Math.min(...others) > -42, `${p.name} hears the nine others: ${heard}`);
			assert.ok(loud(p, i) < Math.min(...others) - 12, `${p.name} does not hear itself: ${heard}`);
		}
	});

	test('one alone sees itself and hears nothing', async () => {
		const s = await Bots.start(server, 'alone', { senders: 1, decode: 1, seconds: 2 }).fine();
		assertSees(s.participants[0], senderOf(s));
		assertHears(s.participants[0], []);
	});

	test('two rooms do not mix', async () => {
		const one = Bots.start(server, 'left', { senders: 1, viewers: 1, decode: 1, seconds: 3 });
		const two = Bots.start(server, 'right', { senders: 2, 'no-video': true, 'audio-only': true, decode: 1, seconds: 3 });
		const [a, b] = await Promise.all([one.fine(), two.fine()]);
		assertHears(a.participants[1], [0]);
		assertSees(a.participants[1], senderOf(a));
		assertHears(b.participants[0], [1]);
		assertHears(b.participants[1], [0]);
	});
});

describe('what an audience costs', limit, () => {
	test('one video encoder and one listener encoder for 3 senders and 20 viewers', async () => {
		const bots = Bots.start(server, 'crowd', { senders: 3, viewers: 20, decode: 11, seconds: 4 });
		await bots.ready;
		assert.equal(await value('mcu_legs', 'crowd'), 23);
		assert.equal(await value('mcu_video_receivers', 'crowd'), 23);
		assert.equal(await value('mcu_video_encoders', 'crowd'), 1);
		assert.equal(await value('mcu_video_decoders', 'crowd'), 3);
		assert.equal(await value('mcu_listener_mixes', 'crowd'), 1);
		assert.equal(await audioEncoders('crowd', 'listener'), 1);
		await until('three N-1 encoders', async () => await audioEncoders('crowd', 'talker') === 3);
		const s = await bots.fine();
		for (const p of s.participants) {
			assertUndisturbed(p);
			if (p.tones)
				assertHears(p, p.kind === 'sender' ? [1, 2] : [0, 1, 2]);
		}
		assert.equal(s.totals.connected, 23);
	});

	test('nobody left: no encoders, no decoders, no room', async () => {
		await assertGone('crowd');
		await until('all encoders to be closed', async () => await value('mcu_venc_open') === 0 && await value('mcu_vdec_open') === 0);
		await until('all transports to be gone', async () => await value('mcu_net_transports') === 0);
	});

	test('nobody watches: nothing is decoded, composed or encoded', async () => {
		const bots = Bots.start(server, 'unwatched', { senders: 2, 'send-only-video': true, decode: 1, seconds: 3 });
		await bots.ready;
		await until('both to talk', async () => await audioEncoders('unwatched', 'talker') === 2);
		assert.equal(await value('mcu_video_receivers', 'unwatched'), 0);
		assert.equal(await value('mcu_video_decoders', 'unwatched'), 0);
		assert.equal(await value('mcu_video_encoders', 'unwatched'), 0);
		// A viewer comes: now it is.
		const viewer = Bots.start(server, 'unwatched', { viewers: 1, decode: 1, seconds: 1 });
		await viewer.ready;
		assert.equal(await value('mcu_video_encoders', 'unwatched'), 1);
		await until('decoding to begin', async () => await value('mcu_video_decoders', 'unwatched') === 2);
		await viewer.fine();
		await until('decoding to end', async () => await value('mcu_video_decoders', 'unwatched') === 0);
		await until('encoding to end', async () => await value('mcu_video_encoders', 'unwatched') === 0);
		await bots.fine();
	});

	test('only viewers: the listener mix is encoded once, nothing else is', async () => {
		const bots = Bots.start(server, 'silent', { viewers: 5, seconds: 2 });
		await bots.ready;
		assert.equal(await audioEncoders('silent', 'listener'), 1);
		assert.equal(await audioEncoders('silent', 'talker'), 0);
		assert.equal(await value('mcu_video_decoders', 'silent'), 0);
		assert.equal(await value('mcu_video_encoders', 'silent'), 1);
		await bots.fine();
	});

	test('as many threads with 12 rooms as with one', async () => {
		const start = (i) => Bots.start(server, `many-${i}`, { senders: 1, viewers: 1, 'audio-only': i > 1, seconds: 3 });
		const bots = [start(0)];
		await bots[0].ready;
		const one = server.threads();
		for (let i = 1; i < 12; i++)
			bots.push(start(i));
		await Promise.all(bots.slice(1).map((b) => b.ready));
		assert.ok(await value('mcu_rooms') >= 11);
		assert.equal(server.threads(), one);
		for (const b of bots)
			await b.fine();
	});
});

// Coming back with the resume secret, limits of a room, and the end of the server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { Bots } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const limit = { timeout: within(60000) };

describe('coming back', { ...limit, concurrency: true }, () => {
	let server;
	before(async () => { server = await Server.small({ 'room.max_participants': 4, 'room.linger_s': 1 }); });
	after(() => server.stopFine());

	test('resume replaces the old leg, others see it leave and come', async () => {
		const witness = await Socket.open(server.url);
		await witness.join('r', 'witness');
		const old = await Socket.open(server.url);
		const first = await old.join('r', 'Ana');
		const again = await Socket.open(server.url);
		const second = await again.join('r', 'Ana', { resume: first.resume });
		assert.notEqual(second.leg, first.leg);
		assert.notEqual(second.resume, first.resume);
		assert.deepEqual(second.participants.map((p) => p.name).sort(), ['Ana', 'witness']);
		const bye = await old.next('bye');
		assert.equal(bye.reason, 'replaced');
		await old.end();
		const left = await witness.next('left');
		assert.deepEqual([left.leg, left.reason], [first.leg, 'replaced']);
		await witness.next('joined', { test: (m) => m.participant.leg === second.leg });
		assert.equal(await server.value('mcu_legs', 'r'), 2);
		witness.destroy();
		again.destroy();
	});

	test('a wrong secret replaces nobody', async () => {
		const old = await Socket.open(server.url);
		const first = await old.join('w', 'Ana');
		const again = await Socket.open(server.url);
		const second = await again.join('w', 'Ana', { resume: first.resume.replace(/.$/, (c) => c === '0' ? '1' : '0') });
		assert.equal(second.participants.length, 2);
		assert.equal((await old.ask({ type: 'ping' }, 'pong')).type, 'pong');
		old.destroy();
		again.destroy();
	});

	test('a full room; whoever is in it may come back', async () => {
		const inside = [];
		for (let i = 0; i < 4; i++) {
			inside.push(await Socket.open(server.url));
			inside[i].me = await inside[i].join('full', `p${i}`);
		}
		const s = await Socket.open(server.url);
		const e = await s.ask({ type: 'join', room: 'full', name: 'p4' }, 'error');
		assert.deepEqual([e.code, e.fatal], ['room_full', false]);
		await s.join('full', 'p3', { resume: inside[3].me.resume });
		assert.equal((await inside[3].next('bye')).reason, 'replaced');
		[...inside, s].forEach((x) => x.destroy());
	});

	test('leave ends the session; others are told', async () => {
		const witness = await Socket.open(server.url);
		await witness.join('l', 'witness');
		const s = await Socket.open(server.url);
		const { leg } = await s.join('l', 'n');
		const bye = await s.ask({ type: 'leave', id: 'z' }, 'bye');
		assert.deepEqual([bye.reason, bye.id], ['left', 'z']);
		assert.equal((await s.end()).code, 1000);
		assert.equal((await witness.next('left', { test: (m) => m.leg === leg })).reason, 'left');
		witness.destroy();
	});

	test('a connection that ends without a word is lost', async () => {
		const witness = await Socket.open(server.url);
		await witness.join('l2', 'witness');
		const s = await Socket.open(server.url);
		const { leg } = await s.join('l2', 'n');
		s.destroy();
		assert.equal((await witness.next('left', { test: (m) => m.leg === leg })).reason, 'lost');
		witness.destroy();
	});

	test('no media within 20 s: connect_timeout', async () => {
		const sdp = readFileSync(new URL('../signaling/fixtures/chromium-av-sendrecv.sdp', import.meta.url), 'utf8');
		const s = await Socket.open(server.url);
		await s.join('t', 'n');
		await s.ask({ type: 'offer', sdp }, 'answer');
		const e = await s.next('error', { ms: 25000 });
		assert.deepEqual([e.code, e.fatal], ['connect_timeout', true]);
		await s.end();
	});

	test('muting is told to all', async () => {
		const witness = await Socket.open(server.url);
		await witness.join('m', 'witness');
		const s = await Socket.open(server.url);
		const { leg } = await s.join('m', 'n');
		for (const [audio, video] of [[true, false], [true, true], [false, false]]) {
			const from = witness.messages.length;
			const own = s.messages.length;
			s.send({ type: 'mute', audio, video });
			for (const [who, at] of [[witness, from], [s, own]]) {
				const m = await who.next('muted', { from: at });
				assert.deepEqual([m.leg, m.audio, m.video], [leg, audio, video]);
			}
		}
		const late = await Socket.open(server.url);
		s.send({ type: 'mute', audio: true });
		await witness.next('muted', { test: (m) => m.audio && !m.video && m.leg === leg });
		const { participants } = await late.join('m', 'late');
		const p = participants.find((x) => x.leg === leg);
		assert.deepEqual([p.audio_muted, p.video_muted], [true, false]);
		[witness, s, late].forEach((x) => x.destroy());
	});
});

test('the server ends: everybody is told shutting_down, with and without a room', limit, async () => {
	const server = await Server.small();
	const bots = Bots.start(server, 'r', { senders: 2, seconds: 600 });
	await bots.ready;
	const inside = await Socket.open(server.url);
	await inside.join('r', 'n');
	const outside = await Socket.open(server.url);
	server.process.kill('SIGTERM');
	for (const s of [inside, outside]) {
		const e = await s.next('error');
		assert.deepEqual([e.code, e.fatal], ['shutting_down', true]);
		assert.ok((await s.next('bye')).reason);
		await s.end();
	}
	const { code } = await server.exited;
	assert.equal(code, 0, server.log);
	bots.signal('SIGTERM');
	const s = await bots.done;
	assert.ok(s.participants.every((p) => p.last_error_code === 'shutting_down'), JSON.stringify(s.participants.map((p) => p.error)));
	await server.forget();
});

test('a restart on the same port and data: everybody can come again at once', limit, async () => {
	const first = await Server.small();
	const bots = Bots.start(first, 'r', { senders: 1, seconds: 600 });
	await bots.ready;
	first.process.kill('SIGKILL');
	await first.exited;
	const second = await Server.small({ 'http.port': first.port }, { data: first.data });
	await bots.kill();
	await Bots.start(second, 'r', { senders: 2, seconds: 1 }).fine();
	await until('the room', async () => await second.value('mcu_legs', 'r') === 0);
	await second.stopFine();
	await first.forget();
});

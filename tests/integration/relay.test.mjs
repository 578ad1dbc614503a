// Receivers behind a relay, and some that stop reading, sit beside others that are
// reached directly: who is reached directly notices nothing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Bots, assertHears, assertSees, assertUndisturbed } from '../support/bots.mjs';
import { Server } from '../support/server.mjs';
import { PASSWORD, USER, startTurn } from '../support/turn.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const LOST_WITHIN_MS = 60000; // consent expires after 30 s without an answer
const limit = { timeout: within(180000) };
const ROOM = 'relay', SENDERS = 2, RELAYED = 3;

describe('relayed receivers', limit, () => {
	let server, turn, relay;
	const all = [];
	const bots = (name, options) => {
		const b = Bots.start(server, ROOM, { name: `${name}-`, seconds: 600, ...options });
		all.push(b);
		return b;
	};

	before(async () => {
		turn = await startTurn();
		relay = `127.0.0.1:${turn.port},${USER},${PASSWORD}`;
		server = await Server.small({ 'room.linger_s': 1 });
	});
	after(async () => {
		await Promise.all(all.map((b) => b.kill()));
		await server.stopFine();
		turn.stop();
	});

	test('see and hear; who stops reading is let go, and nobody else notices', limit, async () => {
		const direct = bots('direct', { senders: SENDERS, viewers: 2, decode: 1 });
		await direct.ready;
		const relayed = bots('relayed', { viewers: RELAYED, decode: 1, relay });
		const deaf = bots('deaf', { viewers: 1, decode: 0, relay });
		const stuck = bots('stuck', { viewers: 1, decode: 0 });
		await Promise.all([relayed, deaf, stuck].map((b) => b.ready));
		const s = await Socket.open(server.url);
		const { participants } = await s.join(ROOM, 'observer');
		const leg = (name) => participants.find((p) => p.name.startsWith(`${name}-`))?.leg ?? assert.fail(`no ${name}: ${JSON.stringify(participants)}`);
		const lost = (name) => s.next('left', { test: (m) => m.leg === leg(name), ms: LOST_WITHIN_MS });
		const gone = ['deaf', 'stuck'].map(lost);
		deaf.signal('SIGSTOP');
		stuck.signal('SIGSTOP');
		for (const { reason } of await Promise.all(gone))
			assert.equal(reason, 'lost');
		const far = await relayed.finish(), near = await direct.finish();
		const senders = new Map(near.participants.filter((p) => p.name.includes('sender')).map((p, i) => [p.leg, i]));
		assert.equal(senders.size, SENDERS);
		for (const p of near.participants)
			assertUndisturbed(p);
		for (const p of [...far.participants, ...near.participants.filter((q) => q.name.includes('viewer'))]) {
			assert.equal(p.error, null, p.name);
			assertHears(p, [0, 1]);
		}
		assert.equal(far.participants.length, RELAYED);
		for (const p of far.participants) {
			assertSees(p, senders);
			assert.equal(p.auth_fail + p.malformed, 0, `${p.name}: ${JSON.stringify(p)}`);
			// the relay may lose some when it gets no processor
			assert.ok(p.video.lost <= p.video.packets / 50, `${p.name} lost ${p.video.lost} of ${p.video.packets}`);
		}
		s.destroy();
	});
});

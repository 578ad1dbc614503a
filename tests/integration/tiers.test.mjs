// The ladder of sizes: who gets which, and what that takes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Bots, assertHears, assertSees, assertUndisturbed } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { SLOWER, within } from '../support/variant.mjs';

const limit = { timeout: within(120000) };
const senderOf = (s) => new Map(s.participants.filter((p) => p.kind === 'sender').map((p, i) => [p.leg, i]));
let server;

before(async () => { server = await Server.small({ 'room.linger_s': 1 }); });
after(() => server.stopFine());

const encoders = async (room) => await server.value('mcu_video_encoders', room);

describe('sizes', limit, () => {
	test('180 lines and sound alone beside 360 lines', async () => {
		const tall = Bots.start(server, 'rungs', { senders: 2, viewers: 1, decode: 1, seconds: 12 * SLOWER });
		await tall.ready;
		assert.equal(await encoders('rungs'), 1);
		const few = { viewers: 2, decode: 1, seconds: 3 };
		const small = Bots.start(server, 'rungs', { ...few, name: 'small-', 'max-height': 200 });
		const sound = Bots.start(server, 'rungs', { ...few, name: 'sound-', 'max-height': 0 });
		await Promise.all([small.ready, sound.ready]);
		assert.equal(await encoders('rungs'), 2, 'one encoder for each size');
		assert.equal(await server.value('mcu_video_receivers', 'rungs'), 5);
		const [s, q] = await Promise.all([small.fine(), sound.fine()]);
		await until('the small size to go with those who had it', async () => await encoders('rungs') === 1);
		const t = await tall.fine();
		for (const p of t.participants) {
			assert.equal(p.video.height, 360, p.name);
			assertUndisturbed(p);
		}
		for (const p of s.participants) {
			assert.deepEqual([p.video.width, p.video.height], [320, 180], p.name);
			assertSees(p, senderOf(t));
			assertHears(p, [0, 1]);
			assertUndisturbed(p);
		}
		for (const p of q.participants) {
			assert.equal(p.video.packets, 0, p.name);
			assertHears(p, [0, 1]);
		}
	});

	test('who loses packets gets less, and nobody else', async () => {
		const good = Bots.start(server, 'lossy', { senders: 1, viewers: 1, decode: 1, seconds: 120 * SLOWER });
		await good.ready;
		const bad = Bots.start(server, 'lossy', { viewers: 1, decode: 1, seconds: 10 * SLOWER, name: 'bad-', 'drop-rx': 150 });
		await until('the smaller size to be encoded', async () => await encoders('lossy') === 2);
		await bad.done;
		await until('it to go with the one who had it', async () => await encoders('lossy') === 1, 60000);
		const g = await good.finish();
		for (const p of g.participants) {
			assert.equal(p.video.height, 360, p.name);
			assertUndisturbed(p);
		}
	});
});

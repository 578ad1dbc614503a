// Layouts changed live by REST: who is where in the picture that people get, and
// what is decoded for it.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';

import { Bots, COLOURS, near } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';

const SENDERS = 4;
let server;

before(async () => { server = await Server.small({ 'room.linger_s': 1 }); });
after(() => server.stopFine());

async function arrange(room, layout) {
	const r = await fetch(`${server.url}/api/v1/rooms/${room}/layout`, {
		method: 'PUT', body: JSON.stringify(layout),
		headers: { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` },
	});
	return r.status === 204 ? 204 : { status: r.status, ...await r.json() };
}

const QUARTERS = [[0, 0], [0.5, 0], [0, 0.5], [0.5, 0.5]].map(([x, y]) => ({ x, y, width: 0.5, height: 0.5 }));

describe('layouts', { timeout: within(120000) }, () => {
	for (const [name, settings, tiles] of [
		['speaker', {}, 4],
		['speaker-only', { speaker_view: false, overlays: { banner: '물리학 101', clock: true } }, 1],
		['picture-in-picture', {}, 2],
		['grid', { max_tiles: 3, page: 2 }, 1],
		['custom', { custom: QUARTERS, fit: 'crop' }, 4],
	])
		test(`${name}: ${tiles} of ${SENDERS} are seen, in their places`, async () => {
			const room = `live-${name}`;
			const bots = Bots.start(server, room, { senders: SENDERS, decode: 1, seconds: 600 });
			await bots.ready;
			await until('all tiles', async () => await server.value('mcu_tiles', room) === SENDERS);
			assert.equal(await arrange(room, { layout: name, ...settings }), 204);
			await until('the decoders that it takes', async () => await server.value('mcu_video_decoders', room) === tiles);
			await sleep(within(3000)); // until they have seen it
			const s = await bots.finish();
			const senders = new Map(s.participants.filter((p) => p.kind === 'sender').map((p, i) => [p.leg, i]));
			const seen = s.participants[0].colours.filter((c) => c.leg !== undefined);
			assert.equal(seen.length, tiles);
			for (const t of seen)
				assert.ok(near(t.rgb, COLOURS[senders.get(t.leg)]), `${t.rgb} at ${t.x},${t.y} for leg ${t.leg}`);
		});

	test('what cannot be is refused, with a sentence', async () => {
		assert.equal((await arrange('nobody', { layout: 'grid' })).code, 'room_unknown');
		const bots = Bots.start(server, 'refused', { senders: 1, decode: 1, seconds: 600 });
		await bots.ready;
		for (const [layout, code] of [[{ layout: 'heap' }, 'layout_invalid'], [{ page: 0 }, 'bad_message'], ['x', 'bad_json'],
			[{ layout: 'custom', custom: [{ x: 0.5, y: 0, width: 0.6, height: 1 }] }, 'layout_invalid']]) {
			const r = await arrange('refused', layout);
			assert.deepEqual([r.status, r.code], [400, code]);
			assert.match(r.text ?? r.message, /\w.*\./);
		}
		await bots.finish();
	});
});

// Several views of one room, with real media: who sees what, and what runs for it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Bots, COLOURS, near } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { SLOWER, within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const MOST_VIEWS = 3, MOST_HIDDEN = 1;
let server;

before(async () => {
	server = await Server.small({ 'room.linger_s': 1, 'room.max_views': MOST_VIEWS, 'room.max_personal_views': MOST_HIDDEN });
});
after(() => server.stopFine());

async function ask(method, room, path, body) {
	const r = await fetch(`${server.url}/api/v1/rooms/${room}/${path}`, {
		method, body: body && JSON.stringify(body),
		headers: { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` },
	});
	return r.status === 204 ? 204 : { status: r.status, ...await r.json() };
}

const value = (name, room, rest) => server.value(name, room, rest);
const encoders = (room) => value('mcu_video_encoders', room);
const encodersReach = (n, room) => until(`${n} encoders`, async () => await encoders(room) === n);
const viewEncoders = (view, room) => value('mcu_view_encoders', room, `,view="${view}"`);

const LONG = 60 * SLOWER; // ended before
// Everybody who gets a picture gets the one of its view, and has for a moment.
async function finish(bots, room) {
	await until('all to have switched', async () => (await ask('GET', room, 'legs')).legs.every((l) => !l.switching));
	await new Promise((r) => setTimeout(r, 1500 * SLOWER));
	return bots.finish();
}

const tilesOf = (p) => p.colours.filter((c) => c.leg !== undefined);

// That p's picture has exactly these legs, each in its colour; colours: of leg ids to numbers.
function assertShows(p, legs, colours) {
	const tiles = tilesOf(p);
	assert.deepEqual(tiles.map((t) => t.leg).sort(), [...legs].sort(), `tiles of ${p.name}`);
	for (const t of tiles)
		assert.ok(near(t.rgb, COLOURS[colours.get(t.leg)]), `${p.name} sees ${t.rgb} at ${t.x},${t.y} for leg ${t.leg}`);
}

const coloursOf = (s) => new Map(s.participants.filter((p) => p.kind === 'sender').map((p, i) => [p.leg, i]));

describe('views', { timeout: within(180000) }, () => {
	test('two at once show different pictures; encoders come and go with them', async () => {
		const room = 'two';
		const bots = Bots.start(server, room, { senders: 3, viewers: 1, decode: 1, seconds: LONG });
		await bots.ready;
		await encodersReach(1, room);
		await until('all tiles', async () => await value('mcu_tiles', room) === 3);
		const legs = (await ask('GET', room, 'legs')).legs;
		const host = legs.find((l) => l.role === 'host').leg;
		const pinned = legs.filter((l) => l.video && l.leg !== host)[0].leg;
		const stage = { for: 'hosts', layout: 'speaker-only', pin: [pinned], speaker_view: false };
		assert.equal(await ask('PUT', room, 'views/stage', stage), 204);
		await encodersReach(2, room);
		assert.deepEqual([await value('mcu_views', room), await value('mcu_pictures', room)], [2, 2]);
		assert.deepEqual([await viewEncoders('main', room), await viewEncoders('stage', room)], [1, 1]);
		// nobody gets it any more: nothing runs for it
		assert.equal(await ask('PUT', room, 'views/stage', { for: 'request' }), 204);
		await encodersReach(1, room);
		assert.equal(await viewEncoders('stage', room), 0);
		assert.equal(await ask('DELETE', room, 'views/stage'), 204);
		assert.equal((await ask('GET', room, 'views/stage')).code, 'view_unknown');
		assert.equal(await ask('PUT', room, 'views/stage', stage), 204);
		await encodersReach(2, room);
		const { views } = await ask('GET', room, 'views');
		assert.deepEqual(views.map((v) => [v.view, v.for, v.receivers, v.encoders, v.tiles.length]),
			[['main', 'everybody', 3, 1, 3], ['stage', 'hosts', 1, 1, 1]]);
		assert.equal(views[1].layout, 'speaker-only');
		const s = await finish(bots, room), colours = coloursOf(s);
		for (const p of s.participants)
			assertShows(p, p.leg === host ? [pinned] : [...colours.keys()], colours);
	});

	test('everybody goes back and forth between two views, without a break', async () => {
		const room = 'forth';
		const bots = Bots.start(server, room, { senders: 2, viewers: 2, decode: 1, seconds: LONG });
		await bots.ready;
		await until('all tiles', async () => await value('mcu_tiles', room) === 2);
		const arrived = (view) => until(`all to have switched to ${view}`, async () =>
			(await ask('GET', room, 'legs')).legs.every((l) => l.view === view && !l.switching));
		for (let i = 0; i < 3; i++) {
			assert.equal(await ask('PUT', room, 'views/b', { for: 'everybody', layout: 'side-by-side' }), 204);
			await arrived('b');
			assert.equal(await viewEncoders('main', room), 0);
			assert.equal(await ask('DELETE', room, 'views/b'), 204);
			await arrived('main');
		}
		await encodersReach(1, room);
		const s = await finish(bots, room), colours = coloursOf(s);
		for (const p of s.participants) {
			assertShows(p, [...colours.keys()], colours);
			const seen = JSON.stringify(p.video);
			assert.deepEqual([p.video.lost, p.video.dup, p.video.undecodable, p.decode_errors ?? 0], [0, 0, 0, 0], `${p.name}: ${seen}`);
		}
	});

	test('who asks for a view gets it, if it may', async () => {
		const room = 'asked';
		const bots = Bots.start(server, room, { senders: 2, decode: 1, seconds: LONG });
		await bots.ready;
		await until('all tiles', async () => await value('mcu_tiles', room) === 2);
		const pinned = (await ask('GET', room, 'legs')).legs[1].leg;
		assert.equal(await ask('PUT', room, 'views/wall', { for: 'request', layout: 'speaker-only', pin: [pinned] }), 204);
		assert.equal(await ask('PUT', room, 'views/stage', { for: 'speaker' }), 204);
		const wall = Bots.start(server, room, { viewers: 1, decode: 1, seconds: LONG, name: 'wall-', say: JSON.stringify({ type: 'view', view: 'wall' }) });
		await wall.ready;
		await until('an encoder of the wall', async () => await viewEncoders('wall', room) === 1);
		const guest = await Socket.open(server.url);
		await guest.join(room, 'Guest');
		assert.deepEqual((await guest.next('views')).views.map((v) => [v.view, v.for]), [['main', 'everybody'], ['wall', 'request'], ['stage', 'speaker']]);
		for (const [message, code] of [[{ type: 'view', view: 'stage' }, 'not_allowed'], [{ type: 'view', view: 'nothing' }, 'view_unknown'],
			[{ type: 'views', action: 'remove', view: 'wall' }, 'not_allowed'], [{ type: 'view', self_view: 'mirror' }, 'bad_message']])
			assert.equal((await guest.ask(message, 'error')).code, code, JSON.stringify(message));
		guest.send({ type: 'view', view: 'wall' });
		await guest.next('layout', { test: (m) => m.view === 'wall' && m.tiles.length === 1 });
		const w = await finish(wall, room);
		await until('its encoder to go', async () => await viewEncoders('wall', room) === 0);
		const { code, status } = await ask('PUT', room, 'views/more', { for: 'hosts' });
		assert.deepEqual([status, code], [409, 'too_many_views']);
		const wrong = await ask('PUT', room, 'views/wall', { for: 'hosts', layout: 'heap' });
		assert.deepEqual([wrong.status, wrong.code], [400, 'layout_invalid']);
		assert.equal((await ask('GET', room, 'views/wall')).for, 'request', 'as a whole or not at all');
		guest.send({ type: 'leave' });
		const s = await finish(bots, room);
		assertShows(w.participants[0], [pinned], coloursOf(s));
	});

	test('who hides itself does not see itself; only so many may', async () => {
		const room = 'hidden';
		const bots = Bots.start(server, room, { senders: 2, decode: 1, seconds: LONG });
		await bots.ready;
		const shy = Bots.start(server, room, { senders: 1, decode: 1, seconds: LONG, name: 'shy-', say: JSON.stringify({ type: 'view', self_view: 'hide' }) });
		await shy.ready;
		await encodersReach(2, room);
		await until('all tiles', async () => await value('mcu_tiles', room) === 3);
		// One more with a camera sees what all see, until the place is free.
		const late = Bots.start(server, room, { senders: 1, decode: 1, seconds: LONG, name: 'late-', say: JSON.stringify({ type: 'view', self_view: 'hide' }) });
		await late.ready;
		await until('its tile', async () => await value('mcu_tiles', room) === 4);
		assert.equal(await encoders(room), 2);
		const h = await finish(shy, room);
		await until('three tiles', async () => await value('mcu_tiles', room) === 3);
		await encodersReach(2, room);
		const l = await finish(late, room);
		await encodersReach(1, room);
		const s = await finish(bots, room), colours = coloursOf(s);
		assertShows(h.participants[0], [...colours.keys(), l.participants[0].leg], new Map([...colours, [l.participants[0].leg, 0]]));
		assertShows(l.participants[0], [...colours.keys()], colours);
	});

	test('the speaker sees another one in its large tile', async () => {
		const room = 'speaker';
		const bots = Bots.start(server, room, { senders: 3, talkers: 1, decode: 1, seconds: LONG });
		await bots.ready;
		await until('all tiles', async () => await value('mcu_tiles', room) === 3);
		assert.equal(await ask('PUT', room, 'layout', { layout: 'speaker-only' }), 204);
		await encodersReach(2, room);
		await until('two decoders', async () => await value('mcu_video_decoders', room) === 2);
		const s = await finish(bots, room), colours = coloursOf(s);
		const [speaker, ...others] = s.participants;
		for (const p of others)
			assertShows(p, [speaker.leg], colours);
		const [other] = tilesOf(speaker);
		assert.notEqual(other.leg, speaker.leg);
		assertShows(speaker, [other.leg], colours);
	});
});

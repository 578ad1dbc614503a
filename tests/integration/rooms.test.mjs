// Rooms that an administrator registers, where none are made on demand; who may.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server } from '../support/server.mjs';
import { Socket } from '../support/ws.mjs';
import { within } from '../support/variant.mjs';

let server;

function put(room, body, user = `admin:${server.password}`) {
	return fetch(`${server.url}/api/v1/rooms/${encodeURIComponent(room)}`, {
		method: 'PUT', body, headers: user ? { authorization: `Basic ${Buffer.from(user).toString('base64')}` } : {},
	});
}

async function joins(room) {
	const s = await Socket.open(server.url);
	s.send({ type: 'join', room, name: 'Ann' });
	const reply = await s.until('a reply', () => s.messages.find((m) => ['welcome', 'error'].includes(m.type)));
	s.destroy();
	return reply;
}

describe('registered rooms', { timeout: within(60000) }, () => {
	before(async () => { server = await Server.small({ 'room.on_demand': false }); });
	after(() => server.stopFine());

	test('a room that nobody registered is unknown', async () => {
		const m = await joins('physics');
		assert.deepEqual([m.type, m.code], ['error', 'room_unknown']);
		assert.match(m.text, /physics/);
	});

	test('only administrators register rooms', async () => {
		for (const user of [null, 'admin:wrong', `nobody:${server.password}`, 'no colon']) {
			const r = await put('physics', '', user);
			assert.equal(r.status, 401);
			assert.match(r.headers.get('www-authenticate'), /^Basic /);
			assert.equal((await r.json()).code, 'unauthorized');
		}
		assert.equal((await joins('physics')).code, 'room_unknown');
	});

	test('a registered room is joined', async () => {
		const r = await put('physics', '{"title": "물리학"}');
		assert.equal(r.status, 200);
		const row = await r.json();
		assert.deepEqual([row.name, row.title], ['physics', '물리학']);
		assert.equal((await joins('physics')).type, 'welcome');
	});

	test('registering again keeps the title unless another is given', async () => {
		assert.equal((await (await put('physics', '')).json()).title, '물리학');
		assert.equal((await (await put('physics', '{"title": "Physics"}')).json()).title, 'Physics');
	});

	test('what is wrong is said', async () => {
		for (const body of ['[', '[]', '{"title": ', JSON.stringify({ title: 'x'.repeat(1000) })])
			assert.equal((await (await put('physics', body)).json()).code, 'bad_json', body.slice(0, 20));
		assert.equal((await (await put('a b', '')).json()).code, 'room_name_invalid');
	});

	test('the server says its name and version', async () => {
		const info = await (await fetch(`${server.url}/api/v1/server`)).json();
		assert.equal(info.name, 'mcu');
		assert.ok(info.version);
	});
});

// Calls that a room makes: by REST and by a host's message, what hosts and others are
// told, and the records that are left of them. The telephones are SIPp's.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { Sipp } from '../support/sipp.mjs';
import { Socket } from '../support/ws.mjs';

let server, token;

async function ask(method, path, body, auth = token) {
	const r = await fetch(`${server.url}/api/v1/${path}`, {
		method, headers: auth ? { authorization: `Bearer ${auth}` } : {},
		...(body !== undefined && { body: JSON.stringify(body) }),
	});
	const text = await r.text();
	return { status: r.status, ...(text && JSON.parse(text)) };
}

before(async () => {
	server = await Server.small({ 'sip.port': 0, 'sip.dial_in': '+49 89 1234' });
	({ token } = await ask('POST', 'login', { name: 'admin', password: server.password }, null));
	assert.ok(token, server.output());
});

after(() => server?.stopFine());

const record = (call) => until('the record of the call', async () =>
	(await ask('GET', 'calls')).calls.find((c) => c.id === call && c.ended_ms));

describe('a room that calls', () => {
	test('a busy one', async () => {
		const callee = await Sipp.start('called_busy');
		const r = await ask('POST', 'rooms/busy/dial', { to: `sip:ann@127.0.0.1:${callee.port}` });
		assert.deepEqual([r.status, r.state], [202, 'calling'], JSON.stringify(r));
		await until('it to be busy', async () => (await ask('GET', `rooms/busy/dial/${r.call}`)).state === 'busy');
		await callee.fine();
		const row = await record(r.call);
		assert.deepEqual([row.end, row.sip_status, row.answered_ms, row.mos], ['busy', 486, 0, null]);
		assert.equal((await ask('DELETE', `rooms/busy/dial/${r.call}`)).status, 204); // is over
	});

	test('what cannot be called', async () => {
		const refused = async (status, code, body, auth) => {
			const r = await ask('POST', 'rooms/daily/dial', body, auth);
			assert.deepEqual([r.status, r.code ?? r.error?.code], [status, code], JSON.stringify(r));
		};
		await refused(400, 'dial_invalid', { to: 'nobody' });
		await refused(400, 'dial_invalid', { to: 'a@b', digits: 'x' });
		await refused(400, 'bad_json', { to: 'a@b', what: 1 });
		assert.equal((await ask('POST', 'rooms/daily/dial', { to: 'a@b' }, null)).status, 401);
		assert.equal((await ask('GET', 'rooms/daily/dial/4711')).status, 404);
		// who made a room is its host, but has no account
		const s = await Socket.open(server.url);
		await s.join('guests', 'Gus');
		const e = await s.ask({ type: 'dial', to: 'a@127.0.0.1' }, 'error');
		assert.equal(e.code, 'dial_sign_in');
		s.destroy();
	});

	test('how to get here is told', async () => {
		const { dial_in } = await ask('GET', 'server', undefined, null);
		assert.deepEqual(dial_in, { number: '+49 89 1234', domain: '', bridge: 'bridge', dial: 'hosts' });
	});
});

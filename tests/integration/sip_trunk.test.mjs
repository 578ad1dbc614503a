// Telephones' accounts and trunks, between two servers: one is the provider of the other.
// Beside others.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';

const limit = { timeout: within(60000) };
const SIP = { 'sip.port': 0, 'sip.tls_port': -1 };

async function rest(server, method, path, body) {
	const r = await fetch(`${server.url}${path}`, { method,
		headers: { Authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}`,
			'Content-Type': 'application/json' },
		...body && { body: JSON.stringify(body) } });
	const text = await r.text();
	return { status: r.status, body: text ? JSON.parse(text) : null };
}

const trunkOf = async (server, name) =>
	(await rest(server, 'GET', '/api/v1/trunks')).body.trunks.find((t) => t.name === name);
const phonesOf = async (server, user) =>
	(await rest(server, 'GET', `/api/v1/users/${user}/sip`)).body.phones;

describe('a trunk', limit, () => {
	let provider, server, settings, password;
	before(async () => {
		[provider, server] = await Promise.all([Server.small(SIP), Server.small(SIP)]);
		await rest(provider, 'POST', '/api/v1/users', { name: 'office', password: 'a sign-in password', role: 'participant' });
		const r = await rest(provider, 'PUT', '/api/v1/users/office/sip', {});
		assert.equal(r.status, 200);
		password = r.body.password;
		assert.match(password, /^\w{16}$/);
		settings = { uri: `sip:127.0.0.1:${provider.sipPort}`, user: 'office', register: true,
			numbers: [{ number: '+49 30 1', room: 'lecture' }], prefixes: ['0'] };
	});
	after(() => Promise.all([provider?.stop(), server?.stop()]));

	test('a wrong password is told, and the right one registers', async () => {
		const r = await rest(server, 'PUT', '/api/v1/trunks/itsp', { ...settings, password: 'wrong' });
		assert.equal(r.status, 200);
		assert.equal(r.body.name, 'itsp');
		assert.equal(r.body.password, undefined);
		await until('a refusal', async () => (await trunkOf(server, 'itsp')).state === 'failed');
		assert.equal((await trunkOf(server, 'itsp')).status, 401);
		assert.deepEqual(await phonesOf(provider, 'office'), []);
		await until('it in the log', () => /SIP: wrong password from 127\.0\.0\.1 for "office"/.test(provider.log));
		assert.equal((await rest(server, 'PUT', '/api/v1/trunks/itsp', { ...settings, password })).status, 200);
		await until('a registration', async () => (await trunkOf(server, 'itsp')).state === 'registered');
		assert.equal((await phonesOf(provider, 'office')).length, 1);
		assert.equal(await server.value('mcu_sip_trunks_registered'), 1);
	});

	test('settings are checked, and without a password the old one stays', async () => {
		for (const wrong of [{}, { ...settings, uri: 'http://x' }, { ...settings, numbers: [{ number: 'abc' }] },
			{ ...settings, typo: 1 }, { ...settings, addresses: ['host.example'] }, { ...settings, expires_s: 5 }]) {
			const r = await rest(server, 'PUT', '/api/v1/trunks/itsp', wrong);
			assert.equal(r.status, 400, JSON.stringify(wrong));
			assert.equal(r.body.code, 'trunk_invalid');
		}
		const r = await rest(server, 'PUT', '/api/v1/trunks/itsp', { ...settings, caller: '+49301' });
		assert.equal(r.body.caller, '+49301');
		await until('a registration', async () => (await trunkOf(server, 'itsp')).state === 'registered');
	});

	test('registrations outlive the provider\'s restart, and trunks one\'s own', async () => {
		assert.equal((await phonesOf(provider, 'office')).length, 1);
		const { data, sipPort, password: admin } = provider;
		provider.ownData = false;
		await provider.kill();
		provider = await Server.small({ ...SIP, 'sip.port': sipPort }, { data });
		provider.password = admin;
		provider.ownData = true;
		assert.equal((await phonesOf(provider, 'office')).length, 1);
		const mine = server.password;
		server.ownData = false;
		await server.stopFine();
		// it has left
		await until('no telephone', async () => !(await phonesOf(provider, 'office')).length);
		server = await Server.small(SIP, { data: server.data });
		server.password = mine;
		server.ownData = true;
		await until('a registration', async () => (await trunkOf(server, 'itsp')).state === 'registered');
	});

	test('who is gone has no telephones; a trunk that is gone registers no more', async () => {
		await rest(server, 'DELETE', '/api/v1/trunks/itsp');
		assert.equal(await trunkOf(server, 'itsp'), undefined);
		assert.equal((await rest(server, 'DELETE', '/api/v1/trunks/itsp')).status, 404);
		await until('no telephone', async () => !(await phonesOf(provider, 'office')).length);
		assert.equal((await rest(provider, 'DELETE', '/api/v1/users/office')).status, 204);
		assert.equal((await rest(provider, 'PUT', '/api/v1/users/office/sip', {})).status, 404);
	});
});

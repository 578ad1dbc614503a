// Telephones of registered users: digest authentication, and calls to them. Calls out,
// to a telephone of a free make and through a trunk that challenges.
// Beside others.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { Baresip } from '../support/baresip.mjs';
import { Server, until } from '../support/server.mjs';
import { Telephone, gone, legs } from '../support/sip_rig.mjs';
import { freePort } from '../support/ports.mjs';
import { within } from '../support/variant.mjs';

const A = 440, B = 700; // Hz
const PASSWORD = 'a telephone of Ann';
const limit = { timeout: within(120000) };
let server;

const api = (method, path, body) => fetch(`${server.url}/api/v1${path}`, {
	method, headers: { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` },
	...body ? { body: JSON.stringify(body) } : {},
});

async function fine(method, path, body, status = 200) {
	const r = await api(method, path, body);
	const text = await r.text();
	assert.equal(r.status, status, `${method} ${path}: ${text}`);
	return text ? JSON.parse(text) : null;
}

const phones = async () => (await fine('GET', '/users/ann/sip')).phones;
// Whether a request answers the challenge with this password (RFC 2617; SIPp's own
// comparison does not bear quotes around some values and none around others).
function isRight(text, method, password) {
	const line = text.match(/^Proxy-Authorization: Digest (.*)$/m)[1];
	const d = Object.fromEntries([...line.matchAll(/(\w+)=("([^"]*)"|[^, ]+)/g)].map(([, k, bare, quoted]) => [k, quoted ?? bare]));
	const md5 = (...parts) => createHash('md5').update(parts.join(':')).digest('hex');
	return d.response === md5(md5(d.username, d.realm, password), d.nonce, d.nc, d.cnonce, d.qop, md5(method, d.uri));
}

// How a call that the room made stands.
const progress = (room, call, state) => until(`the call to be ${state}`, async () => {
	const c = await fine('GET', `/rooms/${room}/dial/${call}`);
	return c.state === state && c;
}, 30000);

describe('users\' telephones', limit, () => {
	before(async () => {
		server = await Server.small({ 'sip.port': 0, 'room.linger_s': 1 });
		await fine('POST', '/users', { name: 'ann', password: 'not that of the telephone', role: 'participant' }, 201);
		await fine('PUT', '/users/ann/sip', { password: PASSWORD });
	});
	after(() => server.stopFine());

	const register = (password, expires, scenario = 'register', user = 'ann') =>
		Telephone.start(server, scenario, { user, keys: { expires }, args: ['-au', user, '-ap', password] });

	test('the right password registers, and expiry 0 takes it back', async () => {
		await (await register(PASSWORD, 120)).fine();
		await until('one telephone', async () => (await phones()).length === 1);
		await (await register(PASSWORD, 120)).fine();
		await until('two telephones', async () => (await phones()).length === 2);
	});

	test('a wrong password does not, nor does an unknown user', async () => {
		const before = (await phones()).length;
		await (await register('wrong', 60, 'register_wrong')).fine();
		await (await register(PASSWORD, 60, 'register_wrong', 'bob')).fine();
		assert.equal((await phones()).length, before);
	});

	test('baresip registers by TCP, is called by its user\'s name, and unregisters', async () => {
		await fine('DELETE', '/users/ann/sip', null, 204);
		await fine('PUT', '/users/ann/sip', { password: PASSWORD });
		assert.deepEqual(await phones(), []);
		const phone = await Baresip.start({ codec: 'PCMU', hz: B, aor: `sip:ann@127.0.0.1:${server.sipPort};transport=tcp`,
			account: `;regint=60;auth_user=ann;auth_pass="${PASSWORD}"` });
		try {
			await until('one telephone', async () => (await phones()).length === 1);
			const other = await Telephone.call(server, 'home', { hz: A });
			const { call } = await fine('POST', '/rooms/home/dial', { to: `sip:ann@127.0.0.1:${server.sipPort}` }, 202);
			await progress('home', call, 'answered');
			await other.hears({ [A]: false, [B]: true });
			await until('baresip to hear the room', () => phone.hears(A) > -30);
			await fine('DELETE', `/rooms/home/dial/${call}`, null, 204);
			await phone.event('CALL_CLOSED');
			await other.finish();
			await gone(server, 'home');
		} finally {
			await phone.stop();
		}
	});
});

describe('calls out', limit, () => {
	before(async () => { server = await Server.small({ 'sip.port': 0, 'room.linger_s': 1 }); });
	after(() => server.stopFine());

	const room = 'office';
	let here;

	before(async () => { here = await Telephone.call(server, room, { hz: A }); });

	test('to a baresip: both hear each other, and the room hangs up', async () => {
		const phone = await Baresip.start({ name: 'desk', codec: 'opus', hz: B });
		try {
			const { call } = await fine('POST', `/rooms/${room}/dial`, { to: `sip:desk@127.0.0.1:${phone.port}`, name: 'Desk' }, 202);
			await progress(room, call, 'answered');
			await here.hears({ [A]: false, [B]: true });
			await until('baresip to hear the room', () => phone.hears(A) > -30);
			await fine('DELETE', `/rooms/${room}/dial/${call}`, null, 204);
			await phone.event('CALL_CLOSED');
			await legs(server, room, 1);
		} finally {
			await phone.stop();
		}
	});

	test('baresip hangs up', async () => {
		const phone = await Baresip.start({ name: 'desk', codec: 'PCMA', hz: B });
		try {
			const { call } = await fine('POST', `/rooms/${room}/dial`, { to: `sip:desk@127.0.0.1:${phone.port}` }, 202);
			await phone.event('CALL_ESTABLISHED');
			await here.hears({ [B]: true });
			await phone.hangup();
			await legs(server, room, 1);
			await progress(room, call, 'ended').catch(async (e) => {
				assert.equal((await api('GET', `/rooms/${room}/dial/${call}`)).status, 404, e.message);
			});
		} finally {
			await phone.stop();
		}
	});

	test('one that is busy', async () => {
		const t = await Telephone.start(null, 'called_busy');
		const { call } = await fine('POST', `/rooms/${room}/dial`, { to: `sip:x@127.0.0.1:${t.sipp.port}` }, 202);
		await t.fine();
		await progress(room, call, 'busy');
	});

	test('through a trunk that challenges (407), to the number that was asked for', async () => {
		const t = await Telephone.start(null, 'called_challenges', { hz: B, keys: { realm: 'itsp.example' } });
		await fine('PUT', '/trunks/itsp', { uri: `sip:127.0.0.1:${t.sipp.port}`, register: false, user: 'mcu', password: 'trunk secret', prefixes: ['+49'] });
		const { call } = await fine('POST', `/rooms/${room}/dial`, { to: '+49 89 123456' }, 202);
		const invite = await t.sipp.received(/^INVITE sip:\+?4989123456@/, { n: 1 });
		assert.ok(isRight(invite.text, 'INVITE', 'trunk secret'), invite.text);
		await t.answered();
		await progress(room, call, 'answered');
		await here.hears({ [B]: true });
		await t.hears({ [A]: true, [B]: false });
		await fine('DELETE', `/rooms/${room}/dial/${call}`, null, 204);
		await t.fine();
	});

	test('nobody is there', async () => {
		const { call } = await fine('POST', `/rooms/${room}/dial`, { to: `sip:x@127.0.0.1:${await freePort()}` }, 202);
		await progress(room, call, 'failed');
	});

	test('the one who was here hangs up', async () => {
		await here.finish();
		await gone(server, room);
	});
});

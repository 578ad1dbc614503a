// Accounts, rules of rooms, invitations and limits: each rule, role and refusal with
// the words that a person reads, through REST and the WebSocket.
// Beside others.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { Socket } from '../support/ws.mjs';
import { within } from '../support/variant.mjs';

const PASSWORD = 'correct horse battery';
let server, admin;

async function ask(method, path, { token, body, basic, from } = {}) {
	const url = from ? server.url.replace('localhost', from) : server.url;
	const r = await fetch(`${url}/api/v1/${path}`, {
		method, headers: {
			...(token && { authorization: `Bearer ${token}` }),
			...(basic && { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
		},
		...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
	});
	const text = await r.text();
	return { status: r.status, headers: r.headers, ...(text && JSON.parse(text)) };
}

async function signIn(name, password = PASSWORD) {
	const r = await ask('POST', 'login', { body: { name, password } });
	assert.equal(r.status, 200, JSON.stringify(r));
	return r.token;
}

async function makeUser(name, role, more = {}) {
	const r = await ask('POST', 'users', { token: admin, body: { name, role, password: PASSWORD, ...more } });
	assert.equal(r.status, 201, JSON.stringify(r));
	return signIn(name);
}

const room = (name, rules, token = admin) => ask('PUT', `rooms/${encodeURIComponent(name)}`, { token, body: rules });

// A socket that has asked to join, and the first answer.
async function tries(name, more = {}) {
	const s = await Socket.open(server.url);
	s.send({ type: 'join', room: name, name: 'Ann', id: 'j', ...more });
	const answer = await s.until('an answer', () => s.messages.find((m) => ['welcome', 'error', 'lobby'].includes(m.type)));
	return { s, answer };
}

async function outcome(name, more) {
	const { s, answer } = await tries(name, more);
	if (answer.type === 'error' && answer.fatal)
		assert.equal((await s.next('bye')).reason, 'error');
	s.destroy();
	assert.equal(answer.id, 'j');
	return answer;
}

async function refused(name, more, code, text) {
	const m = await outcome(name, more);
	assert.deepEqual([m.type, m.code, m.text], ['error', code, text]);
	return m;
}

async function admitted(name, more, role) {
	const m = await outcome(name, more);
	assert.deepEqual([m.type, m.role], ['welcome', role], JSON.stringify(m));
	return m;
}

describe('accounts', { timeout: within(120000) }, () => {
	before(async () => {
		server = await Server.small({ 'room.linger_s': 2 });
		admin = await signIn('admin', server.password);
	});
	after(() => server.stopFine());

	describe('signing in', () => {
		test('the server says that one can', async () => {
			const r = await ask('GET', 'server');
			assert.equal(r.sign_in, true);
			assert.ok(r.version);
			const doc = await fetch(`${server.url}/api/v1/openapi.yaml`);
			assert.deepEqual([doc.status, doc.headers.get('content-type')], [200, 'application/yaml']);
			assert.match(await doc.text(), /^openapi: 3\.1/);
		});

		test('a token says who one is, and nothing else does', async () => {
			const token = await makeUser('ann', 'host', { display_name: '앤 리' });
			const me = await ask('GET', 'me', { token });
			assert.deepEqual([me.name, me.role, me.display_name], ['ann', 'host', '앤 리']);
			for (const bad of [undefined, '', 'x', token.slice(0, -1), `${token}x`, token.replace('s1.', 's2.'), 'i1.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa']) {
				const r = await ask('GET', 'me', { token: bad });
				assert.equal(r.status, 401, bad);
				assert.ok(['unauthorized', 'token_invalid'].includes(r.code), r.code);
				assert.match(r.text, /[Ss]ign/);
			}
			// Names and passwords are for signing in, but for administrators' scripts.
			assert.equal((await ask('GET', 'me', { basic: `ann:${PASSWORD}` })).status, 401);
			assert.equal((await ask('GET', 'me', { basic: `admin:${server.password}` })).name, 'admin');
			assert.ok(!(await fetch(`${server.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).headers.get('set-cookie'));
		});

		test('no other page may ask in somebody\'s name', async () => {
			const r = await fetch(`${server.url}/api/v1/me`, { headers: { origin: 'https://evil.example', authorization: `Bearer ${admin}` } });
			assert.equal(r.headers.get('access-control-allow-origin'), null);
		});

		test('a sign-out ends every sign-in', async () => {
			const [one, two] = [await signIn('ann'), await signIn('ann')];
			assert.equal((await ask('POST', 'logout', { token: one })).status, 204);
			for (const token of [one, two]) {
				const r = await ask('GET', 'me', { token });
				assert.deepEqual([r.status, r.code, r.text], [401, 'token_invalid', 'You are not signed in any more. Sign in again.']);
			}
		});

		test('a new password or role ends them too', async () => {
			const one = await signIn('ann');
			assert.equal((await ask('PUT', 'users/ann', { token: admin, body: { display_name: 'Ann' } })).status, 200);
			assert.equal((await ask('GET', 'me', { token: one })).display_name, 'Ann');
			assert.equal((await ask('PUT', 'users/ann', { token: admin, body: { role: 'participant' } })).role, 'participant');
			assert.equal((await ask('GET', 'me', { token: one })).status, 401);
			const two = await signIn('ann');
			const wrong = await ask('PUT', 'me/password', { token: two, body: { old_password: 'not it', password: 'something new' } });
			assert.deepEqual([wrong.status, wrong.code], [401, 'sign_in_wrong']);
			const changed = await ask('PUT', 'me/password', { token: two, body: { old_password: PASSWORD, password: 'something new' } });
			assert.equal(changed.status, 200);
			assert.equal((await ask('GET', 'me', { token: two })).status, 401);
			assert.equal((await ask('GET', 'me', { token: changed.token })).name, 'ann');
			assert.equal((await ask('POST', 'login', { body: { name: 'ann', password: PASSWORD } })).status, 401);
			await ask('PUT', 'users/ann', { token: admin, body: { role: 'host', password: PASSWORD } });
		});

		test('what is wrong is said', async () => {
			const wrong = await ask('POST', 'login', { body: { name: 'ann', password: 'wrong one' } });
			assert.deepEqual([wrong.status, wrong.code, wrong.text], [401, 'sign_in_wrong', 'Name or password is wrong.']);
			const nobody = await ask('POST', 'login', { body: { name: 'nobody at all', password: 'wrong one' } });
			assert.deepEqual([nobody.status, nobody.code, nobody.text], [401, 'sign_in_wrong', 'Name or password is wrong.']);
			for (const [body, says] of [
				['[', /must be a JSON object/], ['[]', /must be a JSON object/], [{}, /"name" is missing/],
				[{ name: 'a' }, /"password" is missing/], [{ name: 1, password: 'x' }, /"name" must be a text/],
				[{ name: 'a', password: 'x', admin: true }, /"admin" is not known here/],
				[{ name: 'a', password: 'x'.repeat(257) }, /"password" must have 1 to 256/],
				['{"name":"a\\u0000b","password":"x"}', /"name"/],
			]) {
				const r = await ask('POST', 'login', { body });
				assert.deepEqual([r.status, r.code], [400, 'bad_json'], JSON.stringify(body));
				assert.match(r.text, says);
			}
		});
	});

	describe('users', () => {
		test('only administrators deal with them', async () => {
			const host = await makeUser('bo', 'host');
			for (const [method, path, body] of [['GET', 'users'], ['POST', 'users', { name: 'x', password: PASSWORD, role: 'admin' }],
				['PUT', 'users/bo', { role: 'admin' }], ['DELETE', 'users/admin'], ['GET', 'audit'], ['GET', 'recording-cleanup']]) {
				const r = await ask(method, path, { token: host, body });
				assert.deepEqual([r.status, r.code, r.text], [403, 'not_allowed', 'Only an administrator may do that.'], path);
				assert.equal((await ask(method, path, { body })).status, 401);
			}
			assert.equal((await ask('GET', 'me', { token: host })).role, 'host');
		});

		test('names are names, whatever is in them', async () => {
			const names = ["o'neil", "Robert'); DROP TABLE users;--", '" OR 1=1 --', '지민 🎉', '%s%n', '...', 'a&b=c;d+e'];
			for (const name of names) {
				const token = await makeUser(name, 'participant');
				assert.equal((await ask('GET', 'me', { token })).name, name);
				assert.equal((await ask('PUT', `users/${encodeURIComponent(name)}`, { token: admin, body: { display_name: 'X' } })).display_name, 'X');
			}
			const { users } = await ask('GET', 'users', { token: admin });
			for (const name of names)
				assert.ok(users.some((u) => u.name === name));
			assert.ok(!JSON.stringify(users).includes('argon2'));
			for (const name of names)
				assert.equal((await ask('DELETE', `users/${encodeURIComponent(name)}`, { token: admin })).status, 204);
			assert.equal((await ask('DELETE', `users/${encodeURIComponent(names[0])}`, { token: admin })).code, 'user_unknown');
		});

		test('the last administrator stays', async () => {
			for (const r of [await ask('DELETE', 'users/admin', { token: admin }), await ask('PUT', 'users/admin', { token: admin, body: { role: 'host' } })])
				assert.deepEqual([r.status, r.code, r.text], [409, 'last_admin', '"admin" is the last administrator. Make another one first.']);
			assert.equal((await ask('GET', 'me', { token: admin })).role, 'admin');
		});

		test('what is wrong is said', async () => {
			const user = { name: 'cy', password: PASSWORD, role: 'host' };
			for (const [change, code, says] of [
				[{ name: 'a:b' }, 'name_invalid', /none of :/], [{ name: '../etc' }, 'name_invalid', /none of :/], [{ name: '..' }, 'name_invalid', /none of :/], [{ name: ' a' }, 'name_invalid', /no blank/],
				[{ password: 'short' }, 'bad_json', /"password" must have 8 to 256/], [{ role: 'root' }, 'bad_json', /"admin", "host"/],
				[{ display_name: 'a\u202eb' }, 'bad_json', /"display_name"/], [{ name: 'bo' }, 'user_exists', /"bo"/],
			]) {
				const r = await ask('POST', 'users', { token: admin, body: { ...user, ...change } });
				assert.equal(r.code, code, JSON.stringify(change));
				assert.match(r.text, says);
			}
		});
	});

	test('a page of somebody else cannot use a password that the browser keeps', async () => {
		const headers = { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}`, origin: 'https://evil.example' };
		const evil = { name: 'evil', password: PASSWORD, role: 'admin' };
		const r = await fetch(`${server.url}/api/v1/users`, { method: 'POST', headers, body: JSON.stringify(evil) });
		assert.equal(r.status, 401);
	});

	describe('rooms', () => {
		test('nobody registers a room that others are in', async () => {
			const taker = await makeUser('taker', 'host');
			const { s } = await tries('adhoc');
			const no = await room('adhoc', {}, taker);
			assert.deepEqual([no.status, no.code], [409, 'room_in_use']);
			assert.match(no.text, /Register it when they have left/);
			s.destroy();
		});

		let host, other, guest;
		before(async () => {
			[host, other, guest] = [await makeUser('holly', 'host'), await makeUser('otto', 'host'), await makeUser('gus', 'participant')];
		});

		test('belong to who registered them', async () => {
			const r = await room('physics', { title: '물리학', lobby: true, guest_pin: '2468', max_participants: 7 }, host);
			assert.equal(r.status, 200);
			assert.deepEqual([r.name, r.title, r.owner, r.lobby, r.guest_pin, r.host_pin, r.unmute, r.max_participants, r.record],
				['physics', '물리학', 'holly', true, true, false, true, 7, 'hosts']);
			assert.equal((await room('physics', {}, guest)).code, 'not_allowed');
			assert.equal((await room('physics', { lobby: false }, other)).text, 'This room belongs to somebody else.');
			for (const [method, path] of [['GET', 'rooms/physics'], ['DELETE', 'rooms/physics'], ['GET', 'rooms/physics/invitations'], ['GET', 'rooms/nowhere']])
				assert.deepEqual((({ status, code }) => [status, code])(await ask(method, path, { token: other })), [403, 'not_allowed'], path);
			assert.deepEqual((await ask('GET', 'rooms', { token: host })).rooms.map((x) => x.name), ['physics']);
			assert.deepEqual((await ask('GET', 'rooms', { token: other })).rooms, []);
			assert.ok((await ask('GET', 'rooms', { token: admin })).rooms.some((x) => x.name === 'physics'));
			// What is not said stays.
			const again = await room('physics', { locked: true }, host);
			assert.deepEqual([again.title, again.lobby, again.guest_pin, again.locked], ['물리학', true, true, true]);
			assert.equal((await room('physics', { owner: 'otto' }, host)).code, 'not_allowed');
			assert.equal((await room('physics', { owner: 'otto' })).owner, 'otto');
			assert.equal((await ask('GET', 'rooms/physics', { token: host })).status, 403);
			assert.equal((await ask('DELETE', 'rooms/physics', { token: other })).status, 204);
			assert.equal((await ask('GET', 'rooms/physics', { token: admin })).code, 'room_unknown');
			await admitted('physics', {}, 'host'); // one of those made on demand again
		});

		test('what is wrong is said', async () => {
			for (const [rules, says] of [[{ guest_pin: '123' }, /4 to 64/], [{ host_pin: 'with blank' }, /4 to 64/], [{ record: 'me' }, /"hosts"/],
				[{ lobby: 'yes' }, /"lobby" must be true or false/], [{ max_participants: -1 }, /0 to 10000/], [{ owner: 'nobody at all' }, /name of a user/], [{ loby: true }, /"loby" is not known/]]) {
				const r = await room('x', rules);
				assert.equal(r.status, 400, JSON.stringify(rules));
				assert.match(r.text, says);
			}
			assert.equal((await room('a b', {})).code, 'room_name_invalid');
		});

		test('members only', async () => {
			await room('members', { members_only: true });
			await refused('members', {}, 'members_only', 'This room is for people with an account or an invitation. Sign in, or ask for an invitation.');
			await admitted('members', { token: guest }, 'participant');
			await admitted('members', { token: admin }, 'host');
			await refused('members', { token: 's1.forged' }, 'token_invalid', 'You are not signed in any more. Sign in again.');
		});

		test('PINs for guests and hosts', async () => {
			await room('pins', { guest_pin: '1234', host_pin: '9999' }, host);
			const m = await refused('pins', {}, 'pin_required', 'This room asks for a PIN. Enter the one you were given.');
			assert.equal(m.fatal, false);
			await refused('pins', { pin: '4321' }, 'pin_wrong', 'That PIN is wrong. Check it and try again.');
			await admitted('pins', { pin: '1234' }, 'participant');
			await admitted('pins', { pin: '9999' }, 'host');
			await admitted('pins', { token: guest }, 'participant');
			await admitted('pins', { token: host }, 'host');
			// And on the same connection, after a wrong one.
			const { s } = await tries('pins');
			s.send({ type: 'join', room: 'pins', name: 'Ann', pin: '1234' });
			await s.next('welcome');
			s.destroy();
			assert.ok(!readFileSync(join(server.data, 'mcu.db'), 'latin1').includes('"1234"'));
		});

		test('a lobby', async () => {
			await room('lobby', { lobby: true }, host);
			const boss = await Socket.open(server.url);
			const waits = await tries('lobby', { name: 'Wim', token: guest });
			assert.deepEqual([waits.answer.type, waits.answer.text], ['lobby', 'A host will let you in. Please wait.']);
			await boss.join('lobby', 'Boss', { token: host });
			const { people } = await boss.next('waiting');
			assert.deepEqual(people.map((p) => p.name), ['Wim']);
			boss.send({ type: 'admit', waiting: people[0].waiting, allow: true });
			assert.equal((await waits.s.next('welcome')).id, 'j');
			const out = await tries('lobby', { name: 'Eve' });
			boss.send({ type: 'admit', allow: false });
			const e = await out.s.next('error');
			assert.deepEqual([e.code, e.text, e.fatal, e.id], ['refused', 'A host has not let you in.', true, 'j']);
			await out.s.end();
			for (const s of [boss, waits.s])
				s.destroy();
		});

		test('locked, with a place for those who come back', async () => {
			await room('locked', {}, host);
			const boss = await Socket.open(server.url);
			await boss.join('locked', 'Boss', { token: host });
			const first = await tries('locked', { name: 'Bea' });
			boss.send({ type: 'policy', locked: true });
			assert.equal((await boss.next('room')).locked, true);
			const m = await refused('locked', {}, 'room_locked', 'The room is locked: nobody new is let in. Ask a host to unlock it.');
			assert.equal(m.fatal, true);
			first.s.destroy();
			await boss.next('left');
			await admitted('locked', { resume: first.answer.resume }, 'participant');
			await refused('locked', { resume: first.answer.resume }, 'room_locked', m.text); // used up
			boss.destroy();
		});

		test('a number of people', async () => {
			await room('small', { max_participants: 1 }, host);
			const one = await tries('small');
			await refused('small', {}, 'room_full', 'The room is full: 1 people are in it. Try again when somebody has left.');
			one.s.destroy();
		});

		test('new rules reach those who are in it', async () => {
			const { s, answer } = await tries('small', { token: host });
			assert.equal(answer.room_policy.unmute, true);
			await room('small', { unmute: false, record: 'all', stereo: true }, host);
			const r = await s.next('room');
			assert.deepEqual([r.unmute, r.record, r.stereo], [false, 'all', false]);
			s.destroy();
			// The number of channels is for the life of a room.
			await room('wide', { stereo: true }, host);
			assert.equal((await admitted('wide', {}, 'participant')).room_policy.stereo, true);
		});

		test('the legs of a room, for those who run it', async () => {
			await room('legs', {}, host);
			const [one, two] = [await tries('legs', { name: '지민' }), await tries('legs', { token: guest, name: 'Gus' })];
			for (const token of [host, admin]) {
				const { legs } = await ask('GET', 'rooms/legs/legs', { token });
				assert.deepEqual(legs.map((l) => [l.name, l.role, l.signed_in, l.connected]), [['지민', 'participant', false, false], ['Gus', 'participant', true, false]]);
				assert.match(legs[0].address, /127\.0\.0\.1|::1/);
				assert.deepEqual([legs[0].score, legs[0].uplink.video.codec, legs[0].downlink.audio.packets, legs[0].tile], [5, null, 0, null]);
			}
			assert.equal((await ask('GET', 'rooms/legs/legs', { token: other })).code, 'not_allowed');
			assert.equal((await ask('GET', 'rooms/legs/legs')).status, 401);
			// Who hosts a room that is not registered may see it too.
			const maker = await tries('unregistered', { token: other });
			assert.equal((await ask('GET', 'rooms/unregistered/legs', { token: other })).legs.length, 1);
			assert.equal((await ask('GET', 'rooms/unregistered/legs', { token: host })).code, 'not_allowed');
			// So they may set the layout.
			for (const [token, status] of [[host, 204], [admin, 204], [other, 403], [undefined, 401]])
				assert.equal((await ask('PUT', 'rooms/legs/layout', { token, body: { layout: 'speaker' } })).status, status);
			assert.equal((await ask('PUT', 'rooms/unregistered/layout', { token: other, body: { layout: 'lecture' } })).status, 204);
			for (const { s } of [one, two, maker])
				s.destroy();
		});

		test('who may record', async () => {
			for (const [record, role, code] of [['nobody', 'host', 'not_allowed'], ['hosts', 'participant', 'not_allowed'], ['hosts', 'host', null], ['all', 'participant', null]]) {
				await room('rec', { record }, host);
				const { s } = await tries('rec', role === 'host' ? { token: host } : {});
				s.send({ type: 'record', action: 'stop', id: 'r' });
				const e = await s.next('error');
				assert.equal(e.code, code ?? 'not_recording', `${record} ${role}`);
				if (code)
					assert.equal(e.text, record === 'nobody' ? 'Nobody may record this room.' : 'Only hosts may record this room. Ask one of them.');
				s.destroy();
			}
		});
	});

	describe('invitations', () => {
		let host;
		const invite = (body, token = host) => ask('POST', 'rooms/club/invitations', { token, body });
		before(async () => {
			host = await makeUser('ida', 'host');
			await room('club', { members_only: true, guest_pin: '1234' }, host);
		});

		test('let people in, as what they say', async () => {
			const one = await invite({ role: 'participant' });
			assert.equal(one.status, 201);
			assert.equal(one.url, `/?room=club&invite=${one.token}`);
			assert.ok(Math.abs(one.expires_at - Date.now() - 7 * 86400000) < 60000);
			await admitted('club', { token: one.token }, 'participant');
			await admitted('club', { token: (await invite({ role: 'host' })).token }, 'host');
			const { invitations } = await ask('GET', 'rooms/club/invitations', { token: host });
			assert.deepEqual(invitations.map((i) => [i.role, i.made_by, i.uses_left]), [['participant', 'ida', null], ['host', 'ida', null]]);
			assert.ok(!JSON.stringify(invitations).includes(one.token));
			const db = readFileSync(join(server.data, 'mcu.db'), 'latin1') + readFileSync(join(server.data, 'mcu.db-wal'), 'latin1');
			assert.ok(!db.includes(one.token));
		});

		test('so many times', async () => {
			const { token } = await invite({ role: 'participant', uses: 1 });
			const { s, answer } = await tries('club', { token });
			assert.equal(answer.type, 'welcome');
			await refused('club', { token }, 'token_invalid', 'This invitation is not valid here, or was used up. Ask for another one.');
			s.destroy();
			await admitted('club', { token, resume: answer.resume }, 'participant'); // a reload
		});

		test('a use that came to nothing is given back', async () => {
			const { token } = await invite({ role: 'participant', uses: 1 });
			await room('club', { locked: true }, host);
			await refused('club', { token }, 'room_locked', 'The room is locked: nobody new is let in. Ask a host to unlock it.');
			await room('club', { locked: false }, host);
			await admitted('club', { token }, 'participant');
		});

		test('for a time', async () => {
			const { token, id } = await invite({ role: 'participant', expires_s: 60 });
			execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(server.data, 'mcu.db'), `UPDATE invitations SET expires_ms = 1 WHERE id = ${Number(id)}`]);
			await refused('club', { token }, 'token_expired', 'This invitation has expired. Ask for another one.');
		});

		test('to one room, until they are taken back', async () => {
			const { token, id } = await invite({ role: 'participant' });
			await room('other', { members_only: true }, host);
			await refused('other', { token }, 'token_invalid', 'This invitation is not valid here, or was used up. Ask for another one.');
			assert.equal((await ask('DELETE', `rooms/other/invitations/${id}`, { token: host })).status, 404);
			assert.equal((await ask('DELETE', `rooms/club/invitations/${id}`, { token: host })).status, 204);
			await refused('club', { token }, 'token_invalid', 'This invitation is not valid here, or was used up. Ask for another one.');
		});

		test('are made by the owner', async () => {
			const other = await makeUser('jo', 'host');
			assert.equal((await invite({ role: 'host' }, other)).code, 'not_allowed');
			assert.equal((await ask('POST', 'rooms/nowhere/invitations', { token: admin, body: { role: 'host' } })).code, 'room_unknown');
			for (const body of [{}, { role: 'admin' }, { role: 'host', uses: 0 }, { role: 'host', expires_s: 1 }])
				assert.equal((await invite(body)).code, 'bad_json');
		});
	});

	describe('in the room', () => {
		test('chat, hands, muting and removing', async () => {
			const [a, b] = [await Socket.open(server.url), await Socket.open(server.url)];
			const host = await a.join('talk', 'Ann');
			const other = await b.join('talk', 'Bo');
			assert.deepEqual([host.role, other.role], ['host', 'participant']);
			assert.deepEqual(other.participants.map((p) => [p.name, p.role, p.hand]), [['Ann', 'host', false], ['Bo', 'participant', false]]);
			b.send({ type: 'chat', text: 'a <b>&\n"quoted" 👋' });
			const heard = await a.next('chat');
			assert.deepEqual([heard.leg, heard.name, heard.text, heard.history], [other.leg, 'Bo', 'a <b>&\n"quoted" 👋', undefined]);
			assert.ok(Math.abs(heard.at - Date.now()) < 60000);
			b.send({ type: 'hand', raised: true });
			assert.deepEqual((({ leg, raised }) => [leg, raised])(await a.next('hand')), [other.leg, true]);
			b.send({ type: 'moderate', action: 'mute' });
			const e = await b.next('error');
			assert.deepEqual([e.code, e.text, e.fatal], ['not_allowed', 'Only a host of this room may do that.', false]);
			a.send({ type: 'moderate', action: 'mute', leg: other.leg });
			const m = await b.next('muted');
			assert.deepEqual([m.leg, m.audio, m.by], [other.leg, true, host.leg]);
			const late = await tries('talk');
			assert.deepEqual(late.answer.participants.map((p) => [p.audio_muted, p.hand]), [[false, false], [true, true], [false, false]]);
			assert.equal((await late.s.next('chat')).history, true);
			a.send({ type: 'moderate', action: 'remove', leg: other.leg });
			const k = await b.next('error', { test: (x) => x.fatal });
			assert.deepEqual([k.code, k.text], ['kicked', 'A host has removed you from the room.']);
			assert.equal((await b.next('bye')).reason, 'kicked');
			await b.end();
			assert.equal((await a.next('left')).reason, 'kicked');
			a.destroy();
			late.s.destroy();
			const rows = () => execFileSync('sqlite3', ['-readonly', join(server.data, 'mcu.db'), 'SELECT name, text FROM chat'], { encoding: 'utf8' });
			await until('the message to be in the registry', () => /Bo\|a <b>/.test(rows()));
		});
	});

	describe('what happened', () => {
		test('is written down, without secrets', async () => {
			const { audit } = await ask('GET', 'audit', { token: admin });
			const actions = new Set(audit.map((a) => a.action));
			for (const action of ['sign_in', 'sign_in_failed', 'sign_out', 'password_changed', 'user_made', 'user_changed', 'user_deleted', 'room_changed', 'room_deleted', 'room_rules_changed', 'invitation_made', 'invitation_deleted', 'pin_wrong', 'removed'])
				assert.ok(actions.has(action), action);
			const failed = audit.find((a) => a.action === 'sign_in_failed');
			assert.match(failed.address, /^127\.0\.0\.1|::1/);
			assert.ok(audit[0].at >= audit.at(-1).at);
			const next = (await ask('GET', `audit?before=${audit[5].id}`, { token: admin })).audit;
			assert.equal(next[0].id, audit[6].id);
			const text = JSON.stringify(audit) + server.log + server.output();
			for (const secret of [PASSWORD, 'wrong one', admin, '"1234"', 'i1.'])
				assert.ok(!text.includes(secret), secret);
		});

		test('the key is the server\'s alone', () => {
			assert.equal(statSync(join(server.data, 'secret.key')).mode & 0o777, 0o600);
		});
	});

	// The last ones: they block this address for a minute.
	describe('guessing', () => {
		test('PINs ends soon, for the right one too', async () => {
			await room('vault', { guest_pin: '4711', host_pin: '0815' });
			const codes = [];
			for (let i = 0; i < 12; i++)
				codes.push((await outcome('vault', { pin: String(1000 + i) })).code);
			assert.deepEqual(codes.slice(0, 10), Array(10).fill('pin_wrong'));
			await refused('vault', { pin: '4711' }, 'rate_limited', 'Too many wrong PINs were tried from your network. Wait a minute, then try again.');
			await refused('vault', { pin: '0815' }, 'rate_limited', 'Too many wrong PINs were tried from your network. Wait a minute, then try again.');
			await room('elsewhere', { guest_pin: '4711' });
			await admitted('elsewhere', { pin: '4711' }, 'participant');
		});

		test('tokens ends soon', async () => {
			let r;
			for (let i = 0; i < 25; i++)
				r = await ask('GET', 'me', { token: `s1.${i}` });
			assert.deepEqual([r.status, r.code, r.text], [429, 'rate_limited', 'Too many wrong attempts. Wait a minute, then try again.']);
			assert.ok(Number(r.headers.get('retry-after')) > 0);
			assert.equal((await outcome('elsewhere', { token: 's1.x' })).code, 'rate_limited');
		});

		test('passwords ends soon, for the right one too', async () => {
			let r;
			for (let i = 0; i < 12; i++)
				r = await ask('POST', 'login', { body: { name: 'bo', password: `guess ${i}` } });
			assert.deepEqual([r.status, r.code], [429, 'rate_limited']);
			assert.ok(Number(r.headers.get('retry-after')) > 0);
			assert.equal((await ask('POST', 'login', { body: { name: 'bo', password: PASSWORD } })).status, 429);
			assert.equal((await ask('GET', 'recordings', { basic: `admin:${server.password}` })).status, 429);
		});
	});
});

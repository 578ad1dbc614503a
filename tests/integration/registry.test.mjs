// The registry as an operator and programs see it: backup and restore, a damaged database,
// tokens of programs.
// Beside others.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Bots } from '../support/bots.mjs';
import { Server, bin, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const limit = { timeout: within(120000) };
const PASSWORD = 'correct horse battery';
let folder, server, admin;

before(() => { folder = mkdtempSync(join(tmpdir(), 'mcu-registry-')); });
after(() => rmSync(folder, { recursive: true }));

async function ask(method, path, { token, body, basic } = {}) {
	const r = await fetch(`${server.url}/api/v1/${path}`, {
		method, headers: {
			...(token && { authorization: `Bearer ${token}` }),
			...(basic && { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
		},
		...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
	});
	const text = await r.text();
	return { status: r.status, ...(text && JSON.parse(text)) };
}

const sql = (text) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(server.data, 'mcu.db'), text]);

async function signIn(name, password = PASSWORD) {
	const r = await ask('POST', 'login', { body: { name, password } });
	assert.equal(r.status, 200, JSON.stringify(r));
	return r.token;
}

async function makeToken(scopes, more = {}, token = admin) {
	const r = await ask('POST', 'tokens', { token, body: { name: 'a program', scopes, ...more } });
	assert.equal(r.status, 201, JSON.stringify(r));
	return r;
}

// The program with a command; it ends by itself.
const run = (data, ...args) => new Promise((resolve) => execFile(bin, [...args, '--set', `data.path=${data}`],
	{ cwd: folder, timeout: within(30000) }, (e, stdout, stderr) => resolve({ code: e ? e.code : 0, stdout, stderr })));

describe('backup and restore', limit, () => {
	test('a copy of the running server comes back after its loss', async () => {
		const data = join(folder, 'data'), copy = join(folder, 'copy.db'), list = join(folder, 'list');
		server = await Server.small({}, { data });
		const { password } = server;
		admin = await signIn('admin', password);
		for (const name of ['physics', 'chemistry'])
			assert.equal((await ask('PUT', `rooms/${name}`, { token: admin, body: { title: name, guest_pin: '2468' } })).status, 200);
		let r = await run(data, 'backup', copy, '--manifest', list);
		assert.deepEqual([r.code, r.stderr], [0, '']);
		assert.match(r.stdout, /1 users, 2 rooms and 0 recordings/);
		assert.equal(readFileSync(list, 'utf8'), '');
		assert.equal((await ask('PUT', 'rooms/later', { token: admin, body: {} })).status, 200);
		// while it runs nothing is put in its place
		r = await run(data, 'restore', copy);
		assert.equal(r.code, 1);
		assert.match(r.stderr, /Another server is running/);
		await server.stopFine();

		const bytes = readFileSync(join(data, 'mcu.db'));
		bytes.fill(0xa5, 4096);
		writeFileSync(join(data, 'mcu.db'), bytes);
		r = await run(data, '--set', 'http.port=0', '--set', 'https.port=-1', '--set', 'sip.port=-1');
		assert.equal(r.code, 1, r.stdout);
		assert.match(r.stderr, /mcu\.db is damaged .*mcu restore FILE/);
		assert.deepEqual(readFileSync(join(data, 'mcu.db')), bytes);

		r = await run(data, 'restore', copy);
		assert.deepEqual([r.code, r.stderr], [0, '']);
		const kept = readdirSync(data).filter((f) => f.startsWith('mcu.db.before-'));
		assert.equal(kept.length, 1, kept.join());
		assert.deepEqual(readFileSync(join(data, kept[0])), bytes);
		server = await Server.small({}, { data });
		assert.equal(server.password, undefined); // not a first start
		admin = await signIn('admin', password);
		const { rooms } = await ask('GET', 'rooms', { token: admin });
		assert.deepEqual(rooms.map((x) => [x.name, x.guest_pin]), [['chemistry', true], ['physics', true]]);
		// the PIN holds: the key is the one of before
		const s = await Socket.open(server.url);
		s.send({ type: 'join', room: 'physics', name: 'Ann', id: 'j', pin: '2468' });
		await s.until('welcome', () => s.messages.find((m) => m.type === 'welcome'));
		s.destroy();
		await server.stopFine();
	});

	test('what cannot be is said in a sentence, and nothing is made', async () => {
		const nowhere = join(folder, 'nowhere');
		let r = await run(nowhere, 'backup', join(folder, 'x.db'));
		assert.equal(r.code, 1);
		assert.match(r.stderr, /There is no database .*nowhere\/mcu\.db/);
		assert.ok(!existsSync(join(folder, 'x.db')));
		writeFileSync(join(folder, 'text'), 'no database at all');
		r = await run(join(folder, 'data'), 'restore', join(folder, 'text'));
		assert.equal(r.code, 1);
		assert.match(r.stderr, /is damaged, or no database/);
		r = await run(join(folder, 'data'), 'backup');
		assert.equal(r.code, 2);
		assert.match(r.stderr, /a file name must follow/);
	});
});

describe('tokens of programs', limit, () => {
	before(async () => {
		server = await Server.small({ 'room.linger_s': 1 });
		admin = await signIn('admin', server.password);
		for (const [name, role] of [['hana', 'host'], ['paul', 'participant']])
			assert.equal((await ask('POST', 'users', { token: admin, body: { name, role, password: PASSWORD } })).status, 201);
	});
	after(() => server.stopFine());

	test('one is shown once, and does what its scopes say', async () => {
		const made = await makeToken(['rooms:read', 'users:*']);
		assert.match(made.token, /^a1\.[\w-]{32}$/);
		assert.deepEqual(made.scopes, ['rooms:read', 'users:read', 'users:write']);
		assert.deepEqual([made.user, made.expires_at, made.used_ms], ['admin', null, null]);
		const { token } = made;
		assert.equal((await ask('GET', 'rooms', { token })).status, 200);
		assert.equal((await ask('GET', 'users', { token })).status, 200);
		assert.equal((await ask('GET', 'me', { token })).name, 'admin');
		for (const [method, path, scope] of [['PUT', 'rooms/x', 'rooms:write'], ['GET', 'audit', 'server:read'],
			['GET', 'recordings', 'recordings:read'], ['GET', 'calls', 'calls:read']]) {
			const r = await ask(method, path, { token, ...(method === 'PUT' && { body: {} }) });
			assert.deepEqual([r.status, r.code], [403, 'scope_missing'], path);
			assert.ok(r.text.includes(`"${scope}"`), r.text);
		}
		// never to make others, or to keep the account to itself
		for (const [method, path, body] of [['GET', 'tokens'], ['POST', 'tokens', { name: 'x', scopes: ['*'] }], ['DELETE', 'tokens/1'],
			['POST', 'logout'], ['PUT', 'me/password', { old_password: 'x', password: 'longer than that' }]]) {
			const r = await ask(method, path, { token, body });
			assert.deepEqual([r.status, r.code], [403, 'scope_missing'], path);
		}
		const { tokens } = await ask('GET', 'tokens', { token: admin });
		const listed = tokens.find((t) => t.id === made.id);
		assert.ok(listed.used_ms > 0);
		assert.ok(!('token' in listed) && !JSON.stringify(tokens).includes(token));
		const { audit } = await ask('GET', 'audit', { token: admin });
		assert.ok(audit.some((a) => a.action === 'token_made' && a.detail === 'a program'));
		// and it is nowhere on the disk
		for (const f of readdirSync(server.data).filter((x) => x.startsWith('mcu.db')))
			assert.ok(!readFileSync(join(server.data, f)).includes(token.slice(3)), f);
	});

	test('a revoked one, one of a deleted user, and one that never was', async () => {
		const { token, id } = await makeToken(['rooms:read']);
		assert.equal((await ask('DELETE', `tokens/${id}`, { token: admin })).status, 204);
		assert.equal((await ask('DELETE', `tokens/${id}`, { token: admin })).status, 404);
		let r = await ask('GET', 'rooms', { token });
		assert.deepEqual([r.status, r.code, r.text], [401, 'token_invalid', 'There is no such API token, or it was revoked.']);
		r = await ask('GET', 'rooms', { token: `a1.${'A'.repeat(32)}` });
		assert.equal(r.status, 401);
		assert.equal((await ask('POST', 'users', { token: admin, body: { name: 'gone', role: 'host', password: PASSWORD } })).status, 201);
		const own = await makeToken(['*'], {}, await signIn('gone'));
		assert.equal((await ask('GET', 'me', { token: own.token })).name, 'gone');
		assert.equal((await ask('DELETE', 'users/gone', { token: admin })).status, 204);
		assert.equal((await ask('GET', 'me', { token: own.token })).status, 401);
	});

	test('one that has expired', async () => {
		const { token, id, expires_at } = await makeToken(['rooms:read'], { expires_days: 1 });
		assert.ok(Math.abs(expires_at - Date.now() - 86400000) < 60000);
		assert.equal((await ask('GET', 'rooms', { token })).status, 200);
		sql(`UPDATE api_tokens SET expires_ms = 5 WHERE id = ${id}`);
		assert.deepEqual(await ask('GET', 'rooms', { token }), { status: 401, code: 'token_expired', text: 'This API token has expired. Make another one.' });
	});

	test('it gives no more than the account has; others see only their own', async () => {
		const paul = await signIn('paul'), hana = await signIn('hana');
		const { token } = await makeToken(['*'], { expires_days: 7 }, paul);
		assert.equal((await ask('GET', 'users', { token })).code, 'not_allowed');
		assert.equal((await ask('PUT', 'rooms/paul', { token, body: {} })).code, 'not_allowed');
		const mine = await makeToken(['rooms:*'], {}, hana);
		assert.equal((await ask('PUT', 'rooms/hana', { token: mine.token, body: {} })).status, 200);
		assert.deepEqual((await ask('GET', 'tokens', { token: hana })).tokens.map((t) => t.id), [mine.id]);
		assert.equal((await ask('DELETE', `tokens/${mine.id}`, { token: paul })).status, 404);
		assert.equal((await ask('DELETE', `tokens/${mine.id}`, { token: admin })).status, 204);
	});

	test('with the scope to join it is its user, without it nobody', async () => {
		const join = async (token) => {
			const s = await Socket.open(server.url);
			s.send({ type: 'join', room: 'hanas', name: 'robot', id: 'j', token });
			const m = await s.until('an answer', () => s.messages.find((x) => ['welcome', 'error'].includes(x.type)));
			s.destroy();
			return m;
		};
		const hana = await signIn('hana');
		assert.equal((await ask('PUT', 'rooms/hanas', { token: hana, body: { members_only: true } })).status, 200);
		const with_ = await makeToken(['join'], {}, hana), without = await makeToken(['rooms:*'], {}, hana);
		const m = await join(with_.token);
		assert.deepEqual([m.type, m.role], ['welcome', 'host'], JSON.stringify(m));
		assert.equal((await join(without.token)).code, 'scope_missing');
	});

	for (const [what, body, says] of [
		['no scopes', { name: 'x', scopes: [] }, /"scopes" must be a list of 1/],
		['an unknown scope', { name: 'x', scopes: ['rooms:read', 'all of it'] }, /"all of it" is none/],
		['a scope that is no text', { name: 'x', scopes: [7] }, /"scopes"/],
		['scopes that are no list', { name: 'x', scopes: '*' }, /"scopes" must be a list/],
		['no name', { scopes: ['*'] }, /"name" is missing/],
		['a name of control characters', { name: 'a\u0001', scopes: ['*'] }, /"name"/],
		['an absurd time', { name: 'x', scopes: ['*'], expires_days: 1e9 }, /"expires_days" must be/],
		['a member too many', { name: 'x', scopes: ['*'], user: 'admin' }, /"user" is not known/],
		['no JSON', '{"name"', /must be a JSON object/],
	])
		test(`refused: ${what}`, async () => {
			const r = await ask('POST', 'tokens', { token: admin, body });
			assert.deepEqual([r.status, r.code], [400, 'bad_json']);
			assert.match(r.text, says);
		});

	test('a name with SQL in it is a name', async () => {
		const name = "'); DROP TABLE api_tokens; --";
		const r = await makeToken(['rooms:read'], { name });
		assert.equal(r.name, name);
		assert.ok((await ask('GET', 'tokens', { token: admin })).tokens.some((t) => t.name === name));
	});

	test('every list comes in pages', async () => {
		for (const name of ['p1', 'p2', 'p3']) {
			assert.equal((await ask('PUT', `rooms/${name}`, { token: admin, body: {} })).status, 200);
			assert.equal((await ask('PUT', `templates/${name}`, { token: admin, body: { settings: {} } })).status, 200);
			assert.equal((await ask('POST', 'rooms/p1/invitations', { token: admin, body: { role: 'host' } })).status, 201);
			assert.equal((await ask('POST', `rooms/${name}/schedules`, { token: admin, body: { action: 'open', zone: 'UTC', repeat: 'once', from: '2036-01-01', start: '09:00', minutes: 5 } })).status, 201);
			await makeToken(['rooms:read'], { name });
		}
		sql(`INSERT INTO uploads (id, room, name, by, bytes, created_ms, duration_ms, width, height,
			pages, audio, video, room_id) SELECT n.column1, 'p1', 'f', 'admin', 1, 1, 0, 1, 1, 1, 0, 1, (SELECT id FROM rooms WHERE name = 'p1') FROM (VALUES (11), (12), (13)) n`);
		for (const [path, name, key, cursor = 'after'] of [['users', 'users', 'name'], ['rooms', 'rooms', 'name'], ['templates', 'templates', 'name'], ['tokens', 'tokens', 'id'],
			['rooms/p1/invitations', 'invitations', 'id'], ['schedules', 'schedules', 'id'], ['rooms/p1/schedules', 'schedules', 'id'], ['rooms/p1/uploads', 'uploads', 'upload', 'before']]) {
			const whole = await ask('GET', path, { token: admin }), seen = [];
			assert.equal(whole.next, null, path);
			for (let next = ''; next !== null;) {
				const r = await ask('GET', `${path}?limit=2${next && `&${cursor}=${encodeURIComponent(next)}`}`, { token: admin });
				assert.ok(r.status === 200 && r[name].length <= 2, JSON.stringify(r));
				seen.push(...r[name].map((x) => x[key]));
				({ next } = r);
			}
			assert.deepEqual(seen, whole[name].map((x) => x[key]), path);
			assert.ok(seen.length >= (path === 'rooms/p1/schedules' ? 1 : 3), path);
			for (const query of ['limit=0', 'limit=1001', 'limit=x', `${cursor}=${'x'.repeat(300)}`])
				assert.deepEqual((await ask('GET', `${path}?${query}`, { token: admin })).code, 'bad_query', `${path}?${query}`);
		}
	});

	test('guessing is limited', async () => {
		const wrong = () => ask('GET', 'rooms', { token: `a1.${'B'.repeat(32)}` });
		const last = await until('a refusal', async () => {
			const r = await wrong();
			return r.status === 429 && r;
		});
		assert.equal(last.code, 'rate_limited');
		// a sign-in is nobody's guess
		assert.equal((await ask('GET', 'rooms', { token: admin })).status, 200);
	});
});

describe('what has been', limit, () => {
	let bots, session, hana;
	before(async () => {
		server = await Server.small({ 'room.linger_s': 0, 'statistics.interval_s': 1 });
		admin = await signIn('admin', server.password);
		assert.equal((await ask('POST', 'users', { token: admin, body: { name: 'hana', role: 'host', password: PASSWORD } })).status, 201);
		hana = await signIn('hana');
		assert.equal((await ask('PUT', 'rooms/taught', { token: hana, body: {} })).status, 200);
		bots = Bots.start(server, 'taught', { senders: 2, seconds: 600, name: 'pupil', 'drop-tx': 30, 'drop-rx': 30, nack: true }); // a bad line
		await bots.ready;
	});
	after(() => server.stopFine());

	const intervals = async (participant, query = '', token = admin) =>
		ask('GET', `participants/${participant}/quality${query}`, { token });

	test('a session, who is in it, and how the connections are', async () => {
		const r = await ask('GET', 'sessions?room=taught', { token: admin });
		assert.deepEqual([r.status, r.sessions.length, r.next], [200, 1, null]);
		[session] = r.sessions;
		assert.deepEqual([session.room, session.ended_ms, session.participants], ['taught', null, 2]);
		assert.deepEqual((await ask('GET', `sessions/${session.id}`, { token: hana })).id, session.id);
		const { participants } = await ask('GET', `sessions/${session.id}/participants`, { token: hana });
		assert.deepEqual(participants.map((p) => [p.left_ms, p.user]), [[null, null], [null, null]]);
		const rows = await until('intervals in which all is known', async () => {
			const x = (await intervals(participants[0].id)).intervals, known = (of) => x.some((i) => of(i) > 0);
			return known((i) => i.uplink.loss) && known((i) => i.downlink.loss) && known((i) => i.uplink.jitter_ms) && known((i) => i.downlink.jitter_ms) &&
				known((i) => i.uplink.kbps) && known((i) => i.downlink.kbps) && known((i) => i.rtt_ms) && known((i) => i.height) && x;
		}, 60000);
		for (const i of rows) {
			assert.ok(i.interval_ms >= 1000 && i.score >= 1 && i.score <= 5, JSON.stringify(i));
			assert.ok(i.uplink.loss <= 1 && i.downlink.loss <= 1, JSON.stringify(i));
		}
		assert.deepEqual((await intervals(participants[0].id, '?from=2100-01-01')).intervals, []);
	});

	test('at its end all is known', async () => {
		bots.process.kill('SIGINT');
		await bots.done;
		const ended = await until('its end', async () => {
			const s = await ask('GET', `sessions/${session.id}`, { token: admin });
			return s.ended_ms && s;
		});
		assert.equal(ended.reason, 'empty');
		const { participants } = await ask('GET', `sessions/${session.id}/participants`, { token: admin });
		for (const p of participants)
			assert.ok(p.left_ms >= p.joined_ms && p.score >= p.worst && p.worst >= 1, JSON.stringify(p));
		const first = await intervals(participants[0].id, '?limit=1');
		assert.equal(first.intervals.length, 1);
		const rest = await intervals(participants[0].id, `?after=${first.next}`);
		assert.ok(rest.intervals[0].at_ms > first.intervals[0].at_ms);
		assert.ok(await server.value('mcu_quality_rows_total') > 2);
		assert.equal(await server.value('mcu_quality_rows_dropped_total'), 0);
	});

	test('pages follow each other', async () => {
		for (const name of ['a', 'b', 'c']) {
			const s = await Socket.open(server.url);
			s.send({ type: 'join', room: name, name: 'Ann', id: 'j' });
			await s.until('welcome', () => s.messages.find((m) => m.type === 'welcome'));
			s.destroy();
		}
		await until('four sessions', async () => (await ask('GET', 'sessions', { token: admin })).sessions.length === 4);
		const seen = [];
		for (let next = ''; next !== null;) {
			const r = await ask('GET', `sessions?limit=1${next && `&before=${next}`}`, { token: admin });
			seen.push(...r.sessions.map((s) => s.room));
			({ next } = r);
		}
		assert.deepEqual(seen, ['c', 'b', 'a', 'taught']);
	});

	test('an owner sees his room and no other', async () => {
		assert.equal((await ask('GET', 'rooms/taught/sessions', { token: hana })).sessions.length, 1);
		assert.equal((await ask('GET', 'sessions', { token: hana })).code, 'not_allowed');
		const other = (await ask('GET', 'sessions?room=a', { token: admin })).sessions[0];
		for (const path of [`sessions/${other.id}`, `sessions/${other.id}/participants`])
			assert.equal((await ask('GET', path, { token: hana })).code, 'not_allowed');
		assert.equal((await ask('GET', `sessions/${other.id}`)).status, 401);
	});

	for (const query of ['limit=0', 'limit=1001', 'limit=-1', 'limit=1e9', 'limit=99999999999999999999', 'limit=', 'limit=ten', 'before=-5', 'before=x',
		'before=9999999999999999999999', 'before=%27%20OR%201=1', 'from=yesterday', 'from=2026-13-01', 'until=2026-02-30', 'until=-1', 'from=99999999999999999'])
		test(`absurd: sessions?${query}`, async () => {
			const r = await ask('GET', `sessions?${query}`, { token: admin });
			assert.deepEqual([r.status, r.code], [400, 'bad_query']);
		});

	test('absurd paths and names', async () => {
		for (const path of ['sessions/0', 'sessions/-1', 'sessions/x', 'sessions/99999999999999999999', `sessions/${2 ** 52}`, 'participants/1/quality', "sessions/1'--/participants"])
			assert.equal((await ask('GET', path, { token: admin })).status, 404, path);
		assert.deepEqual((await ask('GET', `sessions?room=${encodeURIComponent("' OR '1'='1")}`, { token: admin })).sessions, []);
		assert.equal((await ask('GET', `sessions?room=${'x'.repeat(300)}`, { token: admin })).status, 400);
		for (const path of ['audit?before=x', 'audit?limit=0', 'calls?limit=1001', 'calls?before=-1'])
			assert.equal((await ask('GET', path, { token: admin })).code, 'bad_query', path);
		assert.equal((await ask('GET', 'audit?limit=1', { token: admin })).audit.length, 1);
	});
});

describe('templates and schedules', limit, () => {
	let hana;
	const day = (ms) => new Date(ms).toISOString().slice(0, 10);
	const clock = (ms) => new Date(ms).toISOString().slice(11, 16);
	// Somebody who joins, and what is said first.
	async function join(room, more = {}) {
		const s = await Socket.open(server.url);
		s.send({ type: 'join', room, name: 'Ann', id: 'j', ...more });
		const answer = await s.until('an answer', () => s.messages.find((m) => ['welcome', 'error', 'lobby'].includes(m.type)));
		return { s, answer };
	}
	const plan = (room, more, token = hana) => ask('POST', `rooms/${room}/schedules`, { token, body: {
		action: 'open', zone: 'UTC', repeat: 'daily', from: '2020-01-01', start: clock(Date.now() - 3600000), minutes: 120, ...more } });

	before(async () => {
		server = await Server.small({ 'room.linger_s': 1 });
		admin = await signIn('admin', server.password);
		assert.equal((await ask('POST', 'users', { token: admin, body: { name: 'hana', role: 'host', password: PASSWORD } })).status, 201);
		hana = await signIn('hana');
	});
	after(() => server.stopFine());

	test('a room is made with a template, and one on demand by its pattern', async () => {
		let r = await ask('PUT', 'templates/class', { token: admin, body: { pattern: 'class-*', settings: { lobby: true, max_participants: 30, record: 'nobody', title: 'A class' } } });
		assert.equal(r.status, 200, JSON.stringify(r));
		assert.equal((await ask('PUT', 'templates/class', { token: hana, body: { settings: {} } })).code, 'not_allowed');
		assert.deepEqual((await ask('GET', 'templates', { token: hana })).templates.map((t) => [t.name, t.pattern, t.settings.lobby]), [['class', 'class-*', true]]);
		r = await until('the template', async () => {
			const x = await ask('PUT', 'rooms/maths', { token: hana, body: { template: 'class', max_participants: 20 } });
			return x.status === 200 && x;
		});
		assert.deepEqual([r.title, r.lobby, r.max_participants, r.record], ['A class', true, 20, 'nobody']);
		r = await ask('PUT', 'rooms/maths', { token: hana, body: { template: 'nothing' } });
		assert.deepEqual([r.status, r.code], [400, 'template_unknown']);
		const first = await join('class-3b'), second = await join('class-3b');
		assert.deepEqual([first.answer.type, second.answer.type], ['welcome', 'lobby']);
		const other = [await join('free'), await join('free')];
		assert.deepEqual(other.map((x) => x.answer.type), ['welcome', 'welcome']);
		[first, second, ...other].forEach((x) => x.s.destroy());
		assert.equal((await ask('DELETE', 'templates/class', { token: admin })).status, 204);
		assert.equal((await ask('DELETE', 'templates/class', { token: admin })).status, 404);
		assert.equal((await ask('PUT', 'templates/x', { token: admin, body: { settings: { owner: 'me' } } })).code, 'bad_json');
	});

	test('outside of its times a room is for hosts alone', async () => {
		assert.equal((await ask('PUT', 'rooms/timed', { token: hana, body: {} })).status, 200);
		const r = await plan('timed', { start: clock(Date.now() + 3600000), minutes: 30 });
		assert.equal(r.status, 201, JSON.stringify(r));
		assert.deepEqual([r.now, r.next_ms > Date.now(), r.next_ms < Date.now() + 3700000], [false, true, true]);
		const refused = await until('the room to be closed', async () => {
			const x = await join('timed');
			x.s.destroy();
			return x.answer.type === 'error' && x.answer;
		});
		assert.equal(refused.code, 'room_not_open');
		assert.ok(refused.text.includes(`It opens at ${day(r.next_ms)} ${clock(r.next_ms)} UTC`), refused.text);
		const host = await join('timed', { token: hana });
		assert.equal(host.answer.role, 'host');
		host.s.destroy();
		const now = await plan('timed', { title: "'; DROP TABLE room_schedules; --" });
		assert.deepEqual([now.status, now.now], [201, true]);
		await until('it to be open', async () => {
			const x = await join('timed');
			x.s.destroy();
			return x.answer.type === 'welcome';
		});
		const { schedules } = await ask('GET', 'rooms/timed/schedules', { token: hana });
		assert.deepEqual(schedules.map((s) => s.id), [r.id, now.id]);
		assert.equal((await ask('GET', 'schedules', { token: admin })).schedules.length, 2);
		assert.equal((await ask('GET', 'schedules', { token: hana })).code, 'not_allowed');
		const anew = { action: 'record', zone: 'Asia/Seoul', repeat: 'weekly', weekdays: ['tue'], from: '2026-01-01', to: '2026-12-31', start: '08:30', minutes: 45, enabled: false, title: 'x' };
		const changed = await ask('PUT', `rooms/timed/schedules/${r.id}`, { token: hana, body: anew });
		assert.deepEqual([changed.status, changed.id, changed.now, changed.next_ms], [200, r.id, false, null]);
		const read = (await ask('GET', 'rooms/timed/schedules', { token: hana })).schedules;
		assert.deepEqual(read.map((s) => s.id), [r.id, now.id]);
		for (const [k, v] of Object.entries(anew))
			assert.deepEqual(read[0][k], v, k);
		assert.equal((await ask('PUT', `rooms/timed/schedules/${r.id}`, { token: hana, body: { ...anew, minutes: 0 } })).code, 'bad_json');
		assert.equal((await ask('PUT', 'rooms/timed/schedules/1', { token: hana, body: anew })).code, 'not_found');
		assert.equal((await ask('PUT', `rooms/maths/schedules/${r.id}`, { token: hana, body: anew })).code, 'not_found');
		for (const { id } of schedules)
			assert.equal((await ask('DELETE', `rooms/timed/schedules/${id}`, { token: hana })).status, 204);
		assert.equal((await ask('DELETE', `rooms/timed/schedules/${r.id}`, { token: hana })).status, 404);
	});

	test('with a room its times go', async () => {
		assert.equal((await ask('PUT', 'rooms/passing', { token: hana, body: {} })).status, 200);
		assert.equal((await plan('passing', { start: clock(Date.now() + 3600000), minutes: 30 })).status, 201);
		const comes = async () => {
			const x = await join('passing');
			x.s.destroy();
			return x.answer.code ?? x.answer.type;
		};
		await until('it to be closed', async () => await comes() === 'room_not_open');
		assert.equal((await ask('DELETE', 'rooms/passing', { token: hana })).status, 204);
		await until('anybody to come in', async () => await comes() === 'welcome');
		assert.deepEqual((await ask('GET', 'schedules', { token: admin })).schedules.filter((s) => s.room === 'passing'), []);
	});

	test('in a time of recording it is recorded', async () => {
		assert.equal((await ask('PUT', 'rooms/taped', { token: hana, body: {} })).status, 200);
		assert.equal((await plan('taped', { action: 'record' })).status, 201);
		const bots = Bots.start(server, 'taped', { senders: 1, seconds: 600 });
		const recording = await until('a recording', async () =>
			(await server.recordings()).find((r) => r.room === 'taped'), 30000);
		assert.equal(recording.by, 'schedule');
		await bots.ready;
		bots.process.kill('SIGINT');
		await bots.done;
	});

	for (const [what, body, says] of [
		['a zone that is none', { zone: 'Mars/Olympus' }, /"zone"/], ['a path for a zone', { zone: '../../etc/passwd' }, /"zone"/],
		['a day that is none', { from: '2026-02-30' }, /"from"/], ['a time that is none', { start: '24:00' }, /"start"/],
		['no weekday', { repeat: 'weekly', weekdays: [] }, /"weekdays"/], ['an endless one', { minutes: 100000 }, /"minutes"/],
		['something else', { action: 'explode' }, /"action"/]])
		test(`refused: ${what}`, async () => {
			const r = await plan('taped', body);
			assert.deepEqual([r.status, r.code], [400, 'bad_json']);
			assert.match(r.text, says);
		});
});

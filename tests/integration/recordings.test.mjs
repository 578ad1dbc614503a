// The repository of recordings by its REST interface: who sees, finds, changes, deletes
// and shares what; the files, whatever is asked for; tidying up.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const PASSWORD = 'correct horse battery';
const data = mkdtempSync(join(tmpdir(), 'mcu-repository-'));
let server, admin, ana, ben, eve;
let id; // of the recording that most is about

async function ask(method, path, { token, body } = {}) {
	const r = await fetch(`${server.url}/api/v1/${path}`, {
		method, headers: { ...(token && { authorization: `Bearer ${token}` }) },
		...(body !== undefined && { body: JSON.stringify(body) }),
	});
	const text = await r.text();
	return { status: r.status, ...(text && JSON.parse(text)) };
}

async function signIn(name, password = PASSWORD) {
	const r = await ask('POST', 'login', { body: { name, password } });
	assert.equal(r.status, 200, JSON.stringify(r));
	return r.token;
}

async function makeUser(name, role) {
	assert.equal((await ask('POST', 'users', { token: admin, body: { name, role, password: PASSWORD } })).status, 201);
	return signIn(name);
}

async function enter(room, name, token) {
	const s = await Socket.open(server.url);
	s.send({ type: 'join', room, name, id: 'j', ...(token && { token }) });
	await s.next('welcome');
	return s;
}

// Nothing is made of its file any more.
const finished = (recording) => until('it to be finished', async () => {
	const { state, finish } = await ask('GET', `recordings/${recording}`, { token: admin });
	return state === 'ready' && finish !== 'queued';
}, within(60000));

// The id of a recording of this room that has just ended; told meanwhile: what to do.
async function record(s, told = () => {}) {
	const from = s.messages.length;
	s.send({ type: 'record', action: 'start' });
	await s.next('recording', { from, test: (m) => m.state === 'on' });
	await sleep(1200); // the length of the recording
	await told();
	s.send({ type: 'record', action: 'stop' });
	const { recording } = await s.next('recording', { from, test: (m) => m.state === 'ready' });
	await finished(recording);
	return Number(recording);
}

const found = async (token, query = '') => (await ask('GET', `recordings${query}`, { token })).recordings.map((r) => r.id);
const files = () => readdirSync(join(data, 'recordings'), { recursive: true }).filter((f) => /\.(mp4|jpg|vtt)$/.test(f));
const fetched = (url, headers = {}, method = 'GET') => fetch(new URL(url, server.url), { method, headers });
const sql = (text) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(data, 'mcu.db'), text], { encoding: 'utf8' }).trim();

describe('the repository of recordings', { timeout: within(120000) }, () => {
	before(async () => {
		server = await Server.small({ 'room.linger_s': 1, 'room.record': 'hosts' }, { data });
		admin = await signIn('admin', server.password);
		[ana, ben, eve] = await Promise.all([['ana', 'host'], ['ben', 'participant'], ['eve', 'host']].map((u) => makeUser(...u)));
		assert.equal((await ask('PUT', 'rooms/algebra', { token: ana, body: { title: 'Algebra' } })).status, 200);
		const host = await enter('algebra', 'Ana', ana);
		const pupil = await enter('algebra', '김민지', ben);
		id = await record(host, async () => {
			host.send({ type: 'chat', text: 'Homework: 교과서 42쪽' });
			await pupil.next('chat', { test: (m) => /Homework/.test(m.text) });
			const { leg } = pupil.messages.find((m) => m.type === 'welcome');
			host.send({ type: 'chat', text: 'psst, a secret', to: leg });
			await pupil.next('chat', { test: (m) => /secret/.test(m.text) });
		});
		host.destroy();
		pupil.destroy();
	});

	after(async () => {
		await server.stopFine();
	});

	test('who sees it: administrators, the owner; a participant when the room says so', async () => {
		for (const [token, sees, manages] of [[admin, true, true], [ana, true, true], [ben, false], [eve, false]]) {
			assert.deepEqual(await found(token), sees ? [id] : []);
			const r = await ask('GET', `recordings/${id}`, { token });
			assert.deepEqual([r.status, r.code, r.manage], sees ? [200, undefined, manages] : [404, 'recording_unknown', undefined]);
		}
		assert.equal((await ask('GET', 'recordings')).status, 401);
		assert.equal((await ask('PUT', 'rooms/algebra/recording-rules', { token: eve, body: { viewers: 'participants' } })).code, 'not_allowed');
		assert.equal((await ask('PUT', 'rooms/algebra/recording-rules', { token: ana, body: { viewers: 'all' } })).code, 'bad_json');
		assert.equal((await ask('PUT', 'rooms/algebra/recording-rules', { token: ana, body: { keep_days: 1 } })).code, 'not_allowed');
		const rules = await ask('PUT', 'rooms/algebra/recording-rules', { token: ana, body: { viewers: 'participants' } });
		assert.deepEqual(rules, { status: 200, keep_days: -1, quota_bytes: -1, viewers: 'participants' });
		assert.deepEqual(await found(ben), [id]);
		assert.equal((await ask('GET', `recordings/${id}`, { token: ben })).manage, false);
		assert.deepEqual(await found(eve), []);
		assert.equal((await ask('PUT', 'rooms/nowhere/recording-rules', { token: admin, body: {} })).code, 'room_unknown');
	});

	test('who took part, and what was written to everybody', async () => {
		const r = await ask('GET', `recordings/${id}`, { token: ben });
		assert.deepEqual(r.participants.map((p) => [p.name, p.host]), [['Ana', true], ['김민지', false]]);
		assert.deepEqual(r.people, ['Ana', '김민지']);
		assert.deepEqual(r.chat.map((c) => [c.name, c.text]), [['Ana', 'Homework: 교과서 42쪽']]);
		assert.ok(r.chat[0].at_ms > 0 && r.chat[0].at_ms <= r.ended_ms - r.started_ms);
		assert.deepEqual([r.room, r.kind, r.format, r.tracks], ['algebra', 'composed', 'mp4', []]);
	});

	test('it is found by words, names, dates and what was written', async () => {
		const day = new Date().toISOString().slice(0, 10);
		for (const [query, hit] of [['q=algebra', 1], ['q=ALG', 1], ['q=geometry', 0], ['q=교과', 1], ['q=homework+42', 1], ['q=secret', 0],
			['person=민지', 1], ['person=algebra', 0], ['room=algebra', 1], ['room=alg', 0], ['from=2020-01-01', 1], ['until=2020-01-01', 0], [`from=${day}&q=home`, 1],
			['q=%27%3B+DROP+TABLE+recordings%3B--', 0], ['q=%22+OR+1%3D1', 0], ['q=*', 1], ['tag=x', 0], ['trash=1', 0]])
			assert.equal((await found(ana, `?${query}`)).length, hit, query);
		for (const query of ['limit=0', 'limit=201', 'limit=x', 'before=-1', 'from=yesterday', `q=${'x'.repeat(201)}`, `q=${Array(20).fill('ab').join('+')}`, 'trash=2', 'before=99999999999999999999'])
			assert.equal((await ask('GET', `recordings?${query}`, { token: ana })).code, 'bad_query', query);
	});

	test('title and tags', async () => {
		const edit = (body, token = ana) => ask('PATCH', `recordings/${id}`, { token, body });
		const r = await edit({ title: "Rings'; --", tags: ['수학', 'maths', 'maths'] });
		assert.deepEqual([r.status, r.title, r.tags], [200, "Rings'; --", ['maths', '수학']]);
		assert.deepEqual(await found(ana, '?q=rings'), [id]);
		assert.deepEqual(await found(ana, '?tag=수학'), [id]);
		assert.deepEqual((await edit({ tags: [] })).tags, []);
		assert.equal((await edit({})).title, "Rings'; --");
		for (const body of [{ title: 'x'.repeat(257) }, { title: 'a\nb' }, { tags: 'x' }, { tags: [1] }, { tags: [''] }, { tags: ['a\nb'] }, { tags: Array(21).fill('x') }, { tags: ['x'.repeat(65)] }, { id: 1 }])
			assert.deepEqual([(await edit(body)).status, (await edit(body)).code], [400, 'bad_json'], JSON.stringify(body));
		assert.deepEqual([(await edit({ title: 'x' }, ben)).status, (await edit({ title: 'x' }, eve)).status], [403, 404]);
		assert.equal((await edit({ keep: true })).code, 'not_allowed');
		assert.equal((await edit({ keep: true }, admin)).keep, true);
		assert.equal((await edit({ keep: false }, admin)).keep, false);
	});

	test('the file, whatever range is asked for', async () => {
		const { url, bytes } = await ask('GET', `recordings/${id}`, { token: ana });
		const whole = await fetched(url);
		const all = Buffer.from(await whole.arrayBuffer());
		assert.deepEqual([whole.status, whole.headers.get('content-type'), whole.headers.get('accept-ranges'), all.length], [200, 'video/mp4', 'bytes', bytes]);
		const etag = whole.headers.get('etag');
		const part = async (range, more = {}, method = 'GET') => {
			const r = await fetched(url, { range, ...more }, method);
			return [r.status, r.headers.get('content-range'), Buffer.from(await r.arrayBuffer())];
		};
		const n = all.length;
		assert.deepEqual(await part('bytes=5-9'), [206, `bytes 5-9/${n}`, all.subarray(5, 10)]);
		assert.deepEqual(await part('bytes=-7'), [206, `bytes ${n - 7}-${n - 1}/${n}`, all.subarray(-7)]);
		assert.deepEqual(await part(`bytes=5-${'9'.repeat(30)}`), [206, `bytes 5-${n - 1}/${n}`, all.subarray(5)]);
		assert.deepEqual(await part('bytes=5-9', { 'if-range': etag }), [206, `bytes 5-9/${n}`, all.subarray(5, 10)]);
		for (const [range, more] of [['bytes=5-9', { 'if-range': '"other"' }], ['bytes=5-9', { 'if-range': `W/${etag}` }], ['bytes=0-0,-1', {}], ['bytes=9-5', {}], ['octets=1-2', {}], ['bytes=--', {}]])
			assert.deepEqual((await part(range, more)).slice(0, 2), [200, null], range);
		for (const range of [`bytes=${n}-`, `bytes=${'9'.repeat(40)}-`, 'bytes=-0'])
			assert.deepEqual((await part(range)).slice(0, 2), [416, `bytes */${n}`], range);
		const head = await fetched(url, { range: 'bytes=5-9' }, 'HEAD');
		assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(n)]);
		assert.equal((await fetched(url, { 'if-none-match': etag })).status, 304);
		const saved = (await fetched(`${url}?download`)).headers.get('content-disposition');
		assert.match(saved, /^attachment; filename="Rings'_ -- \d{4}-\d\d-\d\d \d{4}.mp4"; filename\*=UTF-8''Rings%27%3B%20--/);
	});

	test('what lies beside it is served when it is there', async () => {
		const row = await ask('GET', `recordings/${id}`, { token: ana });
		const stem = sql(`SELECT path FROM recordings WHERE id = ${id}`).replace(/\.mp4$/, '');
		for (const [member, part, ending, type] of [['thumbnail', 'thumbnail.jpg', '.jpg', 'image/jpeg'], ['chapters', 'chapters.vtt', '.chapters.vtt', 'text/vtt; charset=utf-8'], ['scrub', 'scrub.vtt', '.scrub.vtt', 'text/vtt; charset=utf-8'], ['sheet', 'sheet.jpg', '.sheet.jpg', 'image/jpeg']]) {
			if (!row[member]) {
				assert.equal((await fetched(`${row.url}/${part}`)).status, 404);
				writeFileSync(join(data, stem + ending), `${member}!`);
			}
			sql(`UPDATE recordings SET parts = 15 WHERE id = ${id}`);
			const url = (await ask('GET', `recordings/${id}`, { token: ana }))[member];
			const r = await fetched(url);
			assert.deepEqual([r.status, r.headers.get('content-type')], [200, type]);
			assert.ok((await r.text()).length > 0);
		}
		for (const path of ['x', 'x.vtt', 'secret.key', 'chapters.vtt.'])
			assert.equal((await fetched(`${row.url}/${path}`)).status, 404, path);
	});

	test('paths of an address lead nowhere', async () => {
		const raw = (path) => new Promise((resolve, reject) => {
			const c = net.connect(server.port, '127.0.0.1', () => c.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
			let text = '';
			c.on('data', (d) => { text += d; }).on('close', () => resolve(text)).on('error', reject);
		});
		const { url } = await ask('GET', `recordings/${id}`, { token: ana });
		// an address that is nobody's, and has no ending, is a page's
		for (const path of ['/recordings/../mcu.db', `/recordings/${id}/../../mcu.db`, '/recordings/%00/%00', '/recordings/1/..%5c..%5cmcu.db', `/recordings/${id}x/y`, `${url}/..%2f..%2f..%2f..%2fmcu.db`, `${url}/..%5c..%5cmcu.db`, `${url}/chapters.vtt%00.jpg`, `${url}/../../../mcu.db/x`, `${url}/%2e%2e`]) {
			const answer = await raw(path);
			assert.match(answer, /^(HTTP\/1.1 (404|400|200 OK\r\ncontent-type: text\/html) ?|$)/, path);
			assert.doesNotMatch(answer, /SQLite format/);
		}
	});

	test('links: for anybody, for some time, until they are ended', async () => {
		const share = (body, token = ana) => ask('POST', `recordings/${id}/links`, { token, body });
		const link = await share({ expires_s: 3600 });
		assert.equal(link.status, 201);
		assert.equal(link.page, `/recordings.html#${link.url.replace('/recordings/', '')}`);
		assert.ok(Math.abs(link.expires_ms - Date.now() - 3600000) < 60000);
		assert.equal((await fetched(link.url)).status, 200);
		const info = await (await fetched(`${link.url}/info.json`)).json();
		assert.deepEqual([info.id, info.manage, info.url, info.chat], [id, false, link.url, []]);
		assert.deepEqual(info.participants.map((p) => p.name), ['Ana', '김민지']);
		for (const wrong of [link.url.replace(/.$/, (c) => c === '0' ? '1' : '0'), link.url.replace(/\/(\d+)\./, (all, t) => `/${Number(t) + 1}.`), link.url.replace(String(id), String(id + 1))])
			assert.equal((await fetched(wrong)).status, 404, wrong);
		for (const expires_s of [59, 315360001, '1', 1.5, null])
			assert.equal((await share({ expires_s })).code, 'bad_json');
		assert.deepEqual([(await share({}, ben)).status, (await share({}, eve)).status], [403, 404]);
		const { expires_ms } = await share();
		assert.ok(Math.abs(expires_ms - Date.now() - 7 * 86400000) < 60000);

		assert.equal((await ask('DELETE', `recordings/${id}/links`, { token: ben })).status, 403);
		assert.equal((await ask('DELETE', `recordings/${id}/links`, { token: ana })).status, 200);
		assert.equal((await fetched(link.url)).status, 404);
		const next = await share({ expires_s: 60 });
		assert.equal((await fetched(next.url)).status, 200);
		assert.equal((await ask('POST', 'recordings/link-key', { token: ana })).status, 403);
		assert.equal((await ask('POST', 'recordings/link-key', { token: admin })).status, 204);
		assert.equal((await fetched(next.url)).status, 404);
		assert.equal((await fetched((await ask('GET', `recordings/${id}`, { token: ana })).url)).status, 200);
	});

	test('deleted, restored, gone for good with all its files', async () => {
		const host = await enter('algebra', 'Ana', ana);
		const from = host.messages.length;
		host.send({ type: 'record', action: 'start' });
		const { recording } = await host.next('recording', { from, test: (m) => m.state === 'on' });
		await until('it to be listed', async () => (await found(ana)).length === 2);
		await sleep(1200); // so that there is something in it
		assert.deepEqual([(await ask('DELETE', `recordings/${recording}`, { token: ana })).code], ['not_ready']);
		host.send({ type: 'record', action: 'stop' });
		await host.next('recording', { from, test: (m) => ['ready', 'failed'].includes(m.state) });
		host.destroy();
		await until('it to be finished', async () => (await ask('GET', `recordings/${recording}`, { token: admin })).finish !== 'queued', within(60000));

		const { url } = await ask('GET', `recordings/${id}`, { token: ana });
		assert.equal((await ask('DELETE', `recordings/${id}`, { token: ben })).status, 403);
		assert.equal((await ask('DELETE', `recordings/${id}`, { token: ana })).status, 204);
		assert.ok(!(await found(ana)).includes(id));
		assert.deepEqual(await found(ana, '?trash=1'), [id]);
		const gone = await ask('GET', `recordings/${id}`, { token: ana });
		assert.deepEqual([gone.deleted_by, gone.url], ['ana', undefined]);
		assert.equal((await fetched(url)).status, 404);
		assert.equal((await ask('POST', `recordings/${id}/links`, { token: ana })).code, 'deleted');
		assert.equal((await ask('POST', `recordings/${id}/restore`, { token: ben })).status, 403);
		assert.equal((await ask('POST', `recordings/${id}/restore`, { token: ana })).status, 200);
		assert.equal((await ask('POST', `recordings/${id}/restore`, { token: ana })).code, 'not_deleted');
		assert.equal((await fetched(url)).status, 200);

		const stem = sql(`SELECT path FROM recordings WHERE id = ${id}`).split('/').pop().replace('.mp4', '');
		assert.ok(files().filter((f) => f.includes(stem)).length >= 5);
		for (let i = 0; i < 2; i++)
			assert.equal((await ask('DELETE', `recordings/${id}`, { token: ana })).status, 204);
		assert.equal((await ask('GET', `recordings/${id}`, { token: ana })).status, 404);
		await until('its files to be gone', () => !files().some((f) => f.includes(stem)));
		await until('its row to be gone', () => sql(`SELECT count(*) FROM recordings WHERE id = ${id}`) === '0');
		assert.equal((await ask('DELETE', `recordings/${id}`, { token: ana })).status, 404);
		assert.ok(existsSync(join(data, 'mcu.db')));
	});

	test('tidying up, first as a rehearsal', async () => {
		const [left] = await found(admin);
		const plan = (query = '') => ask('GET', `recording-cleanup${query}`, { token: admin });
		assert.equal((await ask('GET', 'recording-cleanup', { token: ana })).status, 403);
		assert.deepEqual((await plan()).items, []);
		assert.equal((await plan('?keep_days=x')).code, 'bad_query');
		assert.deepEqual((await plan('?quota_bytes=1')).items.map((i) => [i.id, i.why, i.for_good]), [[left, 'quota', false]]);
		assert.deepEqual(await found(admin), [left]);
		assert.equal((await ask('PUT', 'rooms/algebra/recording-rules', { token: admin, body: { quota_bytes: 1 } })).quota_bytes, 1);
		assert.deepEqual((await plan()).items.map((i) => i.why), ['room_quota']);
		assert.equal((await ask('POST', 'recording-cleanup', { token: admin })).status, 202);
		await until('it to be in the trash', async () => (await found(admin, '?trash=1')).includes(left));
		assert.deepEqual((await plan('?trash_days=0')).items.map((i) => [i.id, i.why, i.for_good]), [[left, 'trash_age', true]]);
		assert.equal((await ask('GET', `recordings/${left}`, { token: admin })).deleted_by, 'room_quota');

		// long enough in the trash, but the server has just been started: it goes when that is said
		sql(`UPDATE recordings SET deleted_ms = 5 WHERE id = ${left}`);
		const { held_until_ms, items } = await plan();
		assert.ok(held_until_ms > Date.now() && held_until_ms < Date.now() + 3700000, `${held_until_ms}`);
		assert.deepEqual(items.map((i) => [i.id, i.for_good]), [[left, true]]);
		const runs = () => sql("SELECT count(*) FROM audit WHERE action = 'recordings_cleanup'");
		const tidy = async (body, status = 202) => assert.equal((await ask('POST', 'recording-cleanup', { token: admin, body })).status, status);
		await tidy({ for_good: 'yes' }, 400);
		await tidy({ everything: true }, 400);
		await tidy({ for_good: false });
		await until('it to be in the audit', () => runs() === '2');
		await plan(); // asked of the registry after that
		assert.equal(sql(`SELECT deleted_ms FROM recordings WHERE id = ${left}`), '5');
		await tidy({ for_good: true });
		await until('its row to be gone', () => sql(`SELECT count(*) FROM recordings WHERE id = ${left}`) === '0');
	});

	test('it is all in the audit', async () => {
		const { audit } = await ask('GET', 'audit', { token: admin });
		for (const action of ['recording_changed', 'recording_deleted', 'recording_restored', 'recording_purged', 'recording_shared', 'links_ended', 'link_key_changed', 'recording_rules_changed', 'recordings_cleanup'])
			assert.ok(audit.some((a) => a.action === action), action);
	});
});

// The document of the REST interface against the server that runs: every operation is asked
// with and without an account, and what comes back must be what the document says, member by
// member. (That every route is in it, a unit test sees: test_openapi.c.)
// Beside others.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';

import { Bots } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';

const PASSWORD = 'correct horse battery';
const METHODS = ['get', 'put', 'post', 'patch', 'delete', 'options'];
const toJson = 'import json, sys, yaml; json.dump(yaml.load(sys.stdin, getattr(yaml, "CSafeLoader", yaml.SafeLoader)), sys.stdout)';
let server, doc, bots;

// --- a small validator of schemas: what the document uses, and nothing else ---

const resolve = (node) => node?.$ref ? resolve(node.$ref.slice(2).split('/').reduce((n, k) => n[k], doc)) : node;
const typeOf = (v) => v === null ? 'null' : Array.isArray(v) ? 'array' : Number.isInteger(v) ? 'integer' : typeof v;
const fitsType = (v, type) => type === typeOf(v) || (type === 'number' && typeOf(v) === 'integer');
const KNOWN = ['$ref', 'type', 'properties', 'required', 'additionalProperties', 'items', 'enum', 'allOf', 'oneOf', 'anyOf', 'description', 'minimum',
	'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'pattern', 'default', 'format', 'const', 'example', 'examples', 'title', 'nullable', 'contentMediaType'];

// All members that a schema names, through allOf.
function members(schema) {
	const s = resolve(schema);
	return Object.assign({}, ...(s.allOf ?? []).map(members), s.properties);
}

function validate(value, schema, at, closed = true) {
	const s = resolve(schema);
	for (const word of Object.keys(s))
		assert.ok(KNOWN.includes(word), `${at}: the validator does not know "${word}"`);
	if (s.type)
		assert.ok([s.type].flat().some((t) => fitsType(value, t)), `${at}: ${JSON.stringify(value)} is no ${s.type}`);
	if (s.enum)
		assert.ok(s.enum.includes(value), `${at}: ${JSON.stringify(value)} is none of ${s.enum}`);
	if (typeof value === 'number') {
		assert.ok(s.minimum === undefined || value >= s.minimum, `${at}: ${value} < ${s.minimum}`);
		assert.ok(s.maximum === undefined || value <= s.maximum, `${at}: ${value} > ${s.maximum}`);
	}
	if (typeof value === 'string' && s.pattern)
		assert.match(value, new RegExp(s.pattern), at);
	for (const part of s.allOf ?? [])
		validate(value, part, at, false);
	for (const some of [s.oneOf, s.anyOf].filter(Boolean))
		assert.ok(some.some((part) => {
			try {
				validate(value, part, at);
				return true;
			} catch {
				return false;
			}
		}), `${at}: fits none of ${some.length}`);
	if (typeOf(value) === 'array' && s.items)
		value.forEach((v, i) => validate(v, s.items, `${at}[${i}]`));
	if (typeOf(value) !== 'object')
		return;
	for (const name of s.required ?? [])
		assert.ok(name in value, `${at}: "${name}" is missing`);
	for (const [name, part] of Object.entries(s.properties ?? {}))
		if (name in value)
			validate(value[name], part, `${at}.${name}`);
	const all = members(s);
	if (closed && Object.keys(all).length && !s.additionalProperties && !s.oneOf && !s.anyOf)
		for (const name of Object.keys(value))
			assert.ok(name in all, `${at}: "${name}" is not in the document`);
}

// --- asking ---

const basic = () => ({ authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` });
const tried = new Map(); // "GET /path" → statuses

// Asks, and checks that the answer is one of the document's. template: the path in it.
async function ask(method, template, { params = {}, query = '', body, type = 'application/json', headers = basic() } = {}) {
	const op = doc.paths[template]?.[method];
	assert.ok(op, `${method} ${template} is not in the document`);
	const path = template.replace(/\{(\w+)\}/g, (all, name) => encodeURIComponent(params[name] ?? all));
	const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
	const r = await fetch(`http://127.0.0.1:${server.port}${path}${query}`, {
		method: method.toUpperCase(), redirect: 'manual', headers: { ...headers, ...(sent !== undefined && { 'content-type': type }) }, body: sent });
	const what = `${method.toUpperCase()} ${path}${query} → ${r.status}`;
	const text = await r.text();
	const key = `${method.toUpperCase()} ${template}`;
	tried.set(key, [...tried.get(key) ?? [], r.status]);
	const described = resolve(op.responses[r.status]);
	assert.ok(described, `${what} is not in the document: ${text.slice(0, 200)}`);
	const kind = (r.headers.get('content-type') ?? '').split(';')[0];
	if (!described.content) {
		assert.equal(text, '', `${what}: no body is documented`);
		return { status: r.status };
	}
	assert.ok(kind in described.content, `${what}: ${kind || 'no type'} is not one of ${Object.keys(described.content)}`);
	const { schema } = described.content[kind];
	if (kind !== 'application/json')
		return { status: r.status, text };
	const answer = JSON.parse(text);
	assert.ok(schema, `${what}: without a schema`);
	validate(answer, schema, what);
	return { ...answer, status: r.status };
}

const succeed = async (method, template, how = {}) => {
	const r = await ask(method, template, how);
	assert.ok(r.status < 300, `${method} ${template}: ${JSON.stringify(r)}`);
	return r;
};

describe('the document of the REST interface', { timeout: within(180000) }, () => {
	before(async () => {
		server = await Server.small({ 'room.linger_s': 1, 'statistics.interval_s': 1, 'sip.port': 0 });
		const yaml = await (await fetch(`${server.url}/api/v1/openapi.yaml`)).text();
		doc = JSON.parse(execFileSync('/usr/bin/python3', ['-c', toJson], { input: yaml, maxBuffer: 1 << 26 }));
		bots = Bots.start(server, 'physics', { senders: 1, seconds: 600 });
		await bots.ready;
	});
	after(async () => {
		bots?.process?.kill('SIGINT');
		await bots?.done;
		await server?.stopFine();
	});

	test('what is done with it day by day', async () => {
		const A = '/api/v1';
		const room = { room: 'physics' };
		const { token } = await succeed('post', `${A}/login`, { body: { name: 'admin', password: server.password }, headers: {} });
		await succeed('get', `${A}/me`, { headers: { authorization: `Bearer ${token}` } });
		await succeed('get', `${A}/server`, { headers: {} });
		await succeed('post', `${A}/users`, { body: { name: 'kim', role: 'host', password: PASSWORD, display_name: 'Frau Kim' } });
		await succeed('get', `${A}/users`);
		await succeed('put', `${A}/users/{name}`, { params: { name: 'kim' }, body: { role: 'participant' } });
		const made = await succeed('post', `${A}/tokens`, { body: { name: 'x', scopes: ['*'], expires_days: 3 } });
		await succeed('get', `${A}/tokens`);
		await succeed('put', `${A}/rooms/{room}`, { params: room, body: { title: 'Physics', number: '4711', guest_pin: '24680' } });
		await succeed('get', `${A}/rooms`, { headers: { authorization: `Bearer ${made.token}` } });
		await succeed('delete', `${A}/tokens/{id}`, { params: made });
		await succeed('get', `${A}/rooms/{room}`, { params: room });
		await succeed('put', `${A}/templates/{name}`, { params: { name: 'class' }, body: { pattern: 'c-*', settings: { lobby: true } } });
		await succeed('get', `${A}/templates`);
		await succeed('delete', `${A}/templates/{name}`, { params: { name: 'class' } });
		const plan = await succeed('post', `${A}/rooms/{room}/schedules`, { params: room, body: { action: 'open', zone: 'Asia/Seoul', repeat: 'weekly', weekdays: ['mon'],
			from: '2026-11-21', start: '09:00', minutes: 60, enabled: false } });
		await succeed('get', `${A}/rooms/{room}/schedules`, { params: room });
		await succeed('get', `${A}/schedules`);
		await succeed('put', `${A}/rooms/{room}/schedules/{id}`, { params: { ...room, ...plan }, body: { action: 'record', zone: 'UTC', repeat: 'daily', from: '2026-11-21',
			start: '10:00', minutes: 30 } });
		await succeed('delete', `${A}/rooms/{room}/schedules/{id}`, { params: { ...room, ...plan } });
		const invited = await succeed('post', `${A}/rooms/{room}/invitations`, { params: room, body: { role: 'host' } });
		await succeed('get', `${A}/rooms/{room}/invitations`, { params: room });
		await succeed('delete', `${A}/rooms/{room}/invitations/{id}`, { params: { ...room, ...invited } });
		const { legs } = await succeed('get', `${A}/rooms/{room}/legs`, { params: room });
		await succeed('patch', `${A}/rooms/{room}/legs/{leg}`, { params: { ...room, leg: legs[0].id ?? legs[0].leg }, body: { name: 'Ann' } });
		await succeed('get', `${A}/rooms/{room}/views`, { params: room });
		await succeed('put', `${A}/rooms/{room}/layout`, { params: room, body: { layout: 'grid' } });
		const { sessions } = await succeed('get', `${A}/sessions`, { query: '?room=physics&limit=1' });
		await succeed('get', `${A}/rooms/{room}/sessions`, { params: room });
		await succeed('get', `${A}/sessions/{id}`, { params: sessions[0] });
		const { participants } = await succeed('get', `${A}/sessions/{id}/participants`, { params: sessions[0] });
		await until('an interval', async () => (await succeed('get', `${A}/participants/{id}/quality`, { params: participants[0] })).intervals.length, 60000);
		await succeed('get', `${A}/statistics`, { query: '?zone=Asia/Seoul' });
		await succeed('get', `${A}/rooms/{room}/statistics`, { params: room });
		await succeed('get', `${A}/recordings`);
		await succeed('get', `${A}/calls`);
		await succeed('get', `${A}/rooms/{room}/calls`, { params: room });
		await succeed('get', `${A}/trunks`);
		await succeed('get', `${A}/captures`);
		await succeed('get', `${A}/audit`, { query: '?limit=1000' });
		await succeed('delete', `${A}/users/{name}`, { params: { name: 'kim' } });
	});

	// Whatever it is given, an operation answers with what is documented for it.
	const PARAMS = { room: 'physics', name: 'nobody', id: '1', leg: '99', call: '1', view: 'main', token: 'f'.repeat(32) };
	const bodies = [['no body', undefined], ['another type', '[]'], ['no JSON', '{"'], ['an unknown member', '{"no_such_member":1}'], ['absurd numbers', '{"seconds":-1e99,"limit":1e99}']];
	for (const [who, headers] of [['nobody', () => ({})], ['an administrator', basic], ['a token that is none', () => ({ authorization: `Bearer a1.${'A'.repeat(32)}` })]])
		test(`every operation, asked by ${who}`, async () => {
			const wrong = [];
			for (const [path, item] of Object.entries(doc.paths))
				for (const method of METHODS.filter((m) => item[m])) {
					const names = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
					const params = Object.fromEntries(names.map((n) => [n, PARAMS[n] ?? 'x']));
					const some = item[method].requestBody && who !== 'a token that is none' ? bodies : bodies.slice(0, 1);
					if (path === '/api/v1/logout' || path === '/api/v1/login' || (who === 'a token that is none' && tried.size && limited(path, method)))
						continue;
					for (const [what, body] of some)
						await ask(method, path, { params, headers: headers(), body }).catch((e) => wrong.push(`${what}: ${e.message.split('\n')[0]}`));
				}
			assert.deepEqual(wrong, []);
		});
	// Wrong tokens are counted: some are enough.
	let guesses = 0;
	const limited = (path, method) => method !== 'get' || !path.startsWith('/api/v1/') || ++guesses > 15;

	test('nothing of the document was left out', () => {
		const all = Object.entries(doc.paths).flatMap(([path, item]) => METHODS.filter((m) => item[m]).map((m) => `${m.toUpperCase()} ${path}`));
		assert.ok(all.length > 60);
		assert.deepEqual(all.filter((key) => !tried.has(key) && !/log(in|out)$/.test(key)), []);
	});
});

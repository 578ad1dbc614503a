// What a telephone may not bring about: a REFER is asked for the rights that `dial` needs,
// who was called into a room gets into no other, and a redirect takes no password along.
// Beside others.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { RawSip } from '../support/sip_raw.mjs';
import { within } from '../support/variant.mjs';

let server, sip;

const sdp = ['v=0', 'o=raw 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=audio 4000 RTP/AVP 0 101',
	'a=rtpmap:101 telephone-event/8000', ''].join('\r\n');
const agreed = `${sdp}m=video 0 RTP/AVP 99\r\n`;

async function rest(method, path, body) {
	const r = await fetch(`${server.url}/api/v1/${path}`, { method, body: body && JSON.stringify(body),
		headers: { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}`, 'content-type': 'application/json' } });
	const text = await r.text();
	return { status: r.status, ...text && JSON.parse(text) };
}
const legs = async (room) => (await rest('GET', `rooms/${room}/legs`)).legs ?? [];
const full = (room, n) => until(`${n} in ${room}`, async () => (await legs(room)).length === n);

function answer(m, status, { body = '', headers = [], by = sip } = {}) {
	const keep = m.text.split('\r\n').filter((l) => /^(Via|From|To|Call-ID|CSeq):/i.test(l))
		.map((l) => /^To:/i.test(l) && !/;tag=/.test(l) ? `${l};tag=callee` : l);
	by.raw([`SIP/2.0 ${status} Answer`, ...keep, ...headers.some((h) => /^Contact/.test(h)) ? [] : [`Contact: <sip:raw@127.0.0.1:${by.port}>`], ...headers,
		...body ? ['Content-Type: application/sdp'] : [], `Content-Length: ${body.length}`, '', body].join('\r\n'));
}

// The Authorization header to a challenge (RFC 2617, MD5).
function digest(challenge, user, password, method, uri) {
	const line = challenge.text.split('\r\n').find((l) => /^WWW-Authenticate:.*MD5/i.test(l));
	const value = (key) => line.match(new RegExp(`${key}="?([^",]*)`))[1];
	const md5 = (text) => createHash('md5').update(text).digest('hex');
	const secret = md5(`${user}:${value('realm')}:${password}`), what = md5(`${method}:${uri}`);
	return `Authorization: Digest username="${user}", realm="${value('realm')}", nonce="${value('nonce')}", uri="${uri}", algorithm=MD5, `
		+ `qop=auth, nc=00000001, cnonce="abc", response="${md5(`${secret}:${value('nonce')}:00000001:abc:auth:${what}`)}"`;
}

// A REFER outside of a call, by a user; its last answer.
async function refer(user, room, to, by = sip) {
	const d = by.dialog(room), header = `Refer-To: <${to}>`;
	by.send(d, 'REFER', { headers: [header] });
	const no = await by.final(d, 'REFER');
	assert.equal(no.status, 401, no.text);
	by.send(d, 'REFER', { headers: [header, digest(no, user, 'secret-phone-1', 'REFER', d.uri)] });
	return until('the answer to REFER', () => by.answers(d, 'REFER').find((m) => m.status >= 200 && m.cseq === `${d.cseq} REFER`));
}

// One within a call that the server made, by who was called.
async function referWithin(m, to, cseq, by = sip) {
	const header = (name) => m.text.match(new RegExp(`^${name}: *(.*?)\r$`, 'm'))[1];
	by.raw([`REFER ${header('Contact').match(/<(.*)>/)[1]} SIP/2.0`, `Via: SIP/2.0/UDP 127.0.0.1:${by.port};rport;branch=z9hG4bKrefer${cseq}`,
		'Max-Forwards: 70', `From: ${header('To')};tag=callee`, `To: ${header('From')}`, `Call-ID: ${m.callId}`, `CSeq: ${cseq} REFER`,
		`Contact: <sip:raw@127.0.0.1:${by.port}>`, `Refer-To: <${to}>`, 'Content-Length: 0', '', ''].join('\r\n'));
	return until('the answer to REFER', () => by.messages.find((x) => x.status >= 200 && x.callId === m.callId && x.cseq === `${cseq} REFER`));
}

const invited = (user, by = sip) => until(`INVITE of ${user}`, () => by.messages.find((m) => m.method === 'INVITE' && m.first.includes(`sip:${user}@`)));
const phone = (user, by = sip) => `sip:${user}@127.0.0.1:${by.port}`;

async function account(name, role = 'participant') {
	if (name !== 'admin')
		assert.equal((await rest('POST', 'users', { name, password: 'a sign-in password', role })).status, 201);
	assert.equal((await rest('PUT', `users/${name}/sip`, { password: 'secret-phone-1' })).status, 200);
}

async function start(config) {
	server = await Server.small({ 'sip.port': 0, 'sip.silence_s': 0, 'room.linger_s': 0, ...config });
	sip = await RawSip.open(server);
}

async function stop() {
	sip.close();
	await server.stopFine();
}

describe('REFER needs what dial needs', { timeout: within(120000) }, () => {
	before(async () => {
		await start({ 'sip.domain': 'mcu.example', 'sip.dial_to': '["@127.0.0.1"]' });
		await account('joe');
		await account('admin');
		assert.equal((await rest('PUT', 'rooms/secret', { guest_pin: '918273', locked: true, members_only: true })).status, 200);
		assert.equal((await rest('PUT', 'rooms/joes', { owner: 'joe' })).status, 200);
	});
	after(stop);

	test('who is no host of the room: 403, and nobody is called', async () => {
		assert.equal((await refer('joe', 'secret', phone('nobody'))).status, 403);
		assert.equal((await refer('joe', 'unregistered', phone('nobody'))).status, 403);
	});

	test('elsewhere than sip.dial_to says: 403, also to an administrator', async () => {
		assert.equal((await refer('admin', 'secret', `sip:nobody@127.0.0.2:${sip.port}`)).status, 403);
	});

	test('the owner may, and it is one of the calls that hosts see and end', async () => {
		assert.equal((await refer('joe', 'joes', phone('friend'))).status, 202);
		const m = await invited('friend');
		answer(m, 180);
		const { calls } = await rest('GET', 'calls');
		const { id: call } = calls.find((c) => c.room === 'joes');
		await until('it to ring', async () => (await rest('GET', `rooms/joes/dial/${call}`)).state === 'ringing');
		assert.equal((await rest('DELETE', `rooms/joes/dial/${call}`)).status, 204);
		answer(await sip.requested(m, 'CANCEL'), 200);
		answer(m, 487);
		await until('its end', async () => (await rest('GET', `rooms/joes/dial/${call}`)).state === 'ended');
		assert.ok(!sip.messages.some((x) => x.method === 'INVITE' && x.first.includes('sip:nobody@')));
	});

	test('who is called is a stranger to other rooms, and has nobody called', async () => {
		assert.equal((await rest('PUT', 'rooms/out', {})).status, 200);
		assert.equal((await rest('POST', 'rooms/out/dial', { to: phone('stranger') })).status, 202);
		const m = await invited('stranger');
		answer(m, 200, { body: agreed });
		await full('out', 1);
		assert.equal((await referWithin(m, 'sip:nobody@elsewhere.example', 101)).status, 403);
		assert.equal((await referWithin(m, `sip:secret@127.0.0.1:${server.sipPort}`, 102)).status, 202);
		const told = await until('NOTIFY of the refusal', () => {
			const all = sip.messages.filter((x) => x.method === 'NOTIFY' && x.callId === m.callId);
			for (const n of all.filter((x) => !x.answered)) {
				answer(n, 200);
				n.answered = true;
			}
			return all.find((x) => /^Subscription-State: terminated/m.test(x.text));
		});
		assert.match(told.text, /SIP\/2\.0 403/);
		assert.equal((await legs('secret')).length, 0);
		assert.equal((await legs('out')).length, 1);
		assert.ok(!sip.messages.some((x) => x.method === 'INVITE' && x.first.includes('sip:nobody@')));
	});
});

test('where nobody may dial, nobody may by REFER', { timeout: within(60000) }, async () => {
	await start({ 'sip.dial': 'nobody' });
	await account('admin');
	assert.equal((await refer('admin', 'any', phone('nobody'))).status, 403);
	await stop();
});

test('the server stops while a REFER rings: nothing is lost or touched again', { timeout: within(60000) }, async () => {
	await start({});
	await account('admin');
	assert.equal((await refer('admin', 'room', phone('friend'))).status, 202);
	const m = await invited('friend');
	answer(m, 180);
	const notify = await until('NOTIFY', () => sip.messages.find((x) => x.method === 'NOTIFY'));
	server.process.kill('SIGTERM');
	const cancel = await sip.requested(m, 'CANCEL');
	answer(notify, 200); // only now: who waited for it is gone
	answer(cancel, 200);
	answer(m, 487);
	await stop();
});

// The call of a trunk that its answer sends to another telephone: what that gets to see.
async function sentOn(config) {
	await start(config);
	const other = await RawSip.open(server);
	assert.equal((await rest('PUT', 'trunks/itsp', { uri: `sip:127.0.0.1:${sip.port}`, user: 'office', password: 'trunk-secret', prefixes: [''] })).name, 'itsp');
	assert.equal((await rest('PUT', 'rooms/out', {})).status, 200);
	const { call, status } = await rest('POST', 'rooms/out/dial', { to: '+49301234567' });
	assert.equal(status, 202);
	const m = await until('INVITE of the trunk', () => sip.messages.find((x) => x.method === 'INVITE'));
	answer(m, 302, { headers: [`Contact: <${phone('x', other)}>`] });
	return { call, other };
}
const over = (call) => until('the end', async () => /failed|ended/.test((await rest('GET', `rooms/out/dial/${call}`)).state));

test("a trunk's password goes to no other host, nor its caller", { timeout: within(60000) }, async () => {
	const { call, other } = await sentOn({});
	const m = await invited('x', other);
	assert.doesNotMatch(m.text, /office/);
	answer(m, 401, { by: other, headers: ['WWW-Authenticate: Digest realm="evil", nonce="chosen", algorithm=MD5, qop="auth"'] });
	await over(call);
	assert.ok(!other.messages.some((x) => /^(Proxy-)?Authorization:/mi.test(x.text)));
	other.close();
	await stop();
});

test('a redirect is held against sip.dial_to', { timeout: within(60000) }, async () => {
	const { call, other } = await sentOn({ 'sip.dial_to': '["+49"]' });
	await over(call);
	assert.ok(!other.messages.some((x) => x.method === 'INVITE'));
	other.close();
	await stop();
});

test('calls that are never acknowledged take no places of others, nor of calls out', { timeout: within(60000) }, async () => {
	await start({});
	assert.equal((await rest('PUT', 'rooms/out', {})).status, 200);
	for (let i = 0; i < 60; i++)
		sip.send(sip.dialog('bridge'), 'INVITE', { body: sdp });
	const refused = await until('a refusal', () => sip.messages.find((m) => m.status === 503 && /INVITE/.test(m.cseq)));
	assert.match(refused.text, /^Retry-After: /m);
	const other = await RawSip.open(server, '127.0.0.2');
	const d = other.dialog('bridge');
	other.send(d, 'INVITE', { body: sdp });
	const ok = await other.final(d, 'INVITE');
	assert.equal(ok.status, 200, ok.text);
	other.acknowledge(d, ok);
	assert.equal((await rest('POST', 'rooms/out/dial', { to: phone('friend') })).status, 202);
	await invited('friend');
	other.close();
	sip.close();
	await server.kill();
});

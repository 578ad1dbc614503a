// What gateways and providers do beside the plain rules: challenges of two algorithms, no
// SRTP, session descriptions among other parts; and how many calls there may be.
// Beside others.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { gone, legs } from '../support/sip_rig.mjs';
import { RawSip, sdp } from '../support/sip_raw.mjs';
import { within } from '../support/variant.mjs';

const limit = { timeout: within(120000) };
let server, sip;

async function rest(method, path, body, status) {
	const r = await fetch(`http://127.0.0.1:${server.port}/api/v1${path}`, {
		method, body: body && JSON.stringify(body),
		headers: { 'Content-Type': 'application/json', Authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` },
	});
	assert.equal(r.status, status, `${method} ${path}: ${await r.clone().text()}`);
	return status === 204 ? null : r.json();
}
const trunk = (name, settings) => rest('PUT', `/trunks/${name}`, { uri: `sip:127.0.0.1:${sip.port}`, register: false, user: 'mcu', password: 'trunk secret', prefixes: [], ...settings }, 200);
const dial = (room, to, by) => rest('POST', `/rooms/${room}/dial`, { to, trunk: by }, 202);
const state = (room, call, what) => until(`the call to be ${what}`, async () => (await rest('GET', `/rooms/${room}/dial/${call}`, null, 200)).state === what, 30000);

// The n-th request of that method to a number.
const asked = (method, number, n = 0) => until(`${method} ${n} of ${number}`, () => {
	const all = sip.messages.filter((m) => m.method === method && m.first.includes(number));
	return [...new Map(all.map((m) => [`${m.callId} ${m.cseq}`, m])).values()][n];
});
const header = (m, name) => m.text.match(new RegExp(`^${name}: *(.*)\r$`, 'mi'))?.[1];

function reply(m, status, { body = '', headers = [] } = {}) {
	const keep = m.text.split('\r\n').filter((l) => /^(Via|From|To|Call-ID|CSeq):/i.test(l)).map((l) => /^To:/i.test(l) && !/;tag=/.test(l) ? `${l};tag=gw` : l);
	sip.raw([`SIP/2.0 ${status} Answer`, ...keep, `Contact: <sip:gw@127.0.0.1:${sip.port}>`, ...headers,
		...body ? ['Content-Type: application/sdp'] : [], `Content-Length: ${body.length}`, '', body].join('\r\n'));
}

// Of credentials, by the algorithm that they name.
function isRight(credentials, algorithm, password) {
	const d = Object.fromEntries([...credentials.matchAll(/(\w+)=("([^"]*)"|[^, ]+)/g)].map(([, k, bare, quoted]) => [k, quoted ?? bare]));
	const h = (...parts) => createHash(algorithm).update(parts.join(':')).digest('hex');
	return d.response === h(h(d.username, d.realm, password), d.nonce, d.nc, d.cnonce, d.qop, h('INVITE', d.uri));
}

const challenges = (name, nonce) => [`${name}: Digest realm="itsp.example", nonce="${nonce}", algorithm=SHA-256, qop="auth"`, `${name}: Digest realm="itsp.example", nonce="${nonce}", algorithm=MD5, qop="auth"`];

describe('gateways and providers', limit, () => {
	before(async () => {
		server = await Server.small({ 'sip.port': 0, 'sip.silence_s': 0, 'room.linger_s': 0 });
		sip = await RawSip.open(server);
	});
	after(async () => {
		sip.close();
		await server.stopFine();
	});

	for (const [status, asks, says] of [[401, 'WWW-Authenticate', 'Authorization'], [407, 'Proxy-Authenticate', 'Proxy-Authorization']])
		test(`a call out answers ${status} of SHA-256 and MD5`, async () => {
			const number = `4930${status}`;
			await trunk('itsp', {});
			const { call } = await dial('out', number, 'itsp');
			const first = await asked('INVITE', number);
			reply(first, status, { headers: challenges(asks, 'abc') });
			const second = await asked('INVITE', number, 1);
			assert.ok(isRight(header(second, says), 'sha256', 'trunk secret'), second.text);
			assert.equal(second.callId, first.callId);
			assert.equal(header(second, 'From'), header(first, 'From'));
			assert.equal(parseInt(second.cseq, 10), parseInt(first.cseq, 10) + 1);
			assert.match(second.text, /^m=audio /m);
			reply(second, 200, { body: sdp(9998) });
			const ack = await until('ACK', () => sip.messages.find((m) => m.method === 'ACK' && m.callId === second.callId && parseInt(m.cseq, 10) === parseInt(second.cseq, 10)));
			assert.equal(header(ack, says), header(second, says));
			await state('out', call, 'answered');
			await rest('DELETE', `/rooms/out/dial/${call}`, null, 204);
			const bye = await until('BYE', () => sip.messages.find((m) => m.method === 'BYE' && m.callId === second.callId));
			reply(bye, 200);
			await gone(server, 'out');
		});

	test('a wrong password ends the call', async () => {
		const { call } = await dial('out', '4930999', 'itsp');
		for (let n = 0; n < 3; n++)
			reply(await asked('INVITE', '4930999', n), 407, { headers: challenges('Proxy-Authenticate', `n${n}`) });
		await state('out', call, 'failed');
		await gone(server, 'out');
	});

	test('an offer of SRTP that is refused is made again without, where that is allowed', async () => {
		await trunk('safe', { srtp: true });
		const strict = await dial('out', '4930111', 'safe');
		reply(await asked('INVITE', '4930111'), 488);
		await state('out', strict.call, 'failed');
		await trunk('safe', { srtp: true, srtp_optional: true });
		const { call } = await dial('out', '4930222', 'safe');
		const first = await asked('INVITE', '4930222');
		assert.match(first.text, /^m=audio \d+ RTP\/SAVP/m);
		reply(first, 488);
		const second = await asked('INVITE', '4930222', 1);
		assert.match(second.text, /^m=audio \d+ RTP\/AVP/m);
		assert.doesNotMatch(second.text, /a=crypto/);
		reply(second, 488);
		await state('out', call, 'failed');
		await gone(server, 'out');
	});

	test('SDP among other parts; a body of several parts without it is refused', async () => {
		const part = (type, body) => `--frontier\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`;
		const type = 'multipart/mixed;boundary=frontier';
		const isup = part('application/ISUP;version=nxv3', '\x01\x10\xff');
		const d = sip.dialog('parts');
		sip.send(d, 'INVITE', { type, body: `${isup}${part('application/sdp', sdp(9996))}--frontier--\r\n` });
		const answer = await sip.final(d, 'INVITE');
		assert.equal(answer.status, 200, answer.text);
		assert.match(answer.text, /^m=audio \d+ RTP\/AVP 0/m);
		sip.acknowledge(d, answer);
		await legs(server, 'parts', 1);
		const other = sip.dialog('parts');
		sip.send(other, 'INVITE', { type, body: `${isup}--frontier--\r\n` });
		const refused = await sip.final(other, 'INVITE');
		assert.equal(refused.status, 415, refused.text);
		sip.acknowledge(other, refused);
		sip.send(d, 'BYE');
		assert.equal((await sip.final(d, 'BYE')).status, 200);
		await gone(server, 'parts');
	});

});

test('more calls than sip.max_calls are refused', limit, async () => {
	const small = await Server.small({ 'sip.port': 0, 'sip.silence_s': 0, 'sip.max_calls': 2 });
	const raw = await RawSip.open(small);
	const call = async () => {
		const d = raw.dialog('full');
		raw.send(d, 'INVITE', { body: sdp(9994) });
		const answer = await raw.final(d, 'INVITE');
		raw.acknowledge(d, answer);
		return { d, answer };
	};
	const calls = [await call(), await call()];
	for (const c of calls)
		assert.equal(c.answer.status, 200, c.answer.text);
	const { answer } = await call();
	assert.equal(answer.status, 503, answer.text);
	assert.match(answer.text, /^Retry-After: /m);
	for (const { d } of calls) {
		raw.send(d, 'BYE');
		assert.equal((await raw.final(d, 'BYE')).status, 200);
	}
	raw.close();
	await small.stopFine();
});

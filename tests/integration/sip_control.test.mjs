// The control of calls, by hand: races, refreshes, transfers, and what is answered to
// requests within a dialog.
// Beside others.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { RawSip } from '../support/sip_raw.mjs';
import { within } from '../support/variant.mjs';

// Side by side: some wait for what takes a minute.
const limit = { timeout: within(200000), concurrency: true };
let server, sip;

const sdp = (extra = '', version = 1, address = '127.0.0.1') => ['v=0', `o=raw 1 ${version} IN IP4 127.0.0.1`, 's=-',
	`c=IN IP4 ${address}`, 't=0 0', 'm=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000', ...extra ? [extra] : [], ''].join('\r\n');

const legs = async (room) => (await (await fetch(`${server.url}/api/v1/rooms/${room}/legs`, {
	headers: { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` } })).json()).legs ?? [];
const empty = (room) => until(`${room} to be empty`, async () => (await legs(room)).length === 0);
const full = (room, n) => until(`${n} in ${room}`, async () => (await legs(room)).length === n);

// A call that is up.
async function call(room, { headers, body = sdp() } = {}) {
	const d = sip.dialog(room);
	sip.send(d, 'INVITE', { headers, body });
	const answer = await sip.final(d, 'INVITE');
	assert.equal(answer.status, 200, answer.text);
	sip.acknowledge(d, answer);
	return d;
}

async function bye(d) {
	sip.send(d, 'BYE');
	assert.equal((await sip.final(d, 'BYE')).status, 200);
}

// A request of the server within the dialog.
const asked = (d, method, n = 0) => until(`${method} of the server`, () => {
	const all = sip.messages.filter((m) => m.method === method && m.callId === d.callId);
	return [...new Map(all.map((m) => [m.cseq, m])).values()][n];
});

// Answers it as it came, with a tag of ours where To has none; body: SDP.
function answer(m, status, { body = '', headers = [] } = {}) {
	const keep = m.text.split('\r\n').filter((l) => /^(Via|From|To|Call-ID|CSeq):/i.test(l))
		.map((l) => /^To:/i.test(l) && !/;tag=/.test(l) ? `${l};tag=callee` : l);
	sip.raw([`SIP/2.0 ${status} Answer`, ...keep, `Contact: <sip:raw@127.0.0.1:${sip.port}>`, ...headers,
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

describe('call control', limit, () => {
	before(async () => {
		server = await Server.small({ 'sip.port': 0, 'sip.silence_s': 0, 'room.linger_s': 0 });
		sip = await RawSip.open(server);
	});
	after(async () => {
		sip.close();
		await server.stopFine();
	});

	test('an ACK that does not come ends the call', async () => {
		const d = sip.dialog('noack');
		sip.send(d, 'INVITE', { body: sdp() });
		const first = await sip.final(d, 'INVITE');
		assert.equal(first.status, 200);
		await full('noack', 1);
		// it is said again and again, then BYE
		const m = await until('BYE', () => sip.messages.find((x) => x.method === 'BYE' && x.callId === d.callId), 60000);
		assert.match(m.text, /^Reason: .*408/m);
		answer(m, 200);
		await empty('noack');
	});

	test('PRACK: who wants answers to be sure gets them so', async () => {
		const d = sip.dialog('prack');
		sip.send(d, 'INVITE', { body: sdp(), headers: ['Require: 100rel', 'Supported: 100rel'] });
		const ringing = await until('180', () => sip.answers(d, 'INVITE').find((m) => m.status === 180));
		const rseq = ringing.text.match(/^RSeq: (\d+)/m)[1];
		assert.ok(!sip.answers(d, 'INVITE').some((m) => m.status === 200), 'not before PRACK');
		const { invite } = d;
		d.to = ringing.to;
		d.target = ringing.contact;
		sip.send(d, 'PRACK', { headers: [`RAck: ${rseq} ${invite.cseq} INVITE`] });
		assert.equal((await sip.final(d, 'PRACK')).status, 200);
		const ok = await sip.final(d, 'INVITE');
		assert.equal(ok.status, 200);
		sip.acknowledge(d, ok);
		await full('prack', 1);
		await bye(d);
		await empty('prack');
	});

	test('hold by UPDATE and by c=0.0.0.0; versions grow with what is said', async () => {
		const d = await call('hold');
		const say = async (method, body, n) => {
			sip.send(d, method, { body });
			const m = await until(`answer ${n}`, () => sip.answers(d, method).filter((x) => x.status >= 200 && x.cseq === `${d.cseq} ${method}`)[0]);
			assert.equal(m.status, 200, m.text);
			if (method === 'INVITE')
				sip.acknowledge(d, m);
			return m.text;
		};
		const version = (text) => Number(text.match(/^o=- \d+ (\d+)/m)[1]);
		const held = await say('UPDATE', sdp('a=sendonly', 2), 1);
		assert.match(held, /^a=recvonly/m);
		const back = await say('UPDATE', sdp('', 3), 2);
		assert.match(back, /^a=sendrecv/m);
		const old = await say('INVITE', sdp('', 4, '0.0.0.0'), 3);
		assert.match(old, /^a=recvonly/m);
		const again = await say('INVITE', sdp('', 5), 4);
		const same = await say('INVITE', sdp('', 5), 5);
		assert.ok(version(back) > version(held) && version(old) > version(back) && version(again) > version(old));
		assert.equal(version(same), version(again));
		assert.match(await say('UPDATE', undefined, 6), /^CSeq: 7 UPDATE/m);
		await bye(d);
	});

	test('refused within a call: what is not understood, and the call goes on', async () => {
		const d = await call('odd');
		sip.send(d, 'INVITE', { body: sdp().replace('AVP 0 101', 'AVP 77') });
		const no = await until('488', () => sip.answers(d, 'INVITE').find((m) => m.status === 488));
		assert.match(no.text, /^Warning: 305 /m);
		sip.acknowledge(d, no);
		d.to = no.to;
		sip.send(d, 'INFO', { headers: ['Content-Type: application/dtmf-relay'] });
		assert.equal((await sip.final(d, 'INFO')).status, 200);
		await full('odd', 1);
		await bye(d);
		await empty('odd');
	});

	test('a body that is no SDP: 415', async () => {
		const d = sip.dialog('body');
		sip.send(d, 'INVITE', { type: 'text/plain', body: 'hello' });
		const m = await sip.final(d, 'INVITE');
		assert.equal(m.status, 415);
		assert.match(m.text, /^Accept: application\/sdp/m);
		sip.acknowledge(d, m);
	});

	test('BYE for a call that there is not: 481; a Reason is read', async () => {
		const d = sip.dialog('none');
		d.to += ';tag=strange';
		sip.send(d, 'BYE');
		assert.equal((await sip.final(d, 'BYE')).status, 481);
		const e = await call('reason');
		sip.send(e, 'BYE', { headers: ['Reason: Q.850;cause=16;text="Normal call clearing"'] });
		assert.equal((await sip.final(e, 'BYE')).status, 200);
		await until('the record', async () => {
			const { calls } = await (await fetch(`${server.url}/api/v1/calls`, {
				headers: { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` } })).json();
			return calls.find((c) => c.room === 'reason' && /Normal call clearing/.test(c.reason));
		});
	});

	test('a transfer to another room is done inside', async () => {
		const d = await call('from');
		await full('from', 1);
		sip.send(d, 'REFER', { headers: [`Refer-To: <sip:into@127.0.0.1:${server.sipPort}>`] });
		assert.equal((await sip.final(d, 'REFER')).status, 202);
		await full('into', 1);
		await empty('from');
		const told = await until('NOTIFY of the end', () => sip.messages.find((m) => {
			if (m.method !== 'NOTIFY' || m.callId !== d.callId)
				return false;
			if (!m.answered)
				answer(m, 200);
			m.answered = true;
			return /SIP\/2\.0 200/.test(m.text);
		}));
		assert.match(told.text, /^Content-Type: message\/sipfrag/m);
		assert.match(told.text, /^Subscription-State: terminated/m);
		await bye(d);
		await empty('into');
	});

	test('who has shown no password has nobody called', async () => {
		const d = await call('fraud');
		sip.send(d, 'REFER', { headers: ['Refer-To: <sip:+4990012345@example.org>'] });
		assert.equal((await sip.final(d, 'REFER')).status, 403);
		sip.send(d, 'REFER');
		assert.equal((await until('an answer to the second', () => sip.answers(d, 'REFER').find((m) => m.cseq === `${d.cseq} REFER`))).status, 400);
		await bye(d);
	});

	test('the server refreshes for who knows no UPDATE by an INVITE that offers nothing', async () => {
		const d = await call('refresh', { headers: ['Session-Expires: 90;refresher=uas', 'Supported: timer', 'Allow: INVITE, ACK, BYE, CANCEL'] });
		const m = await until('the refresh', () => sip.messages.find((x) => x.method === 'INVITE' && x.callId === d.callId), 90000);
		assert.doesNotMatch(m.text, /^v=0/m);
		answer(m, 200, { body: sdp('', 2) });
		const ack = await asked(d, 'ACK');
		assert.match(ack.text, /^m=audio \d+ RTP\/AVP 0/m);
		await full('refresh', 1);
		await bye(d);
	});

	test('REFER outside of a call, with a password, calls somebody into a room', async () => {
		const r = await fetch(`${server.url}/api/v1/users/admin/sip`, { method: 'PUT', body: JSON.stringify({ password: 'secret-phone-1' }),
			headers: { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}`, 'content-type': 'application/json' } });
		assert.equal(r.status, 200);
		const d = sip.dialog('other'), to = `Refer-To: <sip:raw@127.0.0.1:${sip.port}>`;
		sip.send(d, 'REFER', { headers: [to] });
		const no = await sip.final(d, 'REFER');
		assert.equal(no.status, 401);
		sip.send(d, 'REFER', { headers: [to, digest(no, 'admin', 'secret-phone-1', 'REFER', d.uri)] });
		await until('202', () => sip.answers(d, 'REFER').find((m) => m.status === 202));
		const m = await until('INVITE', () => sip.messages.find((x) => x.method === 'INVITE' && /^To: <sip:raw@/m.test(x.text)));
		answer(m, 180);
		answer(m, 200, { body: `${sdp()}m=video 0 RTP/AVP 99\r\n` });
		await until('NOTIFY of the answer', () => {
			const told = sip.messages.filter((x) => x.method === 'NOTIFY' && x.callId === d.callId);
			for (const n of told.filter((x) => !x.answered)) {
				answer(n, 200);
				n.answered = true;
			}
			return told.some((x) => /SIP\/2\.0 200/.test(x.text) && /^Subscription-State: terminated/m.test(x.text));
		});
		await full('other', 1);
	});
});

// What a telephone that is called may do; here it is all done by hand.
describe('calls out', { timeout: within(120000) }, () => {
	let phone, seen = 0;

	before(async () => {
		server = await Server.small({ 'sip.port': 0, 'sip.silence_s': 0, 'room.linger_s': 0 });
		phone = sip = await RawSip.open(server);
		assert.equal((await rest('PUT', 'rooms/out', {})).status, 200);
	});
	after(async () => {
		phone.close();
		await server.stopFine();
	});

	async function rest(method, path, body) {
		const r = await fetch(`${server.url}/api/v1/${path}`, { method, body: body && JSON.stringify(body),
			headers: { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` } });
		const text = await r.text();
		return { status: r.status, ...text && JSON.parse(text) };
	}

	const dial = async () => (await rest('POST', 'rooms/out/dial', { to: `sip:raw@127.0.0.1:${phone.port}` })).call;
	const hangup = (c) => rest('DELETE', `rooms/out/dial/${c}`);
	const becomes = (c, state) => until(`the call to be ${state}`, async () => (await rest('GET', `rooms/out/dial/${c}`)).state === state);
	// The next INVITE that is not one said again.
	const rings = async () => {
		const m = await until('INVITE', () => [...new Map(phone.messages.filter((x) => x.method === 'INVITE').map((x) => [x.callId + x.cseq, x])).values()][seen]);
		seen++;
		return m;
	};
	// To an offer of sound and pictures.
	const agreed = `${sdp()}m=video 0 RTP/AVP 99\r\n`;
	const ended = async (c, m) => {
		answer(await phone.requested(m, 'BYE'), 200);
		await becomes(c, 'ended');
	};

	test('it is sent elsewhere (302), rings, answers, is hung up on', async () => {
		const c = await dial();
		answer(await rings(), 302);
		const m = await rings();
		answer(m, 180);
		await becomes(c, 'ringing');
		answer(m, 200, { body: agreed });
		await phone.requested(m, 'ACK');
		await becomes(c, 'answered');
		await hangup(c);
		await ended(c, m);
	});

	test('hung up while it rings: CANCEL with its reason', async () => {
		const c = await dial(), m = await rings();
		answer(m, 180);
		await becomes(c, 'ringing');
		await hangup(c);
		const cancel = await phone.requested(m, 'CANCEL');
		assert.match(cancel.text, /^Reason: Q\.850;cause=16/m);
		answer(cancel, 200);
		answer(m, 487);
		await becomes(c, 'ended');
	});

	test('its answer crosses CANCEL: ACK, then BYE', async () => {
		const c = await dial(), m = await rings();
		answer(m, 180);
		await becomes(c, 'ringing');
		await hangup(c);
		const cancel = await phone.requested(m, 'CANCEL');
		answer(m, 200, { body: agreed });
		answer(cancel, 481);
		await phone.requested(m, 'ACK');
		await ended(c, m);
	});

	test('early media, surely (PRACK); the answer needs none then', async () => {
		const c = await dial(), m = await rings();
		answer(m, 183, { body: agreed, headers: ['Require: 100rel', 'RSeq: 7'] });
		const prack = await phone.requested(m, 'PRACK');
		assert.match(prack.text, /^RAck: 7 \d+ INVITE/m);
		answer(prack, 200);
		await becomes(c, 'early');
		answer(m, 200);
		await becomes(c, 'answered');
		await hangup(c);
		await ended(c, m);
	});

	test('nothing to agree on: ACK, then BYE, and it says why', async () => {
		const c = await dial(), m = await rings();
		answer(m, 200, { body: agreed.replace('AVP 0 101', 'AVP 77') });
		await phone.requested(m, 'ACK');
		const bye = await phone.requested(m, 'BYE');
		assert.match(bye.text, /^Reason: SIP;cause=488/m);
		answer(bye, 200);
		await until('the end', async () => /failed|ended/.test((await rest('GET', `rooms/out/dial/${c}`)).state));
	});
});

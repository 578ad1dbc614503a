// Telephones that do as browsers do: ICE and DTLS-SRTP (RFC 8839, RFC 5763).
// Beside others.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Baresip } from '../support/baresip.mjs';
import { Server, until } from '../support/server.mjs';
import { HEARD_DB, Telephone, gone, legs } from '../support/sip_rig.mjs';
import { RawSip } from '../support/sip_raw.mjs';
import { within } from '../support/variant.mjs';

const A = 440, B = 700; // Hz
const limit = { timeout: within(120000) };
const FINGERPRINT = Array.from({ length: 32 }, (_, i) => (i + 16).toString(16).toUpperCase()).join(':');
let server, sip;

// What a gateway in front of browsers offers; ufrag: of this generation of ICE.
const offer = (ufrag = 'theirs', version = 1) => ['v=0', `o=raw 1 ${version} IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0',
	'm=audio 9999 UDP/TLS/RTP/SAVPF 0', 'a=rtpmap:0 PCMU/8000', `a=ice-ufrag:${ufrag}`, 'a=ice-pwd:theirpasswordtheirpassword', `a=fingerprint:sha-256 ${FINGERPRINT}`,
	'a=setup:actpass', 'a=rtcp-mux', 'a=candidate:1 1 UDP 2130706431 127.0.0.1 9999 typ host', ''].join('\r\n');
const value = (text, name) => text.match(new RegExp(`^a=${name}:(.*)\r$`, 'm'))?.[1];
const candidates = (text) => text.match(/^a=candidate:.*\r$/mg) ?? [];

function checkAnswer(text) {
	const [, port] = text.match(/^m=audio (\d+) UDP\/TLS\/RTP\/SAVPF 0\r$/m);
	const [, address] = text.match(/^m=audio[^]*?^c=IN IP4 (.*)\r$/m);
	assert.match(value(text, 'ice-ufrag'), /^.{4,}$/);
	assert.match(value(text, 'ice-pwd'), /^.{22,}$/);
	assert.match(value(text, 'fingerprint'), /^sha-256 [0-9A-F:]{95}$/);
	assert.equal(value(text, 'setup'), 'passive');
	assert.ok(candidates(text).some((c) => c.includes(` ${address} ${port} typ `)), `the address is one of the candidates: ${text}`);
	assert.doesNotMatch(text, /trickle/);
}

describe('telephones with ICE and DTLS', limit, () => {
	before(async () => {
		server = await Server.small({ 'sip.port': 0, 'room.linger_s': 0 });
		sip = await RawSip.open(server);
	});
	after(async () => {
		sip.close();
		await server.stopFine();
	});

	const invite = async (d, body) => {
		sip.send(d, 'INVITE', { body });
		const answer = await until('an answer', () => sip.answers(d, 'INVITE').find((m) => m.status >= 200 && m.cseq === `${d.cseq} INVITE`));
		sip.acknowledge(d, answer);
		return answer;
	};

	test('the answer has our candidates; one to an ICE restart has others', async () => {
		const d = sip.dialog('answer');
		const first = await invite(d, offer());
		assert.equal(first.status, 200, first.text);
		checkAnswer(first.text);
		const same = await invite(d, offer('theirs', 2));
		assert.equal(same.status, 200, same.text);
		assert.deepEqual(candidates(same.text), candidates(first.text));
		assert.equal(value(same.text, 'ice-ufrag'), value(first.text, 'ice-ufrag'));
		const again = await invite(d, offer('others', 3));
		assert.equal(again.status, 200, again.text);
		checkAnswer(again.text);
		assert.notEqual(value(again.text, 'ice-ufrag'), value(first.text, 'ice-ufrag'));
		sip.send(d, 'BYE');
		assert.equal((await sip.final(d, 'BYE')).status, 200);
		await gone(server, 'answer');
	});

	// From where its PIN is asked for to the room, which is another side of ICE and DTLS.
	test('who comes into a room by a prompt is offered that side', async () => {
		const r = await fetch(`http://127.0.0.1:${server.port}/api/v1/rooms/secret`, {
			method: 'PUT', body: JSON.stringify({ guest_pin: '4321' }),
			headers: { 'Content-Type': 'application/json', Authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` },
		});
		assert.equal(r.status, 200, await r.text());
		const d = sip.dialog('secret');
		const first = await invite(d, offer());
		assert.equal(first.status, 200, first.text);
		checkAnswer(first.text);
		for (const digit of '4321#') {
			sip.send(d, 'INFO', { type: 'application/dtmf-relay', body: `Signal=${digit}\r\nDuration=100\r\n` });
			await until('an answer', () => sip.answers(d, 'INFO').find((m) => m.cseq === `${d.cseq} INFO`));
		}
		const again = await sip.requested(d, 'INVITE');
		assert.equal(value(again.text, 'setup'), 'active'); // it was passive
		assert.notEqual(value(again.text, 'ice-ufrag'), value(first.text, 'ice-ufrag'));
		assert.ok(candidates(again.text).length);
		assert.equal(candidates(again.text).filter((c) => candidates(first.text).includes(c)).length, 0);
		const answer = offer('after', 2).replace('actpass', 'passive');
		const keep = again.text.split('\r\n').filter((l) => /^(Via|From|To|Call-ID|CSeq):/i.test(l));
		sip.raw(['SIP/2.0 200 OK', ...keep, `Contact: <sip:raw@127.0.0.1:${sip.port}>`, 'Content-Type: application/sdp', `Content-Length: ${answer.length}`, '', answer].join('\r\n'));
		await sip.requested(d, 'ACK');
		await legs(server, 'secret', 1);
		sip.send(d, 'BYE');
		assert.equal((await sip.final(d, 'BYE')).status, 200);
		await gone(server, 'secret');
	});

	test('one is heard, and hears', async () => {
		const a = await Telephone.call(server, 'both', { hz: A });
		const b = await Baresip.start({ hz: B, ice: true });
		await b.call(`sip:both@127.0.0.1:${server.sipPort}`);
		await legs(server, 'both', 2);
		await a.hears({ [A]: false, [B]: true });
		await until('baresip to hear the telephone', () => b.hears(A) > HEARD_DB);
		assert.match(b.log, /DTLS-SRTP complete/);
		await b.hangup();
		await b.stop();
		await a.finish();
		await gone(server, 'both');
	});
});

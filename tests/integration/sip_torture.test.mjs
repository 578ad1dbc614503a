// RFC 4475's messages, one after the other, each from an address of its own: every
// answer is one that the RFC allows, and the server lives.
// Beside others.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import net from 'node:net';
import { after, before, test } from 'node:test';
import tls from 'node:tls';

import { Server, until } from '../support/server.mjs';
import { SILENCE, TABLE } from '../sip/torture/table.mjs';

let server;
before(async () => { server = await Server.start({ 'sip.port': 0, 'sip.tls_port': 0, 'room.on_demand': false }); });
after(() => server?.kill());

const bind = (host, port) => new Promise((resolve, reject) => {
	const s = dgram.createSocket('udp4');
	s.once('error', reject);
	s.bind(port, host, () => resolve(s));
});

// An answer over UDP goes to where the packet came from, at the port that Via names:
// 5060, or 5050 in one message.
async function udp(host) {
	const sockets = await Promise.all([5060, 5050].map((port) => bind(host, port)));
	const wire = { text: '', ended: false };
	sockets.forEach((s) => s.on('message', (d) => { wire.text += d.toString('latin1'); }));
	wire.send = (bytes) => sockets[0].send(bytes, server.sipPort, '127.0.0.1');
	wire.close = () => sockets.forEach((s) => s.close());
	return wire;
}

async function stream(host, secure) {
	const port = secure ? server.sipTlsPort : server.sipPort;
	const options = { host: '127.0.0.1', port, localAddress: host, rejectUnauthorized: false };
	const wire = { text: '', ended: false };
	const s = await new Promise((resolve, reject) => {
		const one = secure ? tls.connect(options, () => resolve(one)) : net.connect(options, () => resolve(one));
		one.once('error', reject);
	});
	s.on('data', (d) => { wire.text += d.toString('latin1'); });
	s.on('close', () => { wire.ended = true; });
	s.on('error', () => {});
	wire.send = (bytes) => s.write(bytes);
	wire.close = () => s.destroy();
	return wire;
}

const PING = 'ping@test';
const ping = (host, transport) => Buffer.from(`OPTIONS sip:127.0.0.1 SIP/2.0\r
Via: SIP/2.0/${transport.toUpperCase()} ${host}:5060;branch=z9hG4bKping${host}\r
From: <sip:test@${host}>;tag=1\r
To: <sip:127.0.0.1>\r
Call-ID: ${PING}${host}\r
CSeq: 1 OPTIONS\r
Max-Forwards: 70\r
Content-Length: 0\r
\r
`);

// The final answers in what came, but for those to the ping.
const answers = (text) => text.split(/^(?=SIP\/2\.0 )/m).filter((a) => a.startsWith('SIP/2.0 ') && !a.includes(PING));
const status = (answer) => Number(answer.slice(8, 11));

// What came back for a message; a ping behind it shows that all has come, unless the
// connection was closed on us or is stuck in the message: then it goes beside it.
async function ask({ name, bytes, transport, answers: allowed, deviates }, n) {
	const silent = (deviates?.answers ?? allowed).includes(SILENCE);
	const stuck = transport !== 'udp' && !!deviates && silent;
	const host = `127.75.${process.pid % 250}.${n + 1}`;
	const open = () => transport === 'udp' ? udp(host) : stream(host, transport === 'tls');
	const wire = await open(), beside = stuck ? await open() : wire;
	try {
		wire.send(bytes);
		if (transport !== 'udp' && !silent)
			await until(`an answer or the end after ${name}`, () => wire.ended || answers(wire.text).length);
		if (!wire.ended)
			beside.send(ping(host, transport));
		await until(`the server to be there after ${name}`, () => wire.ended || beside.text.includes(PING));
		return answers(wire.text).map(status).filter((s) => s >= 200);
	} finally {
		wire.close();
		if (stuck)
			beside.close();
	}
}

test('there are 49 of them', () => {
	assert.equal(TABLE.length, 49);
	assert.equal(new Set(TABLE.map((r) => r.name)).size, 49);
	assert.ok(TABLE.every((r) => r.bytes?.length > 100));
});

for (const [n, row] of TABLE.entries())
	test(`${row.section} ${row.name}${row.deviates ? `: ${row.deviates.why}` : ''}`, async () => {
		const got = await ask(row, n);
		const allowed = row.deviates?.answers ?? row.answers;
		if (!got.length)
			assert.ok(allowed.includes(SILENCE), `no answer, where ${allowed} is allowed`);
		// the same answer may come again
		assert.equal(new Set(got).size, got.length ? 1 : 0, `answered ${got}`);
		assert.ok(!got.length || allowed.includes(got[0]), `answered ${got}, where ${allowed} is allowed`);
	});

test('the server lives, and ends in good order', async () => {
	assert.equal((await fetch(`${server.url.replace('localhost', '127.0.0.1')}/metrics`)).status, 200);
	await server.stopFine();
	server = null;
});

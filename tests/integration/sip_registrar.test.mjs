// Registration, who may call, and floods: SIP by hand.
// Beside others.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';

import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';

const limit = { timeout: within(60000) };
const ALGORITHMS = { MD5: 'md5', 'SHA-256': 'sha256' };
let server;

async function rest(method, path, body) {
	const r = await fetch(`${server.url}${path}`, { method,
		headers: { Authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}`,
			'Content-Type': 'application/json' },
		...body && { body: JSON.stringify(body) } });
	const text = await r.text();
	return { status: r.status, body: text ? JSON.parse(text) : null };
}

// A telephone that asks one thing at a time, over UDP or a stream.
class Asker {
	answers = [];
	calls = []; // INVITEs that came
	static async open(how = 'udp', host = '127.0.0.1') {
		const a = new Asker();
		a.host = host;
		a.how = how;
		const take = (d) => a.take(d.toString('latin1'));
		if (how === 'udp') {
			a.socket = dgram.createSocket('udp4').on('message', take);
			await new Promise((resolve) => a.socket.bind(0, host, resolve));
			a.write = (text) => a.socket.send(text, server.sipPort, '127.0.0.1');
			a.close = () => a.socket.close();
		} else {
			const o = { host: '127.0.0.1', localAddress: host, rejectUnauthorized: false, port: how === 'tls' ? server.sipTlsPort : server.sipPort };
			a.socket = await new Promise((resolve, reject) => {
				const s = (how === 'tls' ? tls : net).connect(o, () => resolve(s)).on('error', reject);
			});
			a.socket.on('data', take).on('error', () => {}).on('close', () => { a.ended = true; });
			a.write = (text) => a.socket.write(text);
			a.close = () => a.socket.destroy();
		}
		return a;
	}

	take(text) {
		if (text.startsWith('INVITE '))
			this.calls.push(text);
		for (const one of text.split(/(?=SIP\/2\.0 \d)/)) {
			const status = Number(one.match(/^SIP\/2\.0 (\d+)/)?.[1]);
			if (status >= 200)
				this.answers.push({ status, text: one, id: one.match(/^Call-ID: (.*)\r$/m)?.[1], cseq: Number(one.match(/^CSeq: (\d+)/m)?.[1]) });
		}
	}

	// user: who says so; to: whom it is for.
	async ask(method, { user = 'somebody', to = user, uri = `sip:127.0.0.1`, headers = [], id = randomBytes(8).toString('hex'), cseq = 1, from = `sip:${user}@127.0.0.1` } = {}) {
		const branch = randomBytes(8).toString('hex');
		this.write([`${method} ${uri} SIP/2.0`, `Via: SIP/2.0/${this.how.toUpperCase()} ${this.host}:9;branch=z9hG4bK${branch};rport`, 'Max-Forwards: 70',
			`From: <${from}>;tag=${branch}`, `To: <sip:${to}@127.0.0.1>`, `Call-ID: ${id}`, `CSeq: ${cseq} ${method}`, ...headers, 'Content-Length: 0', '', ''].join('\r\n'));
		const a = await until(`an answer to ${method}`, () => this.answers.find((x) => x.id === id && x.cseq === cseq));
		// what is refused is sent again until its ACK
		if (method === 'INVITE')
			this.write([`ACK ${uri} SIP/2.0`, `Via: SIP/2.0/${this.how.toUpperCase()} ${this.host}:9;branch=z9hG4bK${branch};rport`,
				`From: <${from}>;tag=${branch}`, a.text.match(/^To: .*$/m)[0].trim(), `Call-ID: ${id}`, `CSeq: ${cseq} ACK`, 'Content-Length: 0', '', ''].join('\r\n'));
		return a;
	}

	// Answers a challenge.
	static credentials(challenged, user, password, method, { algorithm = 'SHA-256', uri = 'sip:127.0.0.1', nc = '00000001' } = {}) {
		const line = challenged.text.split('\r\n').find((l) => l.startsWith('WWW-Authenticate'));
		const [realm, nonce] = ['realm', 'nonce'].map((k) => line.match(new RegExp(`${k}="([^"]*)"`))[1]);
		const h = (...parts) => createHash(ALGORITHMS[algorithm]).update(parts.join(':')).digest('hex');
		const response = h(h(user, realm, password), nonce, nc, 'c', 'auth', h(method, uri));
		return `Authorization: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=${algorithm}, qop=auth, nc=${nc}, cnonce="c"`;
	}

	async register(password, { user = 'ada', contact = `<sip:ada@${this.host}:9>`, headers = [], algorithm, id = randomBytes(8).toString('hex'), cseq = 1 } = {}) {
		const all = [...contact ? [`Contact: ${contact}`] : [], ...headers];
		const challenged = await this.ask('REGISTER', { user, headers: all, id, cseq });
		assert.equal(challenged.status, 401);
		return this.ask('REGISTER', { user, id, cseq: cseq + 1,
			headers: [...all, Asker.credentials(challenged, user, password, 'REGISTER', { algorithm })] });
	}
}

const contacts = (answer) => answer.text.split('\r\n').filter((l) => l.startsWith('Contact:')).join();

describe('telephones', limit, () => {
	let phone;
	const password = 'for telephones';
	before(async () => {
		server = await Server.small({ 'sip.port': 0, 'sip.tls_port': 0, 'room.on_demand': false,
			'sip.messages_per_s': 100 });
		await rest('POST', '/api/v1/users', { name: 'ada', password: 'for signing in', role: 'participant' });
		assert.equal((await rest('PUT', '/api/v1/users/ada/sip', { password })).status, 200);
		phone = await Asker.open();
	});
	after(async () => {
		phone?.close();
		await server?.stopFine();
	});

	test('OPTIONS by UDP, TCP and TLS', async () => {
		for (const how of ['udp', 'tcp', 'tls']) {
			const a = await Asker.open(how);
			const { status, text } = await a.ask('OPTIONS');
			assert.equal(status, 200, how);
			for (const header of [/^Allow: .*INVITE.*REGISTER/m, /^Accept: application\/sdp/m, /^Supported: /m])
				assert.match(text, header);
			a.close();
		}
	});

	test('one user registers several telephones, by either algorithm, over every transport', async () => {
		assert.match(contacts(await phone.register(password, { algorithm: 'MD5' })), /<sip:ada@127\.0\.0\.1:9>;expires=3600/);
		for (const how of ['tcp', 'tls']) {
			const a = await Asker.open(how);
			const r = await a.register(password, { contact: `<sip:ada@192.0.2.9:9;transport=${how}>;expires=300` });
			assert.equal(r.status, 200);
			assert.match(contacts(r), new RegExp(`transport=${how}>;expires=(300|299)`));
			a.close();
		}
		const { phones, enabled } = (await rest('GET', '/api/v1/users/ada/sip')).body;
		assert.equal(enabled, true);
		assert.equal(phones.length, 3);
		assert.match(phones[0].address, /^sip:127\.0\.0\.1:\d+;transport=tls$/); // not 192.0.2.9
		assert.equal((await phone.register(password, { contact: '<sip:ada@127.0.0.1:9>;expires=10' })).status, 423);
		assert.equal((await phone.register(password, { contact: '*' })).status, 400);
		const gone = await phone.register(password, { contact: '*', headers: ['Expires: 0'] });
		assert.equal(gone.status, 200);
		assert.equal(contacts(gone), '');
	});

	test('nobody registers with a wrong password, in another\'s name, or with what was overheard', async () => {
		const { register } = phone;
		assert.equal((await register.call(phone, 'for signing in')).status, 401);
		assert.equal((await register.call(phone, password, { user: 'nobody' })).status, 401);
		const challenged = await phone.ask('REGISTER', { user: 'ada' });
		const mine = Asker.credentials(challenged, 'ada', password, 'REGISTER');
		assert.equal((await phone.ask('REGISTER', { user: 'ada', to: 'eve', headers: ['Contact: <sip:eve@127.0.0.1:9>', mine] })).status, 403);
		const again = await phone.ask('REGISTER', { user: 'ada', headers: ['Contact: <sip:eve@192.0.2.1>', mine] });
		assert.equal(again.status, 401);
		assert.match(again.text, /stale=true/);
		assert.deepEqual((await rest('GET', '/api/v1/users/ada/sip')).body.phones, []);
	});

	test('who guesses is not listened to for a while, and is in the log; others are', async () => {
		const guesser = await Asker.open('udp', '127.0.0.8');
		let status;
		for (let i = 0; i < 60 && status !== 403; i++)
			({ status } = await guesser.register(`guess ${i}`, { contact: '<sip:ada@127.0.0.8:9>' }));
		assert.equal(status, 403);
		await until('both in the log', () => /SIP: wrong password from 127\.0\.0\.8 for "ada"/.test(server.log) &&
			/SIP: too many wrong passwords from 127\.0\.0\.8/.test(server.log));
		assert.equal((await phone.register(password)).status, 200);
		guesser.close();
	});

	test('a telephone does not lead calls elsewhere: not by its Contact, nor by a Path of its own', async (t) => {
		const elsewhere = await Asker.open('udp', '127.0.0.9'), there = elsewhere.socket.address().port;
		t.after(() => elsewhere.close());
		for (const contact of ['<sip:ada@127.0.0.1:9;maddr=127.0.0.9>', '<sip:ada@127.0.0.1:9;%6Daddr=127.0.0.9>',
			`<sip:ada@127.0.0.1:9?Route=%3Csip:127.0.0.9:${there};lr%3E>`])
			assert.equal((await phone.register(password, { contact })).status, 400, contact);
		const headers = [`Path: <sip:127.0.0.9:${there};lr>`, 'Supported: path'];
		assert.equal((await phone.register(password, { contact: '<sip:ada@192.0.2.9:9>', headers })).status, 200);
		assert.equal((await rest('PUT', '/api/v1/rooms/calls-ada', {})).status, 200);
		const { status, body } = await rest('POST', '/api/v1/rooms/calls-ada/dial', { to: 'ada' });
		assert.equal(status, 202);
		await until('the call where the telephone speaks from', () => phone.calls.length);
		assert.doesNotMatch(phone.calls[0], /^Route:/m);
		assert.equal(elsewhere.calls.length, 0);
		await rest('DELETE', `/api/v1/rooms/calls-ada/dial/${body.call}`);
		assert.equal((await phone.register(password, { contact: '*', headers: ['Expires: 0'] })).status, 200);
	});

	test('whoever says to be a user has to show it; guests get as far as the rooms let them', async () => {
		const uri = `sip:no-such-room@127.0.0.1:${server.sipPort}`;
		const headers = ['Contact: <sip:x@127.0.0.1:9>'];
		const challenged = await phone.ask('INVITE', { user: 'ada', to: 'no-such-room', uri, headers });
		assert.equal(challenged.status, 401);
		const shown = Asker.credentials(challenged, 'ada', password, 'INVITE', { uri });
		assert.notEqual((await phone.ask('INVITE', { user: 'ada', to: 'no-such-room', uri, headers: [...headers, shown] })).status, 401);
		assert.notEqual((await phone.ask('INVITE', { to: 'no-such-room', uri, headers })).status, 401);
	});

	test('what cannot be served is refused as it should be', async () => {
		assert.equal((await phone.ask('SUBSCRIBE', { headers: ['Event: presence'] })).status, 405);
		assert.equal((await phone.ask('JUMP')).status, 501);
		assert.equal((await phone.ask('OPTIONS', { headers: ['Require: wings'] })).status, 420);
		assert.equal((await phone.ask('OPTIONS', { uri: 'unknown:scheme' })).status, 416);
		const loop = [`Via: SIP/2.0/UDP 127.0.0.1:${server.sipPort};branch=z9hG4bKours`, 'Contact: <sip:x@127.0.0.1:9>'];
		assert.equal((await phone.ask('INVITE', { uri: `sip:room@127.0.0.1:${server.sipPort}`, headers: loop })).status, 482);
	});

	test('a flood harms only who sends it', async () => {
		const flood = await Asker.open('udp', '127.0.0.7');
		let sent = 0;
		await until('the flood to be dropped', async () => {
			for (let i = 0; i < 500; i++, sent++)
				flood.write(`OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.7:9;branch=z9hG4bKf${sent};rport\r\nFrom: <sip:f@h>;tag=f\r\nTo: <sip:x@h>\r\nCall-ID: f${sent}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`);
			return await server.value('mcu_sip_flood_blocked_total') >= 1;
		});
		await until('it in the log', () => /SIP: flood from 127\.0\.0\.7/.test(server.log));
		assert.equal((await phone.ask('OPTIONS')).status, 200);
		await until('the flood to be forgotten', async () => {
			flood.write(`OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.7:9;branch=z9hG4bKg${++sent};rport\r\nFrom: <sip:f@h>;tag=f\r\nTo: <sip:x@h>\r\nCall-ID: g${sent}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`);
			return flood.answers.some((a) => a.id?.startsWith('g'));
		});
		flood.close();
	});

	test('connections that are too many are ended', async () => {
		const many = await Promise.all(Array.from({ length: 130 }, () => Asker.open('tcp', '127.0.0.6')));
		await until('thirty to be ended', () => many.filter((a) => a.ended).length === 30);
		const one = await Asker.open('tcp');
		assert.equal((await one.ask('OPTIONS')).status, 200);
		[...many, one].forEach((a) => a.close());
	});
});

describe('a server for those it knows', limit, () => {
	before(async () => { server = await Server.small({ 'sip.port': 0, 'sip.callers': 'known' }); });
	after(() => server?.stopFine());

	test('guests are asked who they are', async () => {
		const phone = await Asker.open();
		const { status, text } = await phone.ask('INVITE', { uri: `sip:room@127.0.0.1:${server.sipPort}`, headers: ['Contact: <sip:x@127.0.0.1:9>'] });
		assert.equal(status, 401);
		assert.match(text, /WWW-Authenticate: Digest .*algorithm=MD5/);
		phone.close();
	});
});

// A WebSocket client (RFC 6455) that can also misbehave: raw frames, no reading,
// no pongs. Node.js 18 and 20 have none of their own. Messages are JSON objects.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';

import { within } from './variant.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

// One masked frame; length: what the header says, when that is to be a lie.
export function frame(opcode, payload, { final = true, length } = {}) {
	const body = Buffer.from(payload);
	const n = length ?? body.length;
	const head = n < 126 ? Buffer.from([0, 0x80 | n]) : Buffer.alloc(n < 65536 ? 4 : 10);
	if (n >= 126 && n < 65536) {
		head[1] = 0x80 | 126;
		head.writeUInt16BE(n, 2);
	} else if (n >= 65536) {
		head[1] = 0x80 | 127;
		head.writeBigUInt64BE(BigInt(n), 2);
	}
	head[0] = (final ? 0x80 : 0) | opcode;
	const mask = randomBytes(4);
	return Buffer.concat([head, mask, body.map((b, i) => b ^ mask[i % 4])]);
}

export class Socket {
	messages = []; // all that came
	pongs = 0;
	closed = null; // {code, reason}, or {} when the connection just ended
	answering = true; // to pings
	#buffer = Buffer.alloc(0);
	#waiting = new Set();

	static open(url, { path = '/ws', protocol = 'mcu.v1' } = {}) {
		const { hostname, port } = new URL(url);
		const key = randomBytes(16).toString('base64');
		const expected = createHash('sha1').update(key + GUID).digest('base64');
		return new Promise((resolve, reject) => {
			const req = http.request({
				host: hostname === 'localhost' ? '127.0.0.1' : hostname, port, path, agent: false,
				headers: {
					Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
					'Sec-WebSocket-Key': key, 'Sec-WebSocket-Protocol': protocol,
				},
			});
			req.once('error', reject);
			req.once('response', (r) => reject(new Error(`no upgrade: ${r.statusCode}`)));
			req.once('upgrade', (r, tcp, rest) => {
				if (r.headers['sec-websocket-accept'] !== expected)
					return reject(new Error('the upgrade was not for us'));
				resolve(new Socket(tcp, rest));
			});
			req.end();
		});
	}

	constructor(tcp, rest) {
		this.tcp = tcp;
		tcp.on('data', (d) => this.#take(d));
		tcp.on('error', () => {});
		tcp.on('close', () => {
			this.closed ??= {};
			this.#look();
		});
		this.#take(rest);
	}

	#take(data) {
		this.#buffer = Buffer.concat([this.#buffer, data]);
		for (;;) {
			const b = this.#buffer;
			if (b.length < 2)
				return;
			let n = b[1] & 127, at = 2;
			if (n === 126 && b.length >= 4)
				[n, at] = [b.readUInt16BE(2), 4];
			else if (n === 127 && b.length >= 10)
				[n, at] = [Number(b.readBigUInt64BE(2)), 10];
			else if (n >= 126)
				return;
			if (b.length < at + n)
				return;
			this.#buffer = b.subarray(at + n);
			this.#frame(b[0] & 15, b.subarray(at, at + n));
		}
	}

	#frame(opcode, body) {
		if (opcode === TEXT)
			this.messages.push(JSON.parse(body.toString()));
		else if (opcode === PING && this.answering)
			this.tcp.write(frame(PONG, body));
		else if (opcode === PONG)
			this.pongs++;
		else if (opcode === CLOSE)
			this.closed = { code: body.length >= 2 ? body.readUInt16BE(0) : 1005, reason: body.subarray(2).toString() };
		this.#look();
	}

	#look() {
		for (const w of this.#waiting)
			w();
	}

	send(message) {
		this.text(JSON.stringify(message));
	}

	text(text) {
		this.tcp.write(frame(TEXT, text));
	}

	binary(data) {
		this.tcp.write(frame(BINARY, data));
	}

	raw(data) {
		this.tcp.write(data);
	}

	// Resolves with what test() returns, as soon as that is true.
	until(what, test, ms = 10000) {
		return new Promise((resolve, reject) => {
			const finish = (how, value) => {
				clearTimeout(timer);
				this.#waiting.delete(look);
				how(value);
			};
			const look = () => {
				const v = test();
				if (v)
					finish(resolve, v);
				else if (this.closed)
					finish(reject, new Error(`closed (${JSON.stringify(this.closed)}) before ${what}; last: ${JSON.stringify(this.messages.at(-1))}`));
			};
			const timer = setTimeout(() => finish(reject, new Error(`waited in vain for ${what}; last: ${JSON.stringify(this.messages.at(-1))}`)), within(ms));
			this.#waiting.add(look);
			look();
		});
	}

	// The first message of that type (and for which test holds) at or after `from`.
	next(type, { from = 0, test = () => true, ms } = {}) {
		return this.until(type, () => this.messages.slice(from).find((m) => m.type === type && test(m)), ms);
	}

	async ask(message, type) {
		const from = this.messages.length;
		this.send(message);
		return this.next(type, { from });
	}

	async end(ms = 10000) {
		await this.until('the end', () => this.closed, ms);
		return this.closed;
	}

	async join(room, name, more = {}) {
		return this.ask({ type: 'join', room, name, ...more }, 'welcome');
	}

	destroy() {
		this.tcp.destroy();
	}
}

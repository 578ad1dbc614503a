// A client of RTSP made by hand: requests, replies, interleaved packets, UDP sockets.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';

import { until } from './server.mjs';

export class Rtsp {
	#seq = 0;
	#in = Buffer.alloc(0);
	#waiting = [];
	packets = []; // {channel, data, at}; channel 0 sound, 2 pictures, 1 and 3 RTCP
	sockets = [];
	ended = false;

	static async open(server, host = '127.0.0.1') {
		const c = new Rtsp();
		c.socket = connect(server.rtspPort, host);
		c.base = `rtsp://127.0.0.1:${server.rtspPort}`;
		c.socket.on('data', (d) => c.#data(d));
		c.socket.on('error', () => {});
		c.socket.on('close', () => {
			c.ended = true;
			c.#waiting.splice(0).forEach((w) => w({ status: 0, headers: {}, body: '' }));
		});
		await Promise.race([once(c.socket, 'connect'), once(c.socket, 'close')]);
		return c;
	}

	#data(d) {
		this.#in = Buffer.concat([this.#in, d]);
		while (this.#take())
			;
	}

	#take() {
		const b = this.#in;
		if (b[0] === 0x24) {
			if (b.length < 4 || b.length < 4 + b.readUInt16BE(2))
				return false;
			const n = 4 + b.readUInt16BE(2);
			this.packets.push({ channel: b[1], data: b.subarray(4, n), at: performance.now() });
			this.#in = b.subarray(n);
			return true;
		}
		const end = b.indexOf('\r\n\r\n');
		if (end < 0)
			return false;
		const lines = b.toString('utf8', 0, end).split('\r\n');
		const headers = Object.fromEntries(lines.slice(1).map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]));
		const length = Number(headers['content-length'] ?? 0);
		if (b.length < end + 4 + length)
			return false;
		const reply = { status: Number(lines[0].split(' ')[1]), headers, body: b.toString('utf8', end + 4, end + 4 + length) };
		this.#in = b.subarray(end + 4 + length);
		this.#waiting.shift()?.(reply);
		return true;
	}

	raw(text) {
		this.socket.write(text);
	}

	reply() {
		if (this.ended)
			return Promise.resolve({ status: 0, headers: {}, body: '' });
		return new Promise((resolve) => this.#waiting.push(resolve));
	}

	url(path) {
		return path.startsWith('/') ? this.base + path : path;
	}

	// With the session, when there is one, and the credentials that were asked for.
	async ask(method, path, headers = {}) {
		const all = { CSeq: ++this.#seq, ...(this.session && { Session: this.session }), ...headers };
		if (this.user && this.challenge)
			all.Authorization = this.#digest(method, this.url(path));
		this.raw(`${method} ${this.url(path)} RTSP/1.0\r\n${Object.entries(all).filter(([, v]) => v !== undefined).map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`);
		const r = await this.reply();
		if (r.status === 401 && r.headers['www-authenticate'])
			this.challenge = r.headers['www-authenticate'];
		if (r.headers.session)
			this.session = r.headers.session.split(';')[0];
		return r;
	}

	#digest(method, uri) {
		const md5 = (s) => createHash('md5').update(s).digest('hex');
		const [realm, nonce] = ['realm', 'nonce'].map((k) => this.challenge.match(new RegExp(`${k}="([^"]*)"`))[1]);
		const response = md5(`${md5(`${this.user}:${realm}:${this.password}`)}:${nonce}:${md5(`${method}:${uri}`)}`);
		return `Digest username="${this.user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"`;
	}

	// SETUP of both tracks; tcp: interleaved as 0-1 and 2-3, otherwise over sockets.
	async setup(path, { tcp = true, tracks = ['audio', 'video'], query = '' } = {}) {
		const replies = [];
		for (const [i, track] of tracks.entries()) {
			const channel = track === 'audio' ? 0 : 2;
			let transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`;
			if (!tcp)
				transport = `RTP/AVP;unicast;client_port=${await this.#bind(channel)}`;
			replies[i] = await this.ask('SETUP', `${path}/${track}${query}`, { Transport: transport });
		}
		return replies;
	}

	// A pair of ports.
	async #bind(channel) {
		for (let i = 0; i < 50; i++) {
			const pair = [createSocket('udp4'), createSocket('udp4')];
			try {
				await bound(pair[0], 0);
				const port = pair[0].address().port;
				if (port % 2)
					throw new Error('odd');
				await bound(pair[1], port + 1);
				pair.forEach((s, k) => s.on('message', (data) => this.packets.push({ channel: channel + k, data, at: performance.now() })));
				this.sockets.push(...pair);
				return `${port}-${port + 1}`;
			} catch {
				pair.forEach((s) => s.close());
			}
		}
		throw new Error('no pair of ports');
	}

	of(channel) {
		return this.packets.filter((p) => p.channel === channel);
	}

	// So many packets of a channel since that many.
	more(channel, n = 20) {
		const had = this.of(channel).length;
		return until(`${n} packets of channel ${channel}`, () => this.of(channel).length >= had + n);
	}

	close() {
		this.socket.destroy();
		this.sockets.forEach((s) => s.close());
		this.sockets = [];
	}
}

function bound(socket, port) {
	return new Promise((resolve, reject) => {
		socket.once('error', reject);
		socket.bind(port, '127.0.0.1', resolve);
	});
}

export const stamp = ({ data }) => data.readUInt32BE(4);

// NAL units of a packet of H.264 (RFC 6184), as Annex B; FU-A fragments one after the other.
function units(data) {
	const p = data.subarray(12), type = p[0] & 31, start = Buffer.from([0, 0, 0, 1]);
	if (type === 24) {
		const all = [];
		for (let at = 1; at + 2 < p.length; at += 2 + p.readUInt16BE(at))
			all.push(start, p.subarray(at + 2, at + 2 + p.readUInt16BE(at)));
		return all;
	}
	if (type !== 28)
		return [start, p];
	return p[1] & 0x80 ? [start, Buffer.from([(p[0] & 0xe0) | (p[1] & 31)]), p.subarray(2)] : [p.subarray(2)];
}

// How many key frames begin in these packets.
export const keys = (packets) => packets.filter(({ data }) => {
	const p = data.subarray(12), type = p[0] & 31;
	if (type === 24) {
		for (let at = 1; at + 2 < p.length; at += 2 + p.readUInt16BE(at))
			if ((p[at + 2] & 31) === 5)
				return true;
		return false;
	}
	return type === 5 || (type === 28 && (p[1] & 0x9f) === 0x85);
}).length;

// How bright each picture of channel 2 is: those before that time stamp, and from it on.
export async function grays(packets, from) {
	const video = packets.filter((p) => p.channel === 2).sort((a, b) => ((a.data.readUInt16BE(2) - b.data.readUInt16BE(2)) << 16) >> 16);
	const whole = video.slice(0, video.findLastIndex((p) => p.data[1] & 0x80) + 1);
	const stamps = [...new Set(whole.map((p) => p.data.readUInt32BE(4)))];
	const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-f', 'h264', '-i', '-', '-vsync', '0', '-vf', 'crop=2:2', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-'],
		{ stdio: ['pipe', 'pipe', 'inherit'] });
	const out = [];
	ffmpeg.stdout.on('data', (d) => out.push(d));
	ffmpeg.stdin.end(Buffer.concat(whole.flatMap((p) => units(p.data))));
	await once(ffmpeg, 'close');
	const raw = Buffer.concat(out), all = Array.from({ length: raw.length / 6 }, (_, i) => raw[i * 6]);
	const lead = stamps.filter((t) => ((t - from) | 0) < 0).length;
	return { lead: all.slice(0, lead), shown: all.slice(lead) };
}

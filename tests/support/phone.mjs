// The media of a telephone: RTP and RTCP sockets, a tone to speak with, keys to press
// (RFC 4733), an ear that tells how loud a tone is, and what came as video.
// Signaling is somebody else's business (see sipp.mjs).
import dgram from 'node:dgram';

import { aDecode, aEncode, loudness, muDecode, muEncode } from './tones.mjs';

const RATE = 8000, FRAME = 160, TICK_MS = 20;
const EVENT = 101; // payload type of RFC 4733
const EAR_S = 4; // as much is remembered
const KEYS = '0123456789*#ABCD';
const CODECS = { PCMU: { pt: 0, encode: muEncode, decode: muDecode }, PCMA: { pt: 8, encode: aEncode, decode: aDecode } };
const KEEP = 4000; // packets

function bind(host, port) {
	return new Promise((resolve, reject) => {
		const s = dgram.createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
		s.once('error', reject);
		s.bind(port, host, () => resolve(s.unref())); // a failed test leaves nothing that waits
	});
}

// An even port and the one above it.
async function pair(host) {
	for (let tries = 0; ; tries++) {
		const rtp = await bind(host, 0);
		const port = rtp.address().port;
		try {
			if (port % 2 === 0)
				return { port, rtp, rtcp: await bind(host, port + 1) };
		} catch (e) {
			if (tries > 50)
				throw e;
		}
		rtp.close();
	}
}

// One direction pair of an m-line: what was received, and where to send.
class Line {
	packets = []; // {seq, ts, marker, pt, ssrc, payload, at}, the last ones
	reports = []; // RTCP: whole compound packets, the last ones
	received = 0;
	#seq = Math.floor(Math.random() * 30000);

	constructor(sockets, heard) {
		Object.assign(this, { ...sockets, ssrc: Math.floor(Math.random() * 2 ** 32), remote: null, heard });
		sockets.rtp.on('message', (d, from) => this.#take(d, from, heard));
		sockets.rtcp.on('message', (d) => {
			this.reports.push(d);
			if (this.reports.length > KEEP)
				this.reports.shift();
		});
		for (const s of [sockets.rtp, sockets.rtcp])
			s.on('error', () => {});
	}

	#take(d, from, heard) {
		if (d.length < 12 || d[0] >> 6 !== 2)
			return;
		const length = 12 + 4 * (d[0] & 15);
		const extension = d[0] & 16 ? 4 + 4 * d.readUInt16BE(length + 2) : 0;
		const padding = d[0] & 32 ? d[d.length - 1] : 0;
		const p = {
			pt: d[1] & 127, marker: d[1] >> 7, seq: d.readUInt16BE(2), ts: d.readUInt32BE(4), ssrc: d.readUInt32BE(8),
			payload: Buffer.from(d.subarray(length + extension, d.length - padding)), from, at: Date.now(),
		};
		this.received++;
		this.packets.push(p);
		if (this.packets.length > KEEP)
			this.packets.shift();
		heard(p);
	}

	send(pt, ts, payload, marker = 0) {
		const head = Buffer.alloc(12);
		head[0] = 0x80;
		head[1] = marker << 7 | pt;
		head.writeUInt16BE(this.#seq = this.#seq + 1 & 65535, 2);
		head.writeUInt32BE(ts >>> 0, 4);
		head.writeUInt32BE(this.ssrc, 8);
		this.raw(Buffer.concat([head, payload]));
	}

	raw(packet) {
		if (this.remote)
			this.rtp.send(packet, this.remote.port, this.remote.host);
	}

	// Goes on from another port, as behind a NAT that has forgotten the first.
	async move(host) {
		const before = this.rtp;
		this.rtp = await bind(host, 0);
		this.rtp.on('error', () => {});
		this.rtp.on('message', (d, from) => this.#take(d, from, this.heard));
		before.close();
	}

	rawRtcp(packet) {
		if (this.remote)
			this.rtcp.send(packet, this.remote.port + 1, this.remote.host);
	}

	close() {
		this.rtp.close();
		this.rtcp.close();
	}
}

export class Phone {
	digits = ''; // that came as RFC 4733 events
	#ear = new Float32Array(RATE * EAR_S);
	#heard = 0; // samples
	#pressing = [];
	#hz = 0;
	#phase = 0;
	#ts = 0;
	#codec = CODECS.PCMU;
	#lastEvent;

	// video: with a second pair of ports; slides: and a third one
	static async open({ host = '127.0.0.1', codec = 'PCMU', video = false, slides = false } = {}) {
		const p = new Phone();
		p.host = host;
		p.#codec = CODECS[codec];
		p.audio = new Line(await pair(host), (packet) => p.#listen(packet));
		if (video)
			p.video = new Line(await pair(host), () => {});
		if (slides)
			p.slides = new Line(await pair(host), () => {});
		p.#start();
		return p;
	}

	// Where the other side listens, by its SDP.
	connect(sdp) {
		const session = sdp.split(/^m=/m);
		const host = (part) => part.match(/^c=IN IP[46] (\S+)/m)?.[1];
		for (const part of session.slice(1)) {
			const [kind, port] = part.split(' ');
			const content = /^a=content:slides/m.test(part);
			const line = content ? this.slides : { audio: this.audio, video: this.video }[kind];
			if (line && Number(port))
				line.remote = { host: host(part) ?? host(session[0]), port: Number(port) };
		}
	}

	// Speaks this tone from now on; 0: silence is sent; null: nothing is.
	talk(hz) {
		this.#hz = hz;
	}

	// Presses keys one after the other; resolves when the last one is released.
	press(keys) {
		return new Promise((resolve) => {
			for (const k of keys)
				this.#pressing.push({ event: KEYS.indexOf(k), step: 0, done: () => {} });
			this.#pressing.at(-1).done = resolve;
		});
	}

	#start() {
		const begin = Date.now();
		let ticks = 0;
		this.timer = setInterval(() => {
			// after a long stall a few packets at once, not all that were missed
			const due = Math.floor((Date.now() - begin) / TICK_MS);
			ticks = Math.max(ticks, due - 5);
			for (; ticks < due; ticks++)
				this.#tick();
		}, TICK_MS / 2).unref();
	}

	#tick() {
		const key = this.#pressing[0];
		this.#ts += FRAME;
		if (key)
			return this.#key(key);
		if (this.#hz === null)
			return;
		const payload = Buffer.alloc(FRAME);
		for (let i = 0; i < FRAME; i++)
			payload[i] = this.#codec.encode(this.#hz && 0.25 * Math.sin(this.#phase += 2 * Math.PI * this.#hz / RATE));
		this.audio.send(this.#codec.pt, this.#ts, payload);
	}

	// 7 packets of an event, its end thrice, then a pause of 5.
	#key(key) {
		key.ts ??= this.#ts;
		if (key.step < 10) {
			const end = key.step >= 7;
			const body = Buffer.from([key.event, end ? 0x8a : 0x0a, 0, 0]);
			body.writeUInt16BE(FRAME * (Math.min(key.step, 7) + 1), 2);
			this.audio.send(EVENT, key.ts, body, key.step ? 0 : 1);
		}
		if (++key.step === 15) {
			this.#pressing.shift();
			key.done();
		}
	}

	#listen(p) {
		if (p.pt === EVENT && p.payload.length >= 4) {
			if (p.payload[1] & 0x80 && this.#lastEvent !== p.ts) {
				this.digits += KEYS[p.payload[0]] ?? '?';
				this.#lastEvent = p.ts;
			}
			return;
		}
		if (p.pt !== this.#codec.pt)
			return;
		for (const octet of p.payload)
			this.#ear[this.#heard++ % this.#ear.length] = this.#codec.decode(octet);
	}

	// dB of a tone in the last s seconds of what was received; -Infinity: not so much was.
	hears(hz, s = 0.5) {
		const n = Math.min(this.#heard, Math.floor(RATE * s));
		const samples = Float32Array.from({ length: n }, (_, i) => this.#ear[(this.#heard - n + i) % this.#ear.length]);
		return n < RATE * s ? -Infinity : loudness(samples, RATE, hz);
	}

	// Forgets what was heard, so that hears() tells of what comes from now on.
	forget() {
		this.#heard = 0;
	}

	close() {
		clearInterval(this.timer);
		this.audio.close();
		this.video?.close();
		this.slides?.close();
	}
}

// A camera: a server of RTSP (RFC 2326, interleaved) that shows one colour and sounds one
// tone, goes away and comes back.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';

const FPS = 10, TICK_MS = 20, RATE = 8000;

// The pictures of one second as NAL units; the first is a key frame.
function film(colour) {
	const raw = execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `color=c=${colour}:s=320x180:r=${FPS}`, '-frames:v', String(FPS),
		'-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p',
		'-x264-params', `slices=1:threads=1:keyint=${FPS}:scenecut=0`, '-f', 'h264', '-']);
	const units = raw.toString('latin1').split(/\0?\0\0\x01/).filter(Boolean).map((u) => Buffer.from(u, 'latin1'));
	const pictures = [[]];
	for (const u of units) {
		pictures.at(-1).push(u);
		if ([1, 5].includes(u[0] & 31))
			pictures.push([]);
	}
	return pictures.slice(0, FPS);
}

// One sample as PCMU (G.711).
function mulaw(x) {
	const sign = x < 0 ? 0x80 : 0, v = Math.min(Math.abs(x), 32635) + 132;
	const exponent = Math.max(0, 24 - Math.clz32(v));
	return ~(sign | exponent << 4 | v >> exponent + 3 & 15) & 255;
}

export class Camera {
	asked = []; // when connections were made, ms
	#sockets = new Set();
	#colour; #hz;

	// sound: false: it says that it has sound, and sends none.
	static async open(colour, hz, { port = 0, sound = true } = {}) {
		const c = new Camera();
		c.#show(colour, hz);
		c.sound = sound;
		await c.#listen(port);
		return c;
	}

	#show(colour, hz) {
		this.#colour = film(colour);
		this.#hz = hz;
	}

	#listen(port) {
		this.server = createServer((s) => this.#serve(s));
		return new Promise((resolve, reject) => {
			this.server.once('error', reject);
			this.server.listen(port, '127.0.0.1', () => {
				this.port = this.server.address().port;
				this.url = `rtsp://127.0.0.1:${this.port}/stream`;
				resolve();
			});
		});
	}

	// Whoever comes is sent away at once, until it is back.
	lose() {
		this.lost = true;
		this.#sockets.forEach((s) => s.destroy());
	}

	back(colour, hz) {
		this.#show(colour, hz);
		this.lost = false;
	}

	close() {
		this.lose();
		this.server.close();
	}

	#serve(socket) {
		this.asked.push(performance.now());
		if (this.lost)
			return socket.destroy();
		let text = '';
		this.#sockets.add(socket);
		socket.on('error', () => {}).on('close', () => {
			clearInterval(socket.timer);
			this.#sockets.delete(socket);
		}).on('data', (d) => {
			text += d.toString('latin1');
			for (let end; (end = text.indexOf('\r\n\r\n')) >= 0; text = text.slice(end + 4))
				this.#answer(socket, text.slice(0, end));
		});
	}

	#answer(socket, request) {
		const [method, url] = request.split(' '), seq = /CSeq: (\d+)/i.exec(request)?.[1];
		if (!seq)
			return; // RTCP of the player
		const reply = (headers = '', body = '') => socket.write(`RTSP/1.0 200 OK\r\nCSeq: ${seq}\r\nSession: 1\r\n${headers}\r\n${body}`);
		if (method === 'DESCRIBE') {
			const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=Camera\r\nt=0 0\r\n' +
				'm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:video\r\n' +
				'm=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:audio\r\n';
			reply(`Content-Base: ${url}/\r\nContent-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n`, sdp);
		} else if (method === 'SETUP') {
			reply(`Transport: ${/Transport: (.*)/i.exec(request)[1].trim()}\r\n`);
		} else if (method === 'PLAY') {
			reply('Range: npt=now-\r\n');
			this.#play(socket);
		} else {
			reply('Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n');
		}
	}

	#play(socket) {
		const begun = performance.now(), seq = [0, 0];
		const send = (channel, pt, marker, ts, payload) => {
			const head = Buffer.alloc(16);
			head[0] = 0x24;
			head[1] = channel;
			head.writeUInt16BE(12 + payload.length, 2);
			head[4] = 0x80;
			head[5] = pt | (marker ? 0x80 : 0);
			head.writeUInt16BE(seq[channel / 2]++ & 0xffff, 6);
			head.writeUInt32BE(ts >>> 0, 8);
			head.writeUInt32BE(channel + 1, 12);
			socket.write(Buffer.concat([head, payload]));
		};
		let ticks = 0, pictures = 0;
		socket.timer = setInterval(() => {
			for (; ticks * TICK_MS < performance.now() - begun; ticks++) {
				const first = ticks * RATE * TICK_MS / 1000;
				if (this.sound)
					send(2, 0, !ticks, first, Buffer.from(Array.from({ length: RATE * TICK_MS / 1000 },
						(_, i) => mulaw(Math.round(8000 * Math.sin(2 * Math.PI * this.#hz * (first + i) / RATE))))));
				for (; pictures * 1000 / FPS <= ticks * TICK_MS; pictures++)
					this.#colour[pictures % FPS].forEach((u, i, all) => send(0, 96, i === all.length - 1, pictures * 90000 / FPS, u));
			}
		}, TICK_MS);
	}
}

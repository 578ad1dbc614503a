// Packets that the network loses are sent again as RTX (RFC 4588), both ways.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { Person, launch } from './person.mjs';

const LOSS = 0.08;
const isRtp = (m) => m[0] >= 128 && m[0] < 192 && ((m[1] & 127) < 64 || (m[1] & 127) > 95);

// The only way to the server: a relay on the loopback that loses RTP packets.
// Which ones is a fixed sequence.
class LossyPath {
	static async open() {
		const path = new LossyPath();
		path.seed = 1;
		path.lost = 0;
		path.back = new Map();
		path.front = createSocket('udp4');
		path.front.on('message', (m, from) => path.up(m, from));
		await new Promise((resolve) => path.front.bind(0, '127.0.0.1', resolve));
		path.port = path.front.address().port;
		return path;
	}

	drops(m) {
		if (!isRtp(m))
			return false;
		this.seed = (this.seed * 1103515245 + 12345) % 2147483648;
		const drop = this.seed / 2147483648 < LOSS;
		this.lost += drop;
		return drop;
	}

	up(m, from) {
		if (!this.target || this.drops(m))
			return;
		if (!this.back.has(from.port)) {
			const s = createSocket('udp4');
			s.on('message', (r) => { if (!this.drops(r)) this.front.send(r, from.port, from.address); });
			this.back.set(from.port, s);
		}
		this.back.get(from.port).send(m, this.target.port, this.target.address);
	}

	close() {
		for (const s of [this.front, ...this.back.values()])
			s.close();
	}
}

// In the page: our candidates stay unknown to the server, and its are the relay.
function goThrough(port) {
	const send = WebSocket.prototype.send;
	WebSocket.prototype.send = function (text) {
		const m = JSON.parse(text);
		if (m.type === 'ice' && m.candidate)
			return;
		if (m.sdp)
			m.sdp = m.sdp.replace(/^a=candidate:.*\r\n/mg, '');
		send.call(this, JSON.stringify(m));
	};
	const add = RTCPeerConnection.prototype.addIceCandidate;
	let told = false;
	RTCPeerConnection.prototype.addIceCandidate = function (c) {
		if (!c?.candidate || told)
			return Promise.resolve();
		told = true;
		const word = c.candidate.split(' ');
		word[4] = '127.0.0.1';
		word[5] = String(port);
		return add.call(this, { ...c, candidate: word.join(' ') });
	};
}

function videoStats() {
	return window.connections.at(-1).getStats().then((r) => {
		const all = [...r.values()];
		const of = (type) => all.find((s) => s.type === type && s.kind === 'video') ?? {};
		return { out: of('outbound-rtp'), in: of('inbound-rtp'), pair: all.find((s) => s.type === 'candidate-pair' && s.nominated) ?? {} };
	});
}

describe('repair of lost packets', { timeout: 120000 }, () => {
	let browser, server, path;

	before(async () => {
		// The browser's own camera: a picture that moves, hence fills its rate.
		browser = await launch(null, { flags: ['--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required'] });
		server = await Server.start({ 'video.width': 640, 'video.height': 360, 'video.fps': 15, 'video.bitrate_kbps': 500 });
		path = await LossyPath.open();
	});
	after(async () => {
		await browser.close();
		path.close();
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
	});

	test('by RTX, up and down', async () => {
		const p = await Person.in(browser, server, 'Lossy');
		await p.page.addInitScript(goThrough, path.port);
		const found = until('a candidate of the server', () => {
			const c = p.messages.filter((m) => m.type === 'ice' && m.candidate).map((m) => m.candidate.split(' '))
				.find((w) => w[2].toLowerCase() === 'udp' && !w[4].includes(':'));
			path.target = c && { address: c[4], port: Number(c[5]) };
			return !!c;
		});
		await p.join('demo');
		await found;
		const s = await until('repairs both ways', async () => {
			const now = await p.page.evaluate(videoStats);
			return now.out.retransmittedPacketsSent > 5 && now.in.retransmittedPacketsReceived > 5 &&
				(await server.metrics()).get('mcu_rtp_rtx_total') > 5 && now;
		}, 60000);
		assert.ok(s.out.rtxSsrc && s.in.rtxSsrc, 'streams of their own');
		assert.ok((await server.metrics()).get('mcu_egress_retransmissions_total') > 5);
		const before = await p.page.evaluate(videoStats);
		await until('the picture to go on', async () => (await p.page.evaluate(videoStats)).in.framesDecoded > before.in.framesDecoded + 30);
		assert.ok(path.lost > 10);
	});
});

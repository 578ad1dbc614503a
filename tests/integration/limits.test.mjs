// What one peer may ask of the server: each limit with the words a person sees, slow
// and half-open connections, floods; and two who behave, who notice nothing.
// Beside others.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';

import { Bots, assertHears, assertSees, assertUndisturbed } from '../support/bots.mjs';
import { freePort } from '../support/ports.mjs';
import { Server, until } from '../support/server.mjs';
import { SLOWER, within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const OFFER = readFileSync(new URL('../signaling/fixtures/chromium-av-sendrecv.sdp', import.meta.url), 'utf8');
const limit = { timeout: within(180000) };
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Kilobytes in memory, and seconds of processor time so far.
const memory = (s) => Number(readFileSync(`/proc/${s.process.pid}/statm`, 'utf8').split(' ')[1]) * 4;
const TICKS_PER_S = 100;
const cpu = (s) => readFileSync(`/proc/${s.process.pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((a, t) => a + Number(t), 0) / TICKS_PER_S;

async function grown(server, name, work) {
	const was = await server.value(name);
	const r = await work();
	assert.ok(await server.value(name) > was, `${name} has not grown`);
	return r;
}

// A room with two in it whom nobody may disturb.
let server;
let pair;
let httpsPort; // the server does not say that of an address on this machine only

before(async () => {
	httpsPort = await freePort();
	server = await Server.small({ 'https.port': httpsPort, 'https.address': '127.0.0.1', 'room.linger_s': 0 });
	pair = Bots.start(server, 'calm', { senders: 2, decode: 1, seconds: 900 });
	await pair.ready;
});

after(async () => {
	await pair?.kill();
	await server?.stopFine();
});

describe('limits of numbers', limit, () => {
	let strict;
	before(async () => {
		strict = await Server.small({
			'limits.participants_per_address': 3, 'limits.connecting': 1, 'limits.connections_per_address': 12,
			'room.max_rooms': 2, 'room.linger_s': 0,
		});
	});
	after(() => strict.stopFine());

	const open = () => Socket.open(strict.url);
	const gone = (...sockets) => Promise.all(sockets.map(async (s) => {
		await s.ask({ type: 'leave' }, 'bye');
		s.destroy();
	}));

	test('people of one address', async () => {
		const in1 = [await open(), await open(), await open()];
		for (const [i, s] of in1.entries())
			await s.join(i ? 'one' : 'two', `p${i}`);
		const fourth = await open();
		const e = await grown(strict, 'mcu_join_address_refused_total',
			() => fourth.ask({ type: 'join', room: 'one', name: 'n', id: 'j' }, 'error'));
		assert.deepEqual([e.code, e.fatal, e.id], ['too_many_from_address', false, 'j']);
		assert.match(e.text, /^3 people have joined from your network address, and no more may\. Ask the administrator/);
		// The place of one who leaves is free, and so is that of one who vanishes.
		await gone(in1.pop());
		await fourth.join('one', 'n');
		in1.pop().destroy();
		const fifth = await open();
		await until('the place of who has vanished', async () => (await Promise.race([
			fifth.ask({ type: 'join', room: 'one', name: 'n' }, 'welcome').then(() => true), wait(300)])));
		await gone(fourth, fifth, ...in1);
	});

	test('rooms', async () => {
		const [a, b, c] = [await open(), await open(), await open()];
		await a.join('one', 'n');
		await b.join('two', 'n');
		const e = await c.ask({ type: 'join', room: 'three', name: 'n' }, 'error');
		assert.deepEqual([e.code, e.fatal], ['server_full', false]);
		assert.match(e.text, /as many rooms as it may. Try again later/);
		await gone(a, b);
		c.destroy();
	});

	test('media connections being set up', async () => {
		const [a, b] = [await open(), await open()];
		await a.join('one', 'n');
		await b.join('one', 'n');
		await a.ask({ type: 'offer', sdp: OFFER }, 'answer');
		const e = await grown(strict, 'mcu_connecting_refused_total', () => b.ask({ type: 'offer', sdp: OFFER, id: 'o' }, 'error'));
		assert.deepEqual([e.code, e.fatal, e.id], ['busy', false, 'o']);
		assert.match(e.text, /^The server is connecting 1 people at this moment\. Try again in a few seconds/);
		await gone(a);
		await b.ask({ type: 'offer', sdp: OFFER }, 'answer');
		await gone(b);
	});

	test('connections', async () => {
		await until('those of before to be gone', async () => await strict.value('mcu_http_connections') <= 1);
		const many = Array.from({ length: 30 }, () => net.connect(strict.port, '127.0.0.1'));
		many.forEach((c) => c.on('error', () => {}));
		await until('the refusals', () => many.filter((c) => c.destroyed).length >= 18);
		many.forEach((c) => c.destroy());
		await until('room again', async () => (await strict.value('mcu_http_connections_refused_total').catch(() => 0)) >= 18);
	});

	test('m-lines, lines and octets of an SDP', async () => {
		const s = await open();
		await s.join('one', 'n');
		const section = OFFER.slice(OFFER.indexOf('m=audio'), OFFER.indexOf('m=video'));
		for (const [sdp, text] of [
			[OFFER + section.repeat(31), /more than 32 m= lines/],
			[OFFER + 'a=x\r\n'.repeat(3000), /line/],
			[OFFER + `a=${'x'.repeat(3000)}\r\n`, /line/],
			[OFFER + `a=${'x'.repeat(1000)}\r\n`.repeat(57), /60000/],
		]) {
			const e = await s.ask({ type: 'offer', sdp }, 'error');
			assert.deepEqual([e.code, e.fatal], ['bad_sdp', false], e.text);
			assert.match(e.text, text);
		}
		await gone(s);
	});

	test('candidates', async () => {
		const s = await open();
		await s.join('one', 'n');
		await s.ask({ type: 'offer', sdp: OFFER }, 'answer');
		const from = s.messages.length;
		for (let i = 0; i < 70; i++) {
			s.send({ type: 'ice', candidate: `candidate:${i} 1 UDP 1 127.0.0.1 ${9000 + i} typ host`, mid: '0', id: `c${i}` });
			if (i === 40)
				await wait(1100); // not a flood of messages
		}
		const e = await s.next('error', { from });
		await until('all to be counted', async () => await strict.value('mcu_candidates_refused_total') === 6);
		assert.deepEqual([e.code, e.fatal, e.id], ['too_many_candidates', false, 'c64']);
		assert.equal(e.text, 'Only 64 candidates are taken with a description.');
		await gone(s);
	});
});

describe('slow and half-open connections', limit, () => {
	const CLOSED_WITHIN_MS = 30000;
	const PLAIN = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
	const UPGRADE = 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
	let timers = [];
	after(() => timers.forEach(clearInterval));

	function connect(port) {
		const c = net.connect(port, '127.0.0.1');
		c.on('error', () => {});
		return c;
	}
	const trickle = (c, text) => {
		let at = 0;
		timers.push(setInterval(() => c.writable && c.write(text[at++ % text.length]), 1000));
	};
	const KINDS = {
		'nothing at all': () => connect(server.port),
		'nothing at all on the port of HTTPS': () => connect(httpsPort),
		'half a request': () => { const c = connect(server.port); c.write('GET /heal'); return c; },
		'headers, one octet a second': () => { const c = connect(server.port); c.write('GET / HTTP/1.1\r\n'); trickle(c, 'x: yyyyyyyyyy\r\n'); return c; },
		'half an upgrade': () => { const c = connect(server.port); c.write(UPGRADE); return c; },
		'a body, one octet a second': () => {
			const c = connect(server.port);
			c.write('POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n');
			trickle(c, ' ');
			return c;
		},
		'a chunked body': () => { const c = connect(server.port); c.write('POST /api/v1/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n'); return c; },
		'half a TLS greeting': () => { const c = connect(httpsPort); c.write(Buffer.from('16030100ff010000fb0303', 'hex')); return c; },
		'TLS records, one octet a second': () => { const c = connect(httpsPort); trickle(c, Buffer.from('16030100ff010000fb0303', 'hex').toString('latin1')); return c; },
		'TLS and then nothing': () => {
			const c = tls.connect({ port: httpsPort, host: '127.0.0.1', rejectUnauthorized: false });
			c.on('error', () => {});
			return c;
		},
		'replies that nobody reads': () => { const c = connect(server.port); c.pause(); c.write('GET /js/session.js HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1000)); return c; },
	};

	test('are closed, and take no time', async () => {
		const all = Object.entries(KINDS).map(([what, make]) => [what, Array.from({ length: 10 }, make)]);
		all.forEach(([what, list]) => list.forEach((c) => what.startsWith('replies') || c.resume()));
		const began = Date.now();
		await wait(within(1000));
		const spent = cpu(server);
		await wait(5000);
		const load = (cpu(server) - spent) / 5;
		for (const [what, list] of all.filter(([w]) => !w.startsWith('replies')))
			await until(`the server to close: ${what}`, () => list.every((c) => c.destroyed || c.readableEnded), CLOSED_WITHIN_MS);
		// who does not read does not see the end; the server says it
		await until('the server to have closed them all', async () => await server.value('mcu_http_connections') <= 8, CLOSED_WITHIN_MS);
		assert.ok(Date.now() - began < within(CLOSED_WITHIN_MS));
		all.forEach(([, list]) => list.forEach((c) => c.destroy()));
		assert.ok(load < 0.6, `${(load * 100).toFixed(0)} % of a processor, with two participants`);
	});

	test('requests before the answer to the first', async () => {
		const idle = await Server.small();
		const all = Array.from({ length: 20 }, () => connect(idle.port));
		let answers = 0;
		for (const c of all) {
			c.on('data', (d) => { answers += d.toString('latin1').split('HTTP/1.1 200').length - 1; });
			c.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(10));
		}
		await until('the answers', () => answers === 200);
		// a body that is not all there, and what follows it
		for (const c of all)
			c.write('POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx');
		const spent = cpu(idle);
		await wait(3000);
		const load = (cpu(idle) - spent) / 3;
		all.forEach((c) => c.destroy());
		assert.ok(load < 0.1 * SLOWER, `${(load * 100).toFixed(0)} % of a processor`);
		await idle.stopFine();
	});
});

describe('floods', limit, () => {
	test('200 Mb/s from one: dropped, and then shown the door', async () => {
		const from = await server.value('mcu_net_rx_flood_total');
		const s = await Bots.start(server, 'calm', { bad: 'flood', 'bad-after': 0.2, seconds: 15, name: 'flood-', 'no-audio': true }).done;
		const [p] = s.participants;
		assert.ok(p.garbage_sent > 10000, JSON.stringify(p));
		assert.equal(p.last_error_code, 'too_much_media', JSON.stringify(p));
		assert.ok(await server.value('mcu_net_rx_flood_total') > from + 1000);
	});

	test('a thousand pictures a second', async () => {
		await grown(server, 'mcu_video_in_over_limit_total', async () => {
			const bots = Bots.start(server, 'calm', { bad: 'rush', seconds: 8, name: 'rush-', 'no-audio': true });
			await wait(within(4000));
			await bots.done;
		});
	});

	test('thousands of connections leave nothing behind', async () => {
		const round = async () => {
			const all = Array.from({ length: 250 }, (_, i) => {
				const c = net.connect(server.port, '127.0.0.1');
				c.on('error', () => {});
				c.write(['GET / HTTP/1.1\r\nHost: x\r\n', 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01', `GET /${'x'.repeat(9000)}`][i % 4]);
				return c;
			});
			await Promise.all(all.map((c) => new Promise((resolve) => c.once('connect', resolve))));
			await wait(100);
			all.forEach((c) => c.destroy());
			await until('the server to notice', async () => await server.value('mcu_http_connections') < 20);
		};
		for (let i = 0; i < 4; i++)
			await round();
		const was = memory(server);
		for (let i = 0; i < 16; i++)
			await round();
		const more = memory(server) - was;
		assert.ok(more < 20000 * SLOWER, `${more} kB more than ${was} after 4,000 connections`);
	});
});

describe('the two who behave', limit, () => {
	test('have noticed nothing', async () => {
		const s = await pair.finish();
		const senders = new Map(s.participants.map((p, i) => [p.leg, i]));
		for (const [i, p] of s.participants.entries()) {
			assertUndisturbed(p, { gapMs: 1500 });
			assertHears(p, [0, 1].filter((k) => k !== i));
			assertSees({ ...p, colours: p.colours.filter((c) => senders.has(c.leg)) }, senders);
		}
	});
});

// Pages that speak different sound codecs hear each other: Opus with redundancy
// (RFC 2198), G.722, and G.711; each listens to a mix in its own format.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { LOOKS, Person, limit } from './person.mjs';

const HEARD_DB = -45, UNHEARD_DB = -70;
let server;
const people = [];

const inUse = (p) => p.page.evaluate(async () => {
	const stats = await window.connections.at(-1).getStats();
	const of = (type) => [...stats.values()].find((s) => s.type === type && s.kind === 'audio' && s.codecId);
	const name = (s) => s && stats.get(s.codecId)?.mimeType;
	return { sends: name(of('outbound-rtp')), receives: name(of('inbound-rtp')) };
});

// Octets of a packet in 20 ms of Opus at the target rate: 1 without redundancy, 2
// with one earlier frame in each. Chromium's statistics name only what is inside.
const copies = (p) => p.page.evaluate(async () => {
	const s = [...(await window.connections.at(-1).getStats()).values()].find((r) => r.type === 'outbound-rtp' && r.kind === 'audio');
	return s.bytesSent / s.packetsSent / (s.targetBitrate / 8 / 50);
});

describe('every sound codec in one room', { timeout: 180000 }, () => {
	before(async () => {
		server = await Server.start({ 'video.width': 320, 'video.height': 180, 'video.fps': 10, 'video.bitrate_kbps': 200 });
		for (const [name, look, codecs] of [['Ann', 'red', null], ['Bo', 'green', ['G722']], ['Cho', 'blue', ['PCMU', 'PCMA']]]) {
			const p = await Person.open(server, name, look);
			people.push(p);
			if (codecs)
				await limit(p, 'audio', codecs);
			await p.join('sound');
		}
	});

	after(async () => {
		await Promise.all(people.map((p) => p.close()));
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
	});

	test('everybody hears the two others and not itself', async () => {
		const looks = Object.keys(LOOKS);
		for (const p of people) {
			let db;
			await until(`${p.name} to hear the others`, async () => {
				db = await p.tones(looks.map((l) => LOOKS[l].hz));
				return looks.every((l, i) => l === p.look ? db[i] < UNHEARD_DB : db[i] > HEARD_DB);
			}).catch((e) => { throw new Error(`${e.message}: ${looks.map((l, i) => `${l} ${db[i].toFixed(0)} dB`)}`); });
		}
	});

	test('each in its own codec, Chromium with redundancy where it can', async () => {
		const [opus, g722, g711] = await Promise.all(people.map(inUse));
		assert.deepEqual(opus, { sends: 'audio/opus', receives: 'audio/opus' });
		await until('redundancy', async () => await copies(people[0]) > 1.6);
		assert.deepEqual(g722, { sends: 'audio/G722', receives: 'audio/G722' });
		assert.deepEqual(g711, { sends: 'audio/PCMU', receives: 'audio/PCMU' });
	});
});

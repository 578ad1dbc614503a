// Browsers that share no codec meet in one room: one with H.264 only, one with VP8
// only, one that sends VP9, and Firefox. Everybody sees and hears everybody, and
// the server runs one encoder per format.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { FirefoxPerson } from './firefox.mjs';
import { LOOKS, Person, limit } from './person.mjs';

const HEARD_DB = -45, UNHEARD_DB = -70;
const out = process.env.E2E_OUT;
let server;
const people = [];

const value = async (name) => (await server.metrics()).get(`${name}{room="codecs"}`) ?? 0;

// The codecs in use, of what the page sends and receives.
const inUse = (p) => p.page.evaluate(async () => {
	const stats = await window.connections.at(-1).getStats();
	const of = (type) => [...stats.values()].find((s) => s.type === type && s.kind === 'video' && s.codecId);
	const name = (s) => s && stats.get(s.codecId)?.mimeType;
	return { sends: name(of('outbound-rtp')), receives: name(of('inbound-rtp')) };
});

async function seeAndHear(all) {
	for (const p of all)
		for (const q of all)
			await until(`${p.name} to see ${q.name}`, () => p.sees(q.leg, q.look));
	const hz = Object.values(LOOKS).map((l) => l.hz);
	const looks = Object.keys(LOOKS);
	for (const p of all) {
		let db;
		const wanted = all.filter((q) => q !== p).map((q) => q.look);
		await until(`${p.name} to hear the others and not itself`, async () => {
			db = await p.tones(hz);
			return looks.every((l, i) => wanted.includes(l) ? db[i] > HEARD_DB : l !== p.look || db[i] < UNHEARD_DB);
		}).catch((e) => { throw new Error(`${e.message}: ${looks.map((l, i) => `${l} ${db[i].toFixed(0)} dB`)}`); });
	}
}

describe('every codec in one room', { timeout: 240000 }, () => {
	before(async () => {
		server = await Server.start({ 'video.width': 640, 'video.height': 360, 'video.fps': 15, 'video.bitrate_kbps': 600,
			'video.tiers': '[]' }); // one size only: what is counted is formats
	});

	after(async () => {
		await Promise.all(people.map((p) => p.close()));
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
	});

	test('H.264 only, VP8 only and a sender of VP9 see and hear each other', async () => {
		for (const [name, look, codecs] of [['Ann', 'red', ['H264']], ['Bo', 'green', ['VP8']], ['Cho', 'blue', ['H264', 'VP9']]]) {
			const p = await Person.open(server, name, look);
			people.push(p);
			await limit(p, 'video', codecs);
			await p.join('codecs');
		}
		await people[2].page.evaluate(async () => {
			const sender = window.connections.at(-1).getSenders().find((s) => s.track?.kind === 'video');
			const parameters = sender.getParameters();
			parameters.encodings[0].codec = parameters.codecs.find((c) => c.mimeType === 'video/VP9');
			await sender.setParameters(parameters);
		});
		await until('VP9 to be sent', async () => (await inUse(people[2])).sends === 'video/VP9');
		await seeAndHear(people);
		assert.deepEqual(await inUse(people[0]), { sends: 'video/H264', receives: 'video/H264' });
		assert.deepEqual(await inUse(people[1]), { sends: 'video/VP8', receives: 'video/VP8' });
		assert.deepEqual(await inUse(people[2]), { sends: 'video/VP9', receives: 'video/H264' });
		await people[1].page.screenshot({ path: join(out, 'codecs.png') });
	});

	test('exactly two encoders', async () => {
		assert.equal(await value('mcu_video_encoders'), 2);
		assert.equal(await value('mcu_video_decoders'), 3);
	});

	test('Firefox joins, is seen and heard, sees and hears', async () => {
		const [third] = people.splice(2, 1); // two cores: not four browsers at once
		await third.close();
		await until('two encoders and two decoders', async () => await value('mcu_video_decoders') === 2);
		const fox = await FirefoxPerson.open(server, '불여우', 'blue');
		people.push(fox);
		await fox.join('codecs');
		await seeAndHear(people);
		await fox.picture(join(out, 'firefox.png'));
		assert.deepEqual(fox.errors, []);
		assert.equal(await value('mcu_video_encoders'), 2);
	});
});

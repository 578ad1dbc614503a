// A page that saves data gets the smaller picture, beside one that does not: in the
// middle of the stream, and again after coming back.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { Person } from './person.mjs';

let server;
const people = [];
const height = (p) => p.page.evaluate(() => document.getElementById('view').videoHeight);
const frozen = (p) => p.page.evaluate(async () => {
	const s = [...(await window.connections.at(-1).getStats()).values()].find((r) => r.type === 'inbound-rtp' && r.kind === 'video');
	return s.totalFreezesDuration;
});

describe('data saver', { timeout: 120000 }, () => {
	before(async () => {
		server = await Server.start({ 'video.width': 320, 'video.height': 180, 'video.fps': 10, 'video.bitrate_kbps': 200, 'video.tiers': '[90@10/60]' });
		for (const [name, look] of [['Ann', 'red'], ['Bo', 'green']]) {
			const p = await Person.open(server, name, look);
			people.push(p);
			await p.join('saver');
		}
	});

	after(async () => {
		await Promise.all(people.map((p) => p.close()));
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
	});

	test('the picture becomes smaller and larger again, without a break', async () => {
		const [ann, bo] = people;
		for (const p of people)
			await until(`${p.name}'s picture`, async () => await height(p) === 180);
		const before = [await frozen(ann), await frozen(bo)];
		await ann.page.click('#more');
		await ann.page.click('#menu-settings');
		await ann.page.check('#saver');
		await until('the small picture', async () => await height(ann) === 90);
		assert.equal(await height(bo), 180);
		assert.equal(await server.value('mcu_video_encoders', 'saver'), 2);
		await ann.page.uncheck('#saver');
		await until('the large picture', async () => await height(ann) === 180);
		// Not longer than at Bo's, who had no other picture: what a busy machine does, it does to both.
		const stood = [await frozen(ann) - before[0], await frozen(bo) - before[1]];
		assert.ok(stood[0] - stood[1] < 0.5, `it stood still for ${stood} s`);
		await until('one size', async () => await server.value('mcu_video_encoders', 'saver') === 1);
	});

	test('it is remembered', async () => {
		const [ann] = people;
		await ann.page.check('#saver');
		await ann.page.reload();
		await until('the small picture', async () => await height(ann) === 90);
	});
});

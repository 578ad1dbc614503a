// Somebody who hides her own picture from herself: she sees the others alone, they go
// on seeing her, and it costs an encoder while it lasts. Only so many may.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { LOOKS, Person, near } from './person.mjs';

const ROOM = 'selfview';
let server, ann, bo;

const encoders = () => server.value('mcu_video_encoders', ROOM);
const open = async (p) => {
	await p.page.click('#more');
	await p.page.click('#menu-settings');
};
const sees = (p, ...who) => until(`${p.name} to see ${who.map((q) => q.name)}`, async () => {
	const tiles = p.last('layout')?.tiles ?? [];
	if (tiles.length !== who.length || !who.every((q) => tiles.some((t) => t.leg === q.leg)))
		return false;
	const colours = await p.colours(tiles);
	return tiles.every((t, i) => colours?.[i] && near(colours[i], LOOKS[who.find((q) => q.leg === t.leg).look].rgb));
});

describe('hiding oneself', { timeout: 120000 }, () => {
	before(async () => {
		server = await Server.small({ 'room.max_personal_views': 1 });
		[ann, bo] = await Promise.all([['Ann', 'red'], ['Bo', 'green']].map(([name, look]) => Person.open(server, name, look)));
		for (const p of [ann, bo])
			await p.join(ROOM);
	});

	after(async () => {
		await Promise.all([ann, bo].map((p) => p.close()));
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
	});

	test('one sees the others alone, and they go on seeing one', async () => {
		for (const p of [ann, bo])
			await sees(p, ann, bo);
		await open(ann);
		await ann.page.check('#hide-self');
		await sees(ann, bo);
		await sees(bo, ann, bo);
		await until('two encoders', async () => await encoders() === 2);
	});

	test('another one is told that no more can, and the switch goes back', async () => {
		await open(bo);
		await bo.page.click('#hide-self');
		await bo.reads('#notice', /Too many people hide/);
		await until('the switch to go back', async () => !await bo.page.isChecked('#hide-self'));
		assert.equal(await encoders(), 2);
		await sees(bo, ann, bo);
	});

	test('a view that the hosts made can be chosen, and is gone when they remove it', async () => {
		const views = (method, body) => fetch(`${server.url}/api/v1/rooms/${ROOM}/views/wall`, {
			method, body: body && JSON.stringify(body),
			headers: { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` },
		});
		assert.equal(await bo.page.isVisible('#view-choice'), false);
		assert.equal((await views('PUT', { for: 'request', layout: 'speaker-only', pin: [ann.leg] })).status, 204);
		await until('the choice', () => bo.page.isVisible('#view-choice'));
		await bo.page.selectOption('#view-choice', 'wall');
		await sees(bo, ann);
		assert.equal((await views('DELETE')).status, 204);
		await sees(bo, ann, bo);
		await until('no choice', async () => !await bo.page.isVisible('#view-choice'));
	});

	test('who comes back when no more can waits, and is told', async () => {
		await bo.page.evaluate(() => localStorage.setItem('hideSelf', 'yes'));
		await bo.page.reload();
		await bo.reads('#notice', /Too many people hide themselves: you see yourself/);
		bo.leg = bo.last('welcome').leg;
		await sees(bo, ann, bo);
		await ann.page.uncheck('#hide-self');
		await bo.reads('#notice', /hidden from you now/);
		await sees(bo, ann);
		await bo.page.evaluate(() => localStorage.removeItem('hideSelf'));
		await bo.page.reload();
		await until('Bo to be back', () => {
			const leg = bo.last('welcome')?.leg;
			return leg && leg !== bo.leg && (bo.leg = leg);
		});
		await sees(bo, ann, bo);
		await ann.page.check('#hide-self');
		await sees(ann, bo);
	});

	test('it is remembered, and can be taken back', async () => {
		await ann.page.reload();
		await until('Ann to be back', () => {
			const leg = ann.last('welcome')?.leg;
			return leg && leg !== ann.leg && (ann.leg = leg);
		});
		await sees(ann, bo);
		await open(ann);
		assert.equal(await ann.page.isChecked('#hide-self'), true);
		await ann.page.uncheck('#hide-self');
		await sees(ann, ann, bo);
		await until('one encoder', async () => await encoders() === 1);
	});
});

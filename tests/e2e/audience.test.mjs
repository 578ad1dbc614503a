// One room, three kinds of receivers: the whole picture, a smaller one, sound alone;
// each of them gets what it asked for and nothing more. And the layout is changed
// while they watch.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { LOOKS, Person, near } from './person.mjs';

const ROOM = 'audience', HEARD_DB = -45;
// A browser on a busy machine may report that it cannot take so much: then it gets the
// larger picture only after some good seconds.
const PATIENCE_MS = 60000;
let server, ana, bo, cem;

const height = (p) => p.page.evaluate(() => document.getElementById('view').videoHeight);
const video = (p) => p.page.evaluate(async () => {
	const all = [...(await window.connections.at(-1).getStats()).values()].filter((r) => r.type === 'inbound-rtp' && r.kind === 'video');
	return { frames: all.reduce((n, r) => n + (r.framesDecoded ?? 0), 0), bytes: all.reduce((n, r) => n + r.bytesReceived, 0) };
});
const encoders = () => server.value('mcu_video_encoders', ROOM);
const setting = async (p, id, on) => {
	await p.page.click('#more');
	await p.page.click('#menu-settings');
	await p.page.setChecked(`#${id}`, on);
	await p.page.keyboard.press('Escape');
};
const arrange = async (p, kind) => {
	await p.page.click('#more');
	await p.page.click('#menu-layout');
	await p.page.selectOption('#layout-kind', kind);
	await p.page.click('#layout-form [type=submit]');
	await until(`everybody to be told of ${kind}`, () => [ana, bo, cem].every((q) => q.last('layout')?.layout === kind));
};
// Every tile of the layout shows who is said to be there.
const seesTiles = (p, n) => until(`${p.name} to see ${n} tiles`, async () => {
	const tiles = p.tiles();
	const colours = tiles.length === n && await p.colours(tiles);
	return colours && tiles.every((t, i) => near(colours[i], LOOKS[[ana, bo, cem].find((q) => q.leg === t.leg).look].rgb));
});

describe('an audience of many kinds', { timeout: 300000 }, () => {
	before(async () => {
		server = await Server.start({ 'video.width': 1280, 'video.height': 720, 'video.fps': 15, 'video.bitrate_kbps': 1200, 'video.tiers': '[360@15/400]' });
		[ana, bo, cem] = await Promise.all([['Ana', 'red'], ['Bo', 'green'], ['Cem', 'blue']].map(([name, look]) => Person.open(server, name, look)));
		for (const p of [ana, bo, cem])
			await p.join(ROOM);
	});

	after(async () => {
		await Promise.all([ana, bo, cem].map((p) => p.close()));
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
	});

	test('each gets the size that it wished for, and an encoder runs for each size', async () => {
		await setting(bo, 'saver', true);
		await setting(cem, 'sound-only', true);
		await until('720 lines for Ana, 360 for Bo', async () => await height(ana) === 720 && await height(bo) === 360);
		await until('two encoders', async () => await encoders() === 2);
		for (const p of [ana, bo])
			await seesTiles(p, 3);
		await ana.page.screenshot({ path: join(process.env.E2E_OUT, 'audience-720.png') });
		await bo.page.screenshot({ path: join(process.env.E2E_OUT, 'audience-360.png') });
	});

	test('who wants sound alone gets no picture, says so, and hears the others', async () => {
		await cem.reads('#stage-text', /^You get sound only\.$/);
		await cem.page.screenshot({ path: join(process.env.E2E_OUT, 'audience-sound.png') });
		const still = await until('the last picture to have come', async () => {
			const before = await video(cem);
			await new Promise((r) => setTimeout(r, 1000));
			const now = await video(cem);
			return now.bytes === before.bytes && now;
		});
		await until('both others to be heard', async () => (await cem.tones([LOOKS.red.hz, LOOKS.green.hz])).every((db) => db > HEARD_DB));
		await until('the others to see Cem', () => ana.sees(cem.leg, 'blue'));
		assert.equal((await video(cem)).frames, still.frames);
	});

	test('the layout is changed while they watch', async () => {
		for (const kind of ['speaker', 'side-by-side', 'grid']) {
			await arrange(ana, kind);
			const n = ana.tiles().length;
			assert.equal(n, kind === 'side-by-side' ? 2 : 3, kind);
			for (const p of [ana, bo])
				await seesTiles(p, n);
		}
		await until('their sizes as before', async () => await height(ana) === 720 && await height(bo) === 360, PATIENCE_MS);
	});

	test('a click brings the picture back; the last one of a size takes its encoder along', async () => {
		await cem.page.click('#picture-on');
		await until('720 lines for Cem', async () => await height(cem) === 720, PATIENCE_MS);
		await seesTiles(cem, 3);
		assert.equal(await cem.page.isVisible('#stage-note'), false);
		await setting(bo, 'saver', false);
		await until('720 lines for Bo', async () => await height(bo) === 720, PATIENCE_MS);
		await until('one encoder', async () => await encoders() === 1, PATIENCE_MS);
	});

	test('who hides itself sees the others alone, and they see all', async () => {
		await setting(bo, 'hide-self', true);
		await until('Bo to be told of two tiles', () => bo.last('layout')?.tiles.length === 2 && bo.tiles().every((t) => t.leg !== bo.leg));
		await seesTiles(bo, 2);
		for (const p of [ana, cem]) {
			assert.equal(p.tiles().length, 3);
			await seesTiles(p, 3);
		}
		await until('its own picture to be made', async () => await encoders() >= 2);
		await bo.page.screenshot({ path: join(process.env.E2E_OUT, 'audience-hidden.png') });
		await setting(bo, 'hide-self', false);
		await until('Bo to be told of three tiles', () => bo.last('layout')?.tiles.length === 3);
		await seesTiles(bo, 3);
		await until('its own picture to be made no more', async () => await encoders() === 1, PATIENCE_MS);
	});

	test('no page had an error', () => {
		for (const p of [ana, bo, cem])
			assert.deepEqual(p.errors, []);
	});
});

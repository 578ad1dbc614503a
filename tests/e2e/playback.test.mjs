// A host has a film played from the page: everybody sees its colours and hears its tones;
// it is paused, sought and stopped there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import en from '../../web/js/en.js';
import { Server, until } from '../support/server.mjs';
import { launch, media, Person } from './person.mjs';

const LOW = 500, HIGH = 1500, HALF_S = 40;
const HEARD_DB = -40, APART_DB = 20;

let server, browser, folder, film, host, guest;

// Green with a low tone, then magenta with a high one.
function makeFilm(file) {
	const half = (colour, hz) => ['-f', 'lavfi', '-t', String(HALF_S), '-i', `color=c=${colour}:s=320x180:r=10`,
		'-f', 'lavfi', '-t', String(HALF_S), '-i', `sine=frequency=${hz}:sample_rate=48000`];
	execFileSync('ffmpeg', ['-v', 'error', '-y', ...half('lime', LOW), ...half('magenta', HIGH),
		'-filter_complex', '[0][1][2][3]concat=n=2:v=1:a=1[v][s];[s]volume=4[a]', '-map', '[v]', '-map', '[a]', '-c:v', 'libx264',
		'-preset', 'ultrafast', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'aac', file]);
}

const near = (rgb, want) => rgb.every((c, i) => Math.abs(c - want[i]) < 70);

// Waits until p sees this colour where the film is, and hears its tone and not the other.
async function seesAndHears(p, leg, rgb, hz, other) {
	let seen, heard;
	await until(`${p.name} to see and hear it`, async () => {
		const tile = p.last('layout')?.tiles.find((t) => t.leg === leg);
		seen = tile && (await p.colours([tile]))?.[0];
		heard = await p.tones([hz, other]);
		return seen && near(seen, rgb) && heard[0] > HEARD_DB && heard[0] > heard[1] + APART_DB;
	}, 30000).catch((e) => { throw new Error(`${e.message}: ${seen}, ${heard} dB; ${leg} ${JSON.stringify([p.last("layout").tiles, p.last("playback"), p.messages.filter((m) => m.type === "left")])}`); });
}

describe('a film in the page', { timeout: 180000 }, () => {
	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'mcu-play-'));
		film = join(folder, 'film.mp4');
		makeFilm(film);
		server = await Server.small();
		browser = await launch(media('red'), { flags: ['--autoplay-policy=no-user-gesture-required'] });
		host = await Person.in(browser, server, 'Ana');
		guest = await Person.in(browser, server, 'Bob');
		await host.page.goto(server.url);
		await host.page.click('#sign-in');
		await host.page.fill('#user', 'admin');
		await host.page.fill('#password', server.password);
		await host.page.click('#account-go');
		await host.page.waitForSelector('#account', { state: 'hidden' });
		await host.page.fill('#name', 'Ana');
		await host.page.fill('#room', 'cinema');
		await host.page.click('#join-button');
		await host.connected();
		await guest.join('cinema');
	});

	after(async () => {
		await browser?.close();
		await server?.stopFine();
		rmSync(folder, { recursive: true, force: true });
	});

	test('is uploaded and played, paused, sought and stopped', async () => {
		await host.page.click('#play-something');
		await host.page.setInputFiles('#play-file', film);
		await host.page.click('#play-go');
		await host.reads('#playing-list', /film\.mp4/);
		await until('it to play', () => guest.last('playback')?.state === 'playing', 30000);
		const { leg, playback } = guest.last('playback');
		for (const p of [host, guest])
			await seesAndHears(p, leg, [0, 255, 0], LOW, HIGH);
		assert.equal(await guest.page.isVisible('#play-something'), false, 'only hosts may');

		await host.page.fill('#playing-list .seek', String((HALF_S + 2) * 1000));
		for (const p of [host, guest])
			await seesAndHears(p, leg, [255, 0, 255], HIGH, LOW);

		await host.page.click(`#playing-list button[aria-label="${en.playPause.replace('{title}', 'film.mp4')}"]`);
		await until('it to stand', () => guest.last('playback').state === 'paused');
		await until('silence', async () => (await guest.tones([HIGH]))[0] < HEARD_DB - 10);
		const at = guest.last('playback').position_ms;
		assert.ok(at >= (HALF_S + 2) * 1000, `at ${at} ms`);

		await host.page.click(`#playing-list button[aria-label="${en.playStop.replace('{title}', 'film.mp4')}"]`);
		await until('it to leave', () => guest.messages.some((m) => m.type === 'left' && m.leg === leg));
		assert.equal(guest.last('playback').state, 'ended');
		assert.equal(guest.last('playback').playback, playback);
		await host.page.waitForSelector('#playing', { state: 'hidden' });
		assert.deepEqual([...host.errors, ...guest.errors], []);
	});
});

// A host has a film played from the page: everybody sees its colours and hears its tones; it is
// paused, sought, turned down and stopped there. The room is recorded meanwhile, and the same is
// done with the recording.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import en from '../../web/js/en.js';
import { Server, until } from '../support/server.mjs';
import { clean } from './axe.mjs';
import { launch, media, Person } from './person.mjs';

const LOW = 500, HIGH = 1500, HALF_S = 40;
const HEARD_DB = -40, APART_DB = 20;

const SHOWN_MS = 2000; // of each colour, so that the recording has it for sure
let server, browser, folder, film, host, guest;
const made = { began: 0, low: 0, high: 0, spot: null }; // of the recording: when what was where

// Green with a low tone, then magenta with a high one.
function makeFilm(file) {
	const half = (colour, hz) => ['-f', 'lavfi', '-t', String(HALF_S), '-i', `color=c=${colour}:s=320x180:r=10`,
		'-f', 'lavfi', '-t', String(HALF_S), '-i', `sine=frequency=${hz}:sample_rate=48000`];
	execFileSync('ffmpeg', ['-v', 'error', '-y', ...half('lime', LOW), ...half('magenta', HIGH),
		'-filter_complex', '[0][1][2][3]concat=n=2:v=1:a=1[v][s];[s]volume=4[a]', '-map', '[v]', '-map', '[a]', '-c:v', 'libx264',
		'-preset', 'ultrafast', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'aac', file]);
}

const near = (rgb, want) => rgb.length === 3 && rgb.every((c, i) => Math.abs(c - want[i]) < 70);

const tileOf = (p, leg) => p.last('layout')?.tiles.find((t) => t.leg === leg);

// The colour of what is played, or of that spot of it.
async function colourOf(p, leg, spot = { x: 0.5, y: 0.5 }) {
	const t = tileOf(p, leg);
	return t && (await p.colours([{ x: t.x + t.width * spot.x, y: t.y + t.height * spot.y, width: 0, height: 0 }]))?.[0];
}

// Waits until p sees this colour where the film is, and hears its tone and not the other.
async function seesAndHears(p, leg, rgb, hz, other, spot) {
	let seen, heard;
	await until(`${p.name} to see and hear it`, async () => {
		seen = await colourOf(p, leg, spot);
		heard = await p.tones([hz, other]);
		return seen && near(seen, rgb) && heard[0] > HEARD_DB && heard[0] > heard[1] + APART_DB;
	}, 60000).catch((e) => { throw new Error(`${e.message}: ${seen}, ${heard} dB; ${leg} ${JSON.stringify([p.last("layout").tiles, p.last("playback"), p.messages.filter((m) => m.type === "left")])}`); });
}

const press = (what, title) => host.page.click(`#playing-list button[aria-label="${en[what].replace('{title}', title)}"]`);
const left = (leg) => until('it to leave', () => guest.messages.some((m) => m.type === 'left' && m.leg === leg));
const silent = (p, hz) => until(`${p.name} to hear nothing of it`, async () => (await p.tones([hz]))[0] < HEARD_DB - 10, 30000);

describe('a film in the page', { timeout: 240000 }, () => {
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
		await host.page.click('#record');
		await host.page.click('#record-go');
		await until('the room to be recorded', () => guest.last('recording')?.state === 'on', 30000);
		made.began = Date.now();
		await host.page.click('#play-something');
		await clean(host, 'the dialog');
		await host.page.setInputFiles('#play-file', film);
		await host.page.click('#play-go');
		await host.reads('#playing-list', /film\.mp4/);
		await until('it to play', () => guest.last('playback')?.state === 'playing', 30000);
		const { leg, playback } = guest.last('playback');
		for (const p of [host, guest])
			await seesAndHears(p, leg, [0, 255, 0], LOW, HIGH);
		made.low = Date.now() + SHOWN_MS / 2 - made.began;
		const { x, y, width, height } = tileOf(guest, leg), canvas = guest.last('layout');
		made.spot = { x: (x + width / 2) / canvas.width, y: (y + height / 2) / canvas.height };
		await sleep(SHOWN_MS);
		assert.equal(await guest.page.isVisible('#play-something'), false, 'only hosts may');

		await host.page.fill('#playing-list .seek', String((HALF_S + 2) * 1000));
		for (const p of [host, guest])
			await seesAndHears(p, leg, [255, 0, 255], HIGH, LOW);
		made.high = Date.now() + SHOWN_MS / 2 - made.began;
		await sleep(SHOWN_MS);

		await press('playPause', 'film.mp4');
		await until('it to stand', () => guest.last('playback').state === 'paused');
		await silent(guest, HIGH);
		const at = guest.last('playback').position_ms;
		assert.ok(at >= (HALF_S + 2) * 1000, `at ${at} ms`);

		await press('playStop', 'film.mp4');
		await left(leg);
		await until('its end to be told', () => guest.last('playback').state === 'ended');
		assert.equal(guest.last('playback').playback, playback);
		await host.page.waitForSelector('#playing', { state: 'hidden' });
		await host.page.click('#record');
		await until('the recording to be ready', () => host.last('recording')?.state === 'ready', 30000);
		assert.deepEqual([...host.errors, ...guest.errors], []);
	});

	test('its recording is played, paused, sought while it stands, turned down, and stopped', async () => {
		await host.page.click('#play-something');
		await host.page.selectOption('#play-what', `recording:${host.last('recording').recording}`);
		await host.page.check('#play-loop');
		await host.page.click('#play-go');
		await until('it to play', () => guest.last('playback')?.state === 'playing', 30000);
		const { leg, title, source, loop } = guest.last('playback');
		assert.deepEqual([source, loop], ['recording', true]);
		for (const p of [host, guest])
			await seesAndHears(p, leg, [0, 255, 0], LOW, HIGH, made.spot);
		await clean(host, 'what is played');

		await press('playPause', title);
		await until('it to stand', () => guest.last('playback').state === 'paused');
		await host.page.fill('#playing-list .seek', String(Math.round(made.high / 1000) * 1000));
		for (const p of [host, guest]) {
			await until(`${p.name} to see the other part`, async () => near(await colourOf(p, leg, made.spot) ?? [], [255, 0, 255]), 30000);
			await silent(p, HIGH);
		}
		const at = guest.last('playback').position_ms;
		assert.ok(Math.abs(at - made.high) <= 1000, `at ${at} ms, for ${made.high}`);
		await sleep(SHOWN_MS);
		assert.ok(near(await colourOf(guest, leg, made.spot), [255, 0, 255]));
		assert.equal(guest.last('playback').position_ms, at);

		await press('playResume', title);
		for (const p of [host, guest])
			await seesAndHears(p, leg, [255, 0, 255], HIGH, LOW, made.spot);
		await host.page.fill('#playing-list .loud input', '-20');
		await until('it to be turned down', () => guest.last('sound')?.leg === leg && guest.last('sound').gain_db === -20);
		await press('playMute', title);
		await until('it to be muted', () => guest.last('muted')?.leg === leg && guest.last('muted').audio);
		await press('playUnmute', title);
		await until('it to be heard again', () => !guest.last('muted').audio);
		await press('playLoopIt', title);
		await until('it to be played once', () => guest.last('playback').loop === false);
		await press('playStop', title);
		await left(leg);
		assert.deepEqual([...host.errors, ...guest.errors], []);
	});
});

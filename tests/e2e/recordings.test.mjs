// The page of recordings: finding, watching with chapters and small pictures, changing,
// sharing, deleting and restoring, by mouse and keyboard, wide and on a phone.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import en from '../../web/js/en.js';
import { Bots } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { Socket } from '../support/ws.mjs';
import { PHONE, clean } from './axe.mjs';
import { Person, launch } from './person.mjs';

const CHAPTERS = 'WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.000\nAna speaks\n\n2\n00:00:01.000 --> 00:00:02.000\n김민지 &amp; &lt;b&gt;slides&lt;/b&gt; 님 공유\n';
const SCRUB = 'WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nsheet.jpg#xywh=0,0,160,90\n\n00:00:01.000 --> 00:00:09.000\nsheet.jpg#xywh=160,0,160,90\n';
const shots = process.env.RECORDINGS_SHOTS; // a folder for pictures of the page
const data = mkdtempSync(join(tmpdir(), 'mcu-page-'));
const auth = () => ({ Authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` });
let server, browser, id;
const people = [];

async function rest(method, path, body) {
	const r = await fetch(`http://127.0.0.1:${server.port}/api/v1/${path}`, { method, headers: auth(), ...(body && { body: JSON.stringify(body) }) });
	assert.ok(r.ok, `${path}: ${r.status}`);
	return r.json();
}

// A recording of this room, with what lies beside it; track: and with one of a participant.
async function record(room, title, track, ...lines) {
	const s = await Socket.open(server.url);
	await s.join(room, '김민지');
	const bots = track ? Bots.start(server, room, { senders: 1, decode: 0, seconds: 600, name: 'Track <&> ' }) : null;
	await bots?.ready;
	s.send({ type: 'record', action: 'start' });
	const { recording } = await s.next('recording', { test: (m) => m.state === 'on' });
	for (const text of lines)
		s.send({ type: 'chat', text });
	await sleep(2500); // the length of the recording
	const row = () => rest('GET', `recordings/${recording}`);
	if (track)
		await until('a track', async () => (await row()).tracks.length === 1);
	s.send({ type: 'record', action: 'stop' });
	await s.next('recording', { test: (m) => m.state === 'ready' });
	s.destroy();
	await bots?.kill();
	await until('it to be finished', async () => [await row(), ...(await row()).tracks].every((r) => r.state === 'ready' && r.finish !== 'queued'), 60000);
	await rest('PATCH', `recordings/${recording}`, { title });
	const sql = (text) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(data, 'mcu.db'), text], { encoding: 'utf8' }).trim();
	const stem = join(data, sql(`SELECT path FROM recordings WHERE id = ${recording}`)).replace(/\.mp4$/, '');
	execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc=s=320x90:d=1', '-frames:v', '1', `${stem}.sheet.jpg`]);
	execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=1', '-frames:v', '1', `${stem}.jpg`]);
	writeFileSync(`${stem}.chapters.vtt`, CHAPTERS);
	writeFileSync(`${stem}.scrub.vtt`, SCRUB);
	sql(`UPDATE recordings SET parts = 15 WHERE id = ${recording}`);
	return recording;
}

async function visitor(options = {}) {
	const p = await Person.in(browser, server, 'Ana', { locale: 'en', colorScheme: 'dark', ...options });
	people.push(p);
	return p;
}

async function signedIn(options) {
	const p = await visitor(options);
	await p.page.goto(`${server.url}/recordings.html`);
	await p.page.click('#sign-in');
	await p.page.fill('#user', 'admin');
	await p.page.fill('#password', server.password);
	await p.page.click('#account-go');
	await p.page.waitForSelector('#list li');
	return p;
}

const titles = (p) => p.page.$$eval('#list a', (all) => all.map((a) => a.textContent));
const shows = (p, ...wanted) => until(`the list to be ${wanted}`, async () => JSON.stringify(await titles(p)) === JSON.stringify(wanted));
const shot = (p, name) => shots && p.page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
const at = (p) => p.page.$eval('#film', (v) => v.currentTime);

describe('recordings', { timeout: 180000 }, () => {
	before(async () => {
		server = await Server.small({ 'room.linger_s': 0, 'room.record': 'all', 'recording.tracks': true }, { data });
		browser = await launch(null, { flags: ['--autoplay-policy=no-user-gesture-required'] });
		id = await record('algebra', 'Vectors and rings', true, 'Homework: 교과서 42쪽');
		await record('회의실', '주간 회의', false);
	});

	after(async () => {
		const errors = people.flatMap((p) => p.errors);
		await browser.close();
		await server.stopFine();
		rmSync(data, { recursive: true, force: true });
		assert.deepEqual(errors, [], 'errors of the page');
	});

	test('who has not signed in is asked to; then they are listed and found', async () => {
		const p = await visitor();
		await p.page.goto(`${server.url}/recordings.html`);
		await p.reads('#library-told', new RegExp(en.signInToSee));
		assert.equal(await p.page.isVisible('#search'), false);
		await p.page.click('#library-sign-in');
		await p.page.waitForSelector('#account[open]');
		const q = await signedIn();
		await shows(q, '주간 회의', 'Vectors and rings');
		await q.reads('#found', /^2 recordings$/);
		await q.page.fill('#query', '교과');
		await shows(q, 'Vectors and rings');
		await q.page.fill('#query', 'nothing of this');
		await q.reads('#found', new RegExp(en.foundNone));
		await q.page.fill('#query', '');
		await q.page.click('summary');
		await q.page.fill('#in-room', '회의실');
		await shows(q, '주간 회의');
		await q.page.fill('#in-room', '');
		await q.page.fill('#from', '2000-01-01');
		await q.page.fill('#until', '2000-01-02');
		await q.reads('#found', new RegExp(en.foundNone));
		await q.page.fill('#until', new Date().toISOString().slice(0, 10));
		await shows(q, '주간 회의', 'Vectors and rings');
		assert.ok(await q.page.$eval('#list img', (i) => i.decode().then(() => i.naturalWidth)) > 0);
		await shot(q, 'library');
	});

	test('one is opened by the keyboard, plays, and is moved in', async () => {
		const p = await signedIn();
		await p.page.focus('#list li:last-child a');
		await p.page.keyboard.press('Enter');
		await p.reads('#watch-title', /^Vectors and rings$/);
		await p.page.waitForFunction(() => document.getElementById('film').duration > 1.5);
		await until('the title to have the focus', () => p.page.evaluate(() => document.activeElement.id === 'watch-title'));
		await p.page.$eval('#film', (v) => v.play());
		await until('it to play', async () => await at(p) > 0.2);
		await p.page.$eval('#film', (v) => v.pause());
		assert.deepEqual(await p.page.$$eval('#chapters button', (all) => all.map((b) => b.textContent)), ['0:00Ana speaks', '0:01김민지 & <b>slides</b> shares']);
		const there = await p.page.$$eval('#took-part li', (all) => all.map((b) => b.firstChild.textContent));
		assert.equal(there.length, 2);
		assert.ok(there.includes('김민지') && there.some((n) => n.startsWith('Track <&> ')), there.join());
		await p.reads('#tracks', /^Track <&> .*640×360 · h264 \+ opus/);
		await p.reads('#said', /김민지: Homework: 교과서 42쪽/);
		await p.page.click('#chapters li:last-child button');
		await until('the second chapter', async () => await at(p) >= 1);
		await until('it to be marked', () => p.page.$eval('#chapters li:last-child button', (b) => b.getAttribute('aria-current') === 'true'));
		assert.match(await p.page.getAttribute('#seek', 'aria-valuetext'), /^0:0\d, 김민지/);
		await p.page.$eval('#film', (v) => v.pause());
		await p.page.focus('#seek');
		await p.page.keyboard.press('Home');
		await until('its start', async () => await at(p) === 0);

		const box = await p.page.locator('#seek').boundingBox();
		await p.page.mouse.move(box.x + box.width * 0.95, box.y + box.height / 2);
		await p.page.waitForSelector('#peek:not([hidden])');
		assert.equal(await p.page.$eval('#peek-picture', (e) => e.style.backgroundPosition), '-160px 0px');
		assert.match(await p.page.$eval('#peek-picture', (e) => getComputedStyle(e).backgroundImage), /sheet\.jpg/);
		await shot(p, 'watch');
		const download = p.page.waitForEvent('download');
		await p.page.click('#download');
		assert.match((await download).suggestedFilename(), /^Vectors and rings \d{4}-\d\d-\d\d \d{4}\.mp4$/);
		const track = p.page.waitForEvent('download');
		await p.page.click('#tracks a');
		assert.match((await track).suggestedFilename(), /\.mkv$/);
	});

	test('title and tags, a link for somebody without an account, the trash', async () => {
		const p = await signedIn();
		await p.page.goto(`${server.url}/recordings.html#${id}`);
		await p.page.click('#edit-it');
		await p.page.fill('#edit-name', 'Groups');
		await p.page.fill('#edit-tags', 'maths, 수학 , maths');
		await p.page.keyboard.press('Enter');
		await p.reads('#watch-title', /^Groups$/);
		assert.deepEqual(await p.page.$$eval('#tags li', (all) => all.map((l) => l.textContent)), ['maths', '수학']);

		await p.page.click('#share-it');
		await p.page.click('#share-form .primary');
		await p.page.waitForSelector('#share-result:not([hidden])');
		const link = await p.page.inputValue('#share-link');
		await shot(p, 'share');
		await p.page.keyboard.press('Escape');
		const guest = await visitor({ locale: 'ko' });
		await guest.page.goto(link);
		await guest.reads('#watch-title', /^Groups$/);
		await guest.page.waitForFunction(() => document.getElementById('film').duration > 1.5);
		for (const button of ['#edit-it', '#share-it', '#delete-it', '#chat-part', '#back'])
			assert.equal(await guest.page.isVisible(button), false, button);
		await guest.page.goto('about:blank');
		await guest.page.goto(link.replace(/.$/, (c) => c === '0' ? '1' : '0'));
		await guest.reads('#watch-note', /링크/);

		await p.page.click('#delete-it');
		await p.page.click('#confirm-yes');
		await shows(p, '주간 회의');
		await p.page.click('summary');
		await p.page.check('#trash');
		await shows(p, 'Groups');
		await p.page.click('#list a');
		await p.reads('#facts', /deleted by admin/);
		assert.equal(await p.page.isVisible('#film'), false);
		await p.page.click('#restore-it');
		await p.page.waitForSelector('#film:not([hidden])');
		await p.page.click('#back');
		await p.page.uncheck('#trash');
		await shows(p, '주간 회의', 'Groups');
	});

	for (const [locale, colorScheme, where] of [['en', 'dark', {}], ['ko', 'light', PHONE]]) {
		test(`accessibility: ${locale}, ${colorScheme}`, async () => {
			const p = await signedIn({ locale, colorScheme, ...where });
			await p.page.click('summary');
			await clean(p, 'library');
			await shot(p, `library-${locale}`);
			await p.page.goto(`${server.url}/recordings.html#${id}`);
			await p.reads('#chapters li', locale === 'ko' ? /Ana 님 발언/ : /Ana speaks/);
			await p.page.waitForFunction(() => document.getElementById('film').readyState > 0);
			await clean(p, 'watch');
			await shot(p, `watch-${locale}`);
			if (where.isMobile)
				for (const width of [390, 320]) {
					await p.page.setViewportSize({ width, height: 844 });
					assert.ok(await p.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `it fits ${width} pixels`);
				}
			for (const dialog of ['edit', 'share', 'delete']) {
				await p.page.click(`#${dialog}-it`);
				await clean(p, dialog);
				await p.page.keyboard.press('Escape');
			}
		});
	}
});

// The page of those who run rooms: rooms, their times, templates, accounts; charts and
// tables of what was, tokens of programs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';
import { clean } from './axe.mjs';
import { launch } from './person.mjs';

const DAY = 86400000, SOON_MS = 60000;
// Two weeks of two rooms: on the n-th day before today n % 5 + 1 people, a tenth of them badly.
const FILL = `
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1])
noon = int(time.time() // 86400) * 86400000 + 43200000
id = 0
for room in (1, 2):
    db.execute('INSERT INTO rooms (id, name, created_ms) VALUES (?, ?, 1)', (room, ['', 'physics', 'chemistry'][room]))
    for day in range(14):
        id += 1
        at = noon - (day + 1) * 86400000
        db.execute('INSERT INTO sessions VALUES (?, ?, ?, ?, ?)', (id, room, at, at + 5400000, 'empty'))
        for n in range(day % 5 + 1):
            db.execute('INSERT INTO participants (id, session_id, leg, name, joined_ms, left_ms, score_n, score_sum, score_min)'
                ' VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', (1000 * id + n, id, n, 'x', at, at + 5400000, 10, 45 - day, 2.5 if n == 4 else 4))
db.commit()
`;

describe('the page of administrators', { timeout: within(300000) }, () => {
	let folder, server, browser, page, password;
	const wrong = [];

	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'mcu-admin-'));
		server = await Server.small({}, { data: folder });
		({ password } = server);
		await server.stopFine();
		execFileSync('/usr/bin/python3', ['-c', FILL, join(folder, 'mcu.db')]);
		server = await Server.small({}, { data: folder });
		browser = await launch();
		const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en', timezoneId: 'Asia/Seoul' });
		page = await context.newPage();
		page.on('pageerror', (e) => wrong.push(e.message));
		page.on('console', (m) => m.type() === 'error' && !m.text().includes('401') && wrong.push(m.text()));
		await page.goto(`${server.url}/admin.html#/usage`);
	});
	after(async () => {
		await browser?.close();
		await server?.stopFine();
		rmSync(folder, { recursive: true, force: true });
	});

	test('asks who one is', async () => {
		await page.waitForSelector('#account[open]');
		assert.ok(!await page.isVisible('#usage'));
		await page.fill('#user', 'admin');
		await page.fill('#password', password);
		await page.click('#account-go');
		await page.waitForSelector('#usage-charts svg');
	});

	test('charts, and the same figures in tables', async () => {
		assert.equal(await page.locator('#usage-charts figure svg[role=img]').count(), 4);
		const days = 14, people = 2 * Array.from({ length: days }, (_, i) => i % 5 + 1).reduce((a, b) => a + b);
		assert.equal(await page.locator('#usage-charts figure').first().locator('rect').count(), 30);
		const total = await page.locator('#usage-total dd').allTextContents();
		assert.deepEqual(total.slice(0, 4), [String(2 * days), String(people), '10', (people * 90).toLocaleString('en')]);
		assert.equal(await page.locator('#usage-days tbody tr').count(), 30);
		const rooms = await page.locator('#usage-rooms tbody tr').evaluateAll((rows) => rows.map((r) => [...r.cells].map((c) => c.textContent)));
		assert.deepEqual(rooms.map((r) => [r[0], r[1], r[2]]).sort(), [['chemistry', '14', String(people / 2)], ['physics', '14', String(people / 2)]]);
		const label = await page.locator('#usage-charts svg title').first().textContent();
		assert.match(label, /^Participants: at most 10, on /);
		assert.match(await page.textContent('#usage-zone'), /Asia\/Seoul/);
	});

	test('of one room, of other days', async () => {
		await page.fill('#usage-room', 'physics');
		await page.fill('#usage-from', new Date(Date.now() - 3 * DAY).toISOString().slice(0, 10));
		await page.click('#usage-form button');
		await page.waitForFunction(() => document.querySelectorAll('#usage-rooms tbody tr').length === 1);
		assert.ok((await page.locator('#usage-days tbody tr').count()) <= 5);
		await page.fill('#usage-from', '2020-01-01');
		await page.click('#usage-form button');
		await page.waitForFunction(() => document.querySelector('#admin-note').textContent.includes('400 days at most'));
	});

	// Shows a part of the page.
	async function part(name) {
		await page.click(`#parts a[data-part=${name}]`);
		await page.waitForSelector(`#${name}:not([hidden])`);
	}
	const rest = async (path) => (await fetch(`${server.url}/api/v1/${path}`, { headers: { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` } })).json();
	const reads = (selector, pattern) => until(`${selector} to say ${pattern}`, async () => pattern.test(await page.textContent(selector)), SOON_MS);
	const answer = async (what, yes) => {
		await page.click(`${what} >> text=Delete`);
		await page.click(yes ? '#confirm-yes' : '#confirm-no');
	};

	test('accounts: made, changed, refused, deleted', async () => {
		await part('users');
		await reads('#user-list', /admin.*Administrator/);
		assert.equal(await page.locator('#user-list li').first().locator('text=Delete').count(), 0, 'not oneself');
		for (const [name, role] of [['hana', 'host'], ['tom', 'participant']]) {
			await page.click('#user-add');
			await page.fill('#user-form [name=name]', name);
			await page.selectOption('#user-form [name=role]', role);
			await page.fill('#user-form [name=password]', 'correct horse');
			await page.click('#user-save');
			await reads('#user-list', new RegExp(name));
			await reads('#admin-done', new RegExp(name));
		}
		await page.click('#user-add');
		await page.fill('#user-form [name=name]', 'hana');
		await page.fill('#user-form [name=password]', 'correct horse');
		await page.click('#user-save');
		await reads('#user-error', /already/);
		await clean({ page }, 'dialog of an account');
		await page.keyboard.press('Escape');
		await page.click('#user-list li:has-text("hana") >> text=Change');
		await page.fill('#user-form [name=display_name]', 'Hana Kim');
		await page.click('#user-save');
		await reads('#user-list', /Hana Kim/);
		await answer('#user-list li:has-text("tom")', false);
		await answer('#user-list li:has-text("tom")', true);
		await until('it to be gone', async () => !/tom/.test(await page.textContent('#user-list')), SOON_MS);
		assert.deepEqual((await rest('users')).users.map((u) => [u.name, u.role, u.display_name]), [['admin', 'admin', 'admin'], ['hana', 'host', 'Hana Kim']]);
	});

	test('a template, and a room made with it', async () => {
		await part('templates');
		await page.waitForSelector('#no-templates:not([hidden])');
		await page.click('#template-add');
		await page.fill('#template-form [name=name]', 'class');
		await page.fill('#template-form [name=pattern]', 'class-*');
		await page.check('#template-form [name=lobby]');
		assert.ok(!await page.isVisible('#template-form [name=auto_people]'));
		await page.selectOption('#template-form [name=record]', 'auto');
		await page.fill('#template-form [name=auto_people]', '3');
		await clean({ page }, 'dialog of a template');
		await page.click('#template-form [type=submit]');
		await reads('#template-list', /class.*class-\*.*Waiting room.*Hosts, and by itself/);

		await part('rooms');
		await page.waitForSelector('#no-rooms:not([hidden])');
		await page.click('#room-add');
		await page.fill('#room-form [name=name]', 'maths');
		await page.selectOption('#room-form [name=template]', 'class');
		assert.ok(await page.isChecked('#room-form [name=lobby]'));
		assert.equal(await page.inputValue('#room-form [name=auto_people]'), '3');
		await page.fill('#room-form [name=title]', 'Mathematics');
		await page.fill('#room-form [name=guest_pin]', '2468');
		await page.fill('#room-form [name=owner]', 'hana');
		await page.fill('#room-form [name=keep_days]', '30');
		await clean({ page }, 'dialog of a room');
		await page.click('#room-save');
		await reads('#room-list', /maths.*Mathematics.*hana.*Hosts, and by itself.*PIN/);
		const room = await rest('rooms/maths');
		assert.deepEqual([room.title, room.owner, room.lobby, room.unmute, room.record, room.auto_people, room.guest_pin],
			['Mathematics', 'hana', true, true, 'auto', 3, true]);
		assert.deepEqual(await rest('rooms/maths/recording-rules'), { keep_days: 30, quota_bytes: -1, viewers: '' });
		await page.click('#room-list li >> text=Change');
		await until('what there is', async () => await page.inputValue('#room-form [name=keep_days]') === '30', SOON_MS);
		await page.selectOption('#room-form [name=viewers]', 'participants');
		await page.fill('#room-form [name=owner]', 'nobody-knows');
		await page.check('#room-form [name=no_guest_pin]');
		await page.click('#room-save');
		await reads('#room-error', /no account of this name/);
		await page.fill('#room-form [name=owner]', 'hana');
		await page.click('#room-save');
		await until('it to be saved', async () => (await rest('rooms/maths/recording-rules')).viewers === 'participants', SOON_MS);
		assert.equal((await rest('rooms/maths')).guest_pin, false);
		await page.waitForSelector('#room-dialog', { state: 'hidden' });
		await clean({ page }, 'rooms');
	});

	test('times of a room: added, changed, deleted', async () => {
		await page.click('#room-list li >> text=Times');
		await page.waitForSelector('#times:not([hidden])');
		await page.waitForSelector('#no-times:not([hidden])');
		assert.equal(await page.inputValue('#times-room'), 'maths');
		await page.click('#time-add');
		await page.selectOption('#time-form [name=action]', 'record');
		await page.fill('#time-form [name=start]', '09:00');
		await page.fill('#time-form [name=minutes]', '90');
		await page.fill('#time-form [name=from]', '2099-01-01');
		await page.click('#time-save');
		await reads('#time-error', /at least one day/);
		await page.check('#time-days [value=mon]');
		await page.check('#time-days [value=thu]');
		await clean({ page }, 'dialog of a time');
		await page.click('#time-save');
		await reads('#time-list', /maths: It is recorded.*Mon, Thu, 09:00–10:30.*From Jan 1, 2099 on.*Next: /);
		await page.click('#time-list >> text=Change');
		await page.selectOption('#time-form [name=repeat]', 'daily');
		assert.ok(!await page.isVisible('#time-days'));
		await page.fill('#time-form [name=to]', '2098-01-01');
		await page.click('#time-save');
		await reads('#time-error', /before the first/);
		await page.fill('#time-form [name=to]', '2099-12-31');
		await page.uncheck('#time-form [name=enabled]');
		await page.click('#time-save');
		await reads('#time-list', /Every day, 09:00–10:30.*Switched off/);
		const [s] = (await rest('rooms/maths/schedules')).schedules;
		assert.deepEqual([s.action, s.zone, s.repeat, s.minutes, s.to, s.enabled], ['record', 'Asia/Seoul', 'daily', 90, '2099-12-31', false]);
		await answer('#time-list li', true);
		await page.waitForSelector('#no-times:not([hidden])');
		assert.deepEqual((await rest('schedules')).schedules, []);
		await part('rooms');
		await answer('#room-list li', true);
		await page.waitForSelector('#no-rooms:not([hidden])');
	});

	test('a token is made, shown once, works, and is revoked', async () => {
		await part('own');
		await page.fill('#token-name', 'reports');
		await page.click('#token-form button');
		assert.match(await page.textContent('#token-error'), /at least one/);
		await page.check('#token-scopes input[value="stats:read"]');
		await page.fill('#token-days', '30');
		await page.click('#token-form button');
		await page.waitForSelector('#token-made:not([hidden])');
		const token = await page.textContent('#token-text');
		const ask = (path) => fetch(`${server.url}/api/v1/${path}`, { headers: { authorization: `Bearer ${token}` } }).then((r) => r.status);
		assert.deepEqual([await ask('statistics'), await ask('rooms')], [200, 403]);
		assert.match(await page.textContent('#token-list tbody tr'), /reports.*admin.*stats:read/);
		await page.reload();
		await page.waitForSelector('#token-list tbody tr');
		assert.ok(!(await page.content()).includes(token));
		await page.click('#token-list tbody button');
		await page.click('#confirm-yes');
		await page.waitForSelector('#no-tokens:not([hidden])');
		assert.equal(await ask('statistics'), 401);
	});

	test('in Korean too, and on a small screen nothing is beside it', async () => {
		await page.click('#language');
		await page.waitForFunction(() => document.querySelector('main h1').textContent === '관리');
		await part('usage');
		assert.match(await page.locator('#usage-charts svg title').first().textContent(), /참가자: 최대 10/);
		await page.setViewportSize({ width: 360, height: 740 });
		for (const name of ['rooms', 'times', 'templates', 'users', 'own', 'usage']) {
			await part(name);
			assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), name);
		}
		await page.setViewportSize({ width: 1280, height: 900 });
		await page.click('#language');
	});

	test('others see their own tokens and nothing else', async () => {
		const basic = { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` };
		const r = await fetch(`${server.url}/api/v1/users`, { method: 'POST', headers: basic, body: JSON.stringify({ name: 'paul', role: 'participant', password: 'correct horse' }) });
		assert.equal(r.status, 201);
		await page.click('#sign-out');
		await page.click('#sign-in');
		await page.fill('#user', 'paul');
		await page.fill('#password', 'correct horse');
		await page.click('#account-go');
		await page.waitForFunction(() => document.querySelector('#admin-note').textContent.includes('your own API tokens only'));
		assert.ok(!await page.isVisible('#usage'));
		assert.ok(await page.isVisible('#token-form'));
		assert.ok(!await page.isVisible('#parts'));
		await page.fill('#own-form [name=old_password]', 'wrong horse');
		for (const name of ['password', 'again'])
			await page.fill(`#own-form [name=${name}]`, 'battery staple');
		await page.click('#own-form [type=submit]');
		await reads('#own-error', /is wrong/);
		await page.fill('#own-form [name=old_password]', 'correct horse');
		await page.click('#own-form [type=submit]');
		await reads('#admin-done', /is changed/);
		await page.reload();
		await page.waitForSelector('#token-form');
		// a host has rooms of his own and no accounts
		await page.click('#sign-out');
		await page.click('#sign-in');
		await page.fill('#user', 'hana');
		await page.fill('#password', 'correct horse');
		await page.click('#account-go');
		await page.waitForSelector('#room-add');
		assert.deepEqual(await page.locator('#parts a:not([hidden])').allTextContents(), ['Rooms', 'Times', 'My account']);
		await page.click('#room-add');
		await page.fill('#room-form [name=name]', 'mine');
		assert.ok(!await page.isVisible('#room-form [name=owner]'));
		await page.click('#room-save');
		await reads('#room-list', /mine.*hana/);
		assert.deepEqual(wrong.filter((m) => !/40[019]/.test(m)), []);
	});
});

// The page of administrators: charts and tables of what was, tokens of programs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Server } from '../support/server.mjs';
import { within } from '../support/variant.mjs';
import { launch } from './person.mjs';

const DAY = 86400000;
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

describe('the page of administrators', { timeout: within(120000) }, () => {
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
		await page.goto(`${server.url}/admin.html`);
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

	test('a token is made, shown once, works, and is revoked', async () => {
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
		assert.match(await page.locator('#usage-charts svg title').first().textContent(), /참가자: 최대 10/);
		await page.setViewportSize({ width: 360, height: 740 });
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
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
		assert.deepEqual(wrong.filter((m) => !/40[01]/.test(m)), []);
	});
});

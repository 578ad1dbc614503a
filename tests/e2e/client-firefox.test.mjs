// The page in Firefox: joins, sends what its tile shows, survives another network,
// a reload and a restart of the server without a click, in Korean too.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import ko from '../../web/js/ko.js';
import { Server, until } from '../support/server.mjs';
import { FirefoxPerson } from './firefox.mjs';
import { near } from './person.mjs';

const SETTINGS = { 'video.width': 640, 'video.height': 360, 'video.fps': 15, 'video.bitrate_kbps': 600 };
let server;
let data;
let p;
const warnings = [];
const text = (selector) => p.page.evaluate((s) => document.querySelector(s)?.textContent, selector);

describe('the page in Firefox', { timeout: 180000 }, () => {
	before(async () => {
		data = await mkdtemp(join(tmpdir(), 'mcu-firefox-page-'));
		server = await Server.start(SETTINGS, { data });
		p = await FirefoxPerson.open(server, 'Ana', 'green');
		p.page.on('console', (m) => { if (/not (taken|sent|changed)/.test(m.text())) warnings.push(m.text()); });
	});

	after(async () => {
		await p?.close();
		await server.stop();
		await rm(data, { recursive: true, force: true });
	});

	test('joins and sees itself; the camera sends what its tile shows', async () => {
		await p.join('demo');
		await until('its own colour', () => p.sees(p.leg, 'green'));
		const { max_kbps: kbps } = (await until('an uplink', () => p.last('uplink'))).video;
		await until('the limit to be set', () => p.page.evaluate((bps) => window.connections.at(-1).getSenders()
			.find((s) => s.track?.kind === 'video').getParameters().encodings[0].maxBitrate === bps, kbps * 1000));
	});

	test('another network: new addresses, the same leg', async () => {
		const before = (await p.last('welcome')).leg;
		await p.page.evaluate(() => dispatchEvent(new Event('online')));
		await until('a second answer', () => p.page.evaluate(() => window.messages.filter((m) => m.type === 'answer').length === 2));
		await new Promise((r) => setTimeout(r, 2500));
		await p.connected();
		assert.equal(p.leg, before);
		await until('the picture to go on', () => p.sees(p.leg, 'green'));
	});

	test('a reload comes back, muted as before', async () => {
		await p.page.evaluate(() => document.getElementById('mute').click());
		const before = p.leg;
		await p.page.reload();
		await p.connected();
		assert.notEqual(p.leg, before);
		assert.equal(await p.page.evaluate(() => document.getElementById('mute').dataset.icon), 'micOff');
		await until('the picture', () => p.sees(p.leg, 'green'));
	});

	test('a shared screen beside the camera, twice in one section', async () => {
		await p.page.evaluate(() => {
			navigator.mediaDevices.getDisplayMedia = async () => {
				const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
				const ctx = canvas.getContext('2d');
				setInterval(() => {
					ctx.fillStyle = 'rgb(210,180,40)';
					ctx.fillRect(0, 0, 640, 360);
				}, 66);
				return canvas.captureStream(15);
			};
		});
		const screen = async () => (await p.last('layout')).tiles.find((t) => t.content);
		const share = () => p.page.evaluate(() => document.getElementById('share').click());
		for (let i = 0; i < 2; i++) {
			await share();
			await until('the screen', async () => {
				const tile = await screen();
				return !!tile && near((await p.colours([tile]))?.[0] ?? [0, 0, 0], [210, 180, 40]);
			});
			await until('the camera beside it', () => p.sees(p.leg, 'green'));
			await share();
			await until('the camera alone', async () => !await screen() && await p.sees(p.leg, 'green'));
		}
		assert.equal(await p.page.evaluate(() => window.connections.at(-1).localDescription.sdp.match(/^m=/gm).length), 3);
	});

	test('a restart of the server is survived, and the role', async () => {
		const { port } = server;
		await server.stop();
		await until('to be told', () => p.page.evaluate(() => document.body.dataset.media === 'reconnecting'));
		server = await Server.start({ ...SETTINGS, 'http.port': port }, { data });
		await p.connected();
		assert.equal((await p.last('welcome')).role, 'host');
		await until('the picture', () => p.sees(p.leg, 'green'));
	});

	test('speaks Korean when asked to', async () => {
		await p.page.evaluate(() => {
			const select = document.getElementById('room-language');
			select.value = 'ko';
			select.dispatchEvent(new Event('change'));
		});
		await until('Korean', async () => await text('#leave') === ko.leave);
	});

	test('no error and no refused negotiation', () => {
		const errors = p.errors.filter((e) => !/establish a connection/.test(e)); // while the server was away
		assert.deepEqual([errors, warnings], [[], []]);
	});
});

// axe-core on the join page, the room and every dialog, dark and light, in English
// and Korean, wide and on a phone: nothing serious.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server } from '../support/server.mjs';
import { PHONE, clean, findings } from './axe.mjs';
import { launch, media, Person } from './person.mjs';
import { asHost, HOST, wire } from './wire.mjs';

let server;
let browser;

describe('accessibility', { timeout: 300000 }, () => {
	before(async () => {
		server = await Server.small();
		browser = await launch(media('red'), { flags: ['--autoplay-policy=no-user-gesture-required'] });
	});

	after(async () => {
		await browser.close();
		await server.stopFine();
	});

	for (const [locale, colorScheme, where] of [['en', 'dark', {}], ['en', 'light', PHONE], ['ko', 'light', {}], ['ko', 'dark', PHONE]]) {
		const name = `${locale}, ${colorScheme}, ${where.isMobile ? 'phone' : 'desktop'}`;
		test(`join page: ${name}`, async () => {
			const p = await Person.in(browser, server, 'Ana', { locale, colorScheme, ...where });
			let code = 'pin_wrong';
			await wire(p, {
				answer: (m, w) => {
					if (m.type === 'join')
						w.tell(code === 'lobby' ? { type: 'lobby', id: m.id, text: 'x' } : { type: 'error', id: m.id, code, text: 'x', fatal: false });
					return m.type === 'join';
				},
			});
			await p.page.route(/\/api\/v1\/server/, (route) => route.fulfill({ json: { sign_in: true } }));
			await p.page.goto(`${server.url}/?room=demo&invite=x`);
			await p.page.waitForFunction(() => document.getElementById('preview').videoWidth > 0);
			await p.page.evaluate(() => { document.getElementById('devices').open = true; });
			await clean(p, 'join page');
			await p.page.fill('#name', 'Ana');
			await p.page.click('#join-button');
			await p.page.waitForSelector('#pin');
			await clean(p, 'PIN');
			await p.page.click('#sign-in');
			await clean(p, 'sign-in');
			await p.page.keyboard.press('Escape');
			code = 'lobby';
			await p.page.fill('#pin', '1');
			await p.page.click('#join-button');
			await p.page.waitForSelector('#lobby:not([hidden])');
			await clean(p, 'lobby');
			await p.close();
		});

		test(`room and dialogs: ${name}`, async () => {
			const p = await Person.in(browser, server, 'Ana', { locale, colorScheme, ...where });
			const bad = { score: 1.5, uplink: { loss: 0.1, jitter_ms: 60, rtt_ms: 400, kbps: 1 } };
			const host = asHost({ room_policy: { ...HOST.room_policy, locked: true, guest_pin: true, host_pin: true } });
			const w = await wire(p, {
				answer: (m) => ['moderate', 'admit', 'policy'].includes(m.type),
				alter: (m) => m.type === 'stats' ? { ...m, ...bad } : host(m),
			});
			await p.join('demo');
			w.tell({ type: 'joined', participant: { leg: 9001, name: '김민지', audio: true, video: true, audio_muted: true, video_muted: true, role: 'participant', hand: true } });
			w.tell({ type: 'joined', participant: { leg: 9002, name: '+4989••••12', number: '+498912345612', kind: 'phone', audio: true, video: false, audio_muted: false, video_muted: false, role: 'participant', hand: false } });
			w.tell({ type: 'joined', participant: { leg: 9003, name: 'film.mp4', kind: 'playback', audio: true, video: true, audio_muted: false, video_muted: false, role: 'participant', hand: false } });
			w.tell({ type: 'playback', playback: 1, leg: 9003, state: 'paused', source: 'upload', title: 'film.mp4', position_ms: 61000, duration_ms: 120000, loop: true, content: false, seekable: true });
			w.tell({ type: 'playback', playback: 2, leg: 9004, state: 'playing', source: 'upload', title: 'slides.pdf', position_ms: 0, page: 1, pages: 9, loop: false, content: true, seekable: false });
			w.tell({ type: 'call', call: 7, state: 'ringing', number: '+498912345613' });
			w.tell({ type: 'waiting', people: [{ waiting: 1, name: 'Maria' }] });
			w.tell({ type: 'quality', legs: [{ leg: 9001, score: 2.1 }, { leg: p.leg, score: 4.2 }] });
			w.tell({ type: 'speaker', leg: 9001 });
			w.tell({ type: 'hand', leg: p.leg, raised: true });
			w.tell({ type: 'recording', state: 'ready', recording: 'r', url: '/recordings/r' });
			w.tell({ type: 'recording', state: 'on', recording: '1', by: '김민지' });
			await p.page.click('#mute');
			await p.page.waitForSelector('#unstable:not([hidden])');
			await clean(p, 'people');
			await p.page.click('#chat');
			w.tell({ type: 'chat', leg: 9001, name: '김민지', text: 'https://example.org/', at: Date.now() });
			w.tell({ type: 'chat', leg: 9001, name: '김민지', text: 'psst', at: Date.now(), to: p.leg });
			w.tell({ type: 'chat', leg: p.leg, name: 'Ana', text: 'https://example.org/', at: Date.now() });
			await p.page.waitForSelector('#lines .own a');
			await clean(p, 'chat');
			for (const button of ['menu-settings', 'menu-layout', 'menu-policy', 'menu-invite', 'menu-play', 'menu-help']) {
				await p.page.click('#more');
				await clean(p, 'menu');
				await p.page.click(`#${button}`);
				await clean(p, button);
				await p.page.keyboard.press('Escape');
			}
			await p.page.click('#tab-people');
			await p.page.click('#people li[data-leg="9001"] button');
			await clean(p, 'person');
			await p.page.click('#person-rename');
			await clean(p, 'rename');
			await p.page.keyboard.press('Escape');
			await p.page.evaluate(() => document.getElementById('dial').showModal());
			await clean(p, 'dial');
			await p.page.keyboard.press('Escape');
			await p.page.click('#people li[data-leg="9001"] button');
			await p.page.click('#person-remove');
			await clean(p, 'confirm');
			await p.page.keyboard.press('Escape');
			await p.page.evaluate(() => window.connections[0].close());
			await p.page.waitForSelector('#stage-note:not([hidden])');
			await clean(p, 'reconnecting');
			assert.deepEqual(p.errors, []);
			await p.close();
		});
	}

	test('a defect would be found', async () => {
		const p = await Person.in(browser, server, 'Ana');
		await p.page.goto(server.url);
		await p.page.evaluate(() => {
			const b = document.createElement('button');
			b.style.cssText = 'width:50px;height:50px';
			document.querySelector('main').append(b);
		});
		assert.match((await findings(p)).join(), /button-name/);
		await p.close();
	});
});

// Coming back: after a reload, on another network, after a refused restart; and
// offers of the server, also when they meet the page's own.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import en from '../../web/js/en.js';
import { until } from '../support/server.mjs';
import { label, person, rig, sent, setUp } from './page_rig.mjs';

describe('coming back', { timeout: 240000 }, () => {
	setUp();

	/* --- coming back -------------------------------------------------------------------------- */

	test('a reload comes back into the room, muted as before, without a click', async () => {
		const p = await person('Ana', { wired: {} });
		await p.join('demo');
		await p.page.click('#mute');
		const { resume } = p.last('welcome');
		p.wire.sent.length = 0;
		await p.page.reload();
		await p.connected();
		const join = await sent(p, 'join');
		assert.deepEqual([join.room, join.name, join.resume], ['demo', 'Ana', resume]);
		assert.equal(await label(p, 'mute'), en.unmute);
		await sent(p, 'mute', (m) => m.audio === true && m.video === false);
		assert.equal(await p.page.evaluate(() => window.opened.findLast((t) => t.kind === 'audio').enabled), false);
		await until('the picture', () => p.sees(p.leg, 'red'));
		assert.equal((await rig.server.metrics()).get('mcu_legs{room="demo"}'), 1);
	});

	test('coming back later, or after leaving, does not', async () => {
		const p = await person('Ana');
		await p.join('demo');
		const later = await p.context.newPage();
		await later.goto(`${rig.server.url}/?room=demo`);
		await later.waitForSelector('#join-button');
		assert.equal(await later.evaluate(() => document.body.dataset.media), undefined);
		await later.close();
		await p.page.goto('about:blank');
		await p.page.goto(`${rig.server.url}/?room=demo`);
		await p.page.waitForSelector('#join-button');
		await p.page.click('#join-button');
		await p.connected();
		await p.page.click('#leave');
		await p.page.waitForSelector('#join-button');
		await p.page.reload();
		await p.page.waitForSelector('#join-button');
		await new Promise((r) => setTimeout(r, 500));
		assert.equal(await p.page.evaluate(() => document.body.dataset.media), undefined);
	});

	test('another network: the media finds its way anew, the leg stays', async () => {
		const p = await person('Ana', { wired: {} });
		await p.join('demo');
		const ufrag = (m) => m.sdp.match(/a=ice-ufrag:(\S+)/)[1];
		await p.page.evaluate(() => dispatchEvent(new Event('online')));
		const offers = await until('a second offer', () => {
			const all = p.wire.sent.filter((m) => m.type === 'offer');
			return all.length === 2 && all;
		});
		assert.notEqual(ufrag(offers[0]), ufrag(offers[1]));
		const answers = await until('its answer', () => {
			const all = p.messages.filter((m) => m.type === 'answer');
			return all.length === 2 && all;
		});
		assert.notEqual(ufrag(answers[0]), ufrag(answers[1]));
		await p.page.waitForFunction(() => ['connected', 'completed'].includes(window.connections[0].iceConnectionState));
		await new Promise((r) => setTimeout(r, 1500));
		await until('the picture to go on', () => p.sees(p.leg, 'red'));
		assert.equal(p.wire.sent.filter((m) => m.type === 'join').length, 1);
		assert.equal(await p.page.evaluate(() => document.body.dataset.media), 'connected');
	});

	test('a restart that is refused leads to a new connection', async () => {
		const p = await person('Ana', {
			wired: { answer: (m, w) => m.type === 'offer' && w.sent.filter((x) => x.type === 'offer').length === 2
				&& (w.tell({ type: 'error', id: m.id, code: 'not_acceptable', text: 'x', fatal: false }), true) },
		});
		await p.join('demo');
		await p.page.evaluate(() => dispatchEvent(new Event('online')));
		await until('a new join', () => p.wire.sent.filter((m) => m.type === 'join').length === 2);
		await p.connected();
		await until('the picture', () => p.sees(p.last('welcome').leg, 'red'));
	});

	test('the server\'s offer is answered; one that meets the page\'s own gives way', async () => {
		let meet = false;
		const offer = (p) => ({ type: 'offer', sdp: p.last('answer').sdp.replaceAll('a=setup:passive', 'a=setup:actpass') });
		const p = await person('Ana', {
			wired: {
				answer: (m, w) => {
					if (m.type === 'offer' && meet)
						w.tell(offer(p));
					return m.type === 'answer'; // the server has not asked
				},
			},
		});
		await p.join('demo');
		p.wire.tell(offer(p));
		const { sdp } = await sent(p, 'answer');
		assert.match(sdp, /^m=audio [^0][^]*^m=video [^0]/m);
		assert.match(sdp, /useinbandfec=1/);
		meet = true;
		p.wire.sent.length = 0;
		await p.page.evaluate(() => dispatchEvent(new Event('online')));
		await sent(p, 'offer');
		await until('its answer', () => p.messages.filter((m) => m.type === 'answer').length === 2);
		await p.page.waitForFunction(() => window.connections[0].signalingState === 'stable');
		assert.equal(p.wire.sent.some((m) => m.type === 'answer'), false);
		meet = false;
		p.wire.tell(offer(p)); // it comes again
		await sent(p, 'answer');
		await until('the picture to go on', () => p.sees(p.leg, 'red'));
	});
});

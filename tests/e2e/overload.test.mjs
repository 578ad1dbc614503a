// A machine that is too small: the page says that the picture is simpler for a while,
// and when it is as it should be again.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import en from '../../web/js/en.js';
import { Bots } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { launch, media, Person } from './person.mjs';

const ROOM = 'busy';
// No machine encodes this on one thread, and there is no smaller picture.
const TOO_MUCH = {
	'video.width': 3840, 'video.height': 2160, 'video.fps': 60, 'video.preset': 'medium', 'video.bitrate_kbps': 6000,
	'video.tiers': '[]', 'mixer.threads': 1, 'overload.degrade': true,
};
let server, browser, ann;

describe('overload', { timeout: 360000 }, () => {
	before(async () => {
		server = await Server.start(TOO_MUCH);
		browser = await launch(media('red'), { flags: ['--autoplay-policy=no-user-gesture-required'] });
		ann = await Person.in(browser, server, 'Ann');
		// Every notice there ever was: each goes away by itself.
		await ann.page.addInitScript(() => {
			window.notices = [];
			new MutationObserver((all) => {
				for (const n of all.flatMap((m) => [...m.addedNodes]))
					if (n.className === 'notice')
						window.notices.push(n.textContent);
			}).observe(document, { childList: true, subtree: true });
		});
		await ann.join(ROOM);
	});

	after(async () => {
		await ann.close();
		await browser.close();
		await server.stopFine();
	});

	const said = (text, ms) => until(`the page to say "${text}"`, () => ann.page.evaluate((t) => window.notices.includes(t), text), ms);
	const shows = (...texts) => ann.page.evaluate((all) => {
		const shown = document.getElementById('notice').textContent;
		return all.some((t) => shown.includes(t));
	}, texts);

	test('the page says so, and when it is over', async () => {
		// What never moves would not be encoded again and again.
		const mover = Bots.start(server, ROOM, { senders: 1, decode: 0, seconds: 600 });
		await until('the other one to be there', () => ann.last('joined')?.participant.name.includes('sender'), 30000);
		await said(en.overloadSlow, 60000);
		assert.ok(ann.last('overload').level >= 1);
		assert.ok(await server.value('mcu_overload_level', ROOM) >= 1);
		await mover.kill();
		// She does without a picture: nothing is left to be done.
		await ann.page.click('#more');
		await ann.page.click('#menu-settings');
		await ann.page.check('#sound-only');
		await said(en.overloadOver, 200000);
		assert.equal(ann.last('overload').level, 0);
		assert.equal(await server.value('mcu_overload_level', ROOM), 0);
		await until('the notices to be gone', async () => !await shows(en.overloadSlow, en.overloadStill, en.overloadOver));
		const order = await ann.page.evaluate(() => window.notices);
		assert.ok(order.indexOf(en.overloadSlow) < order.indexOf(en.overloadOver), `${order}`);
		assert.deepEqual(ann.errors, []);
	});
});

// More work than the machine can do: the page says that the picture is simpler for a
// while, and when it is as it should be again.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import en from '../../web/js/en.js';
import { Bots } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { launch, media, Person } from './person.mjs';

const ROOM = 'busy', MOST_ROOMS = 8;
const HUGE = {
	'video.width': 3840, 'video.height': 2160, 'video.fps': 60, 'video.preset': 'medium', 'video.bitrate_kbps': 6000,
	'video.tiers': '[]', 'mixer.threads': 1, 'overload.degrade': true,
};
let server, browser, ann;

describe('overload', { timeout: 500000 }, () => {
	before(async () => {
		server = await Server.start(HUGE);
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

	const notices = () => ann.page.evaluate(() => window.notices);

	test('the page says so, and when it is over', async () => {
		const rooms = [];
		// As many rooms as it takes for a machine of this size.
		while (!(await notices()).includes(en.overloadSlow)) {
			assert.ok(rooms.length < MOST_ROOMS, `the machine does the work of ${rooms.length} rooms`);
			const bots = Bots.start(server, rooms.length ? `other-${rooms.length}` : ROOM, { senders: 1, viewers: 1, decode: 0, seconds: 600 });
			rooms.push(bots);
			await until('the notice, for a while', async () => (await notices()).includes(en.overloadSlow), 15000).catch(() => {});
		}
		assert.ok(ann.last('overload').level >= 1);
		await Promise.all(rooms.map((b) => b.kill()));
		// She does without a picture: nothing is left to be done.
		await ann.page.click('#more');
		await ann.page.click('#menu-settings');
		await ann.page.check('#sound-only');
		await until('the end to be told', async () => (await notices()).includes(en.overloadOver), 240000);
		assert.equal(ann.last('overload').level, 0);
		await until('the notices to be gone', () => ann.page.evaluate((all) => {
			const shown = document.getElementById('notice').textContent;
			return !all.some((t) => shown.includes(t));
		}, [en.overloadSlow, en.overloadStill, en.overloadOver]));
		const order = await notices();
		assert.ok(order.indexOf(en.overloadSlow) < order.indexOf(en.overloadOver), `${order}`);
		assert.deepEqual(ann.errors, []);
	});
});

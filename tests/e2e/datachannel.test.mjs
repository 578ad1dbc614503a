// The data channel "metadata": what one page says arrives at the others of its
// room, and what breaks a rule is answered.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { Person, launch, media } from './person.mjs';

const SMALL = { 'video.width': 320, 'video.height': 180, 'video.fps': 15, 'video.bitrate_kbps': 300 };

// Every connection of the page has the channel before its first offer.
const withChannel = () => {
	const Original = window.RTCPeerConnection;
	window.heard = [];
	window.shut = [];
	window.channel = (pc, label, options) => {
		const c = pc.createDataChannel(label, options);
		c.binaryType = 'arraybuffer';
		c.onmessage = (e) => window.heard.push(typeof e.data === 'string' ? JSON.parse(e.data) : [...new Uint8Array(e.data)]);
		c.onclose = () => window.shut.push(label);
		return c;
	};
	window.RTCPeerConnection = class extends Original {
		constructor(...a) {
			super(...a);
			window.last = this;
			window.metadata = window.channel(this, 'metadata');
		}
	};
};

async function open(browser, server, name, channel = true) {
	const p = await Person.in(browser, server, name);
	if (channel)
		await p.page.addInitScript(withChannel);
	await p.join('demo');
	if (channel)
		await p.page.waitForFunction(() => window.metadata.readyState === 'open');
	return p;
}

const heard = (p) => p.page.evaluate(() => window.heard);
const say = (p, data) => p.page.evaluate((d) => window.metadata.send(Array.isArray(d) ? new Uint8Array(d) : d), data);
const lastHeard = async (p) => (await heard(p)).at(-1);

describe('data channel', { timeout: 120000 }, () => {
	let browser, server, ann, bo, cy;

	before(async () => {
		browser = await launch(media('green'), { flags: ['--autoplay-policy=no-user-gesture-required'] });
		server = await Server.start({ ...SMALL, 'limits.data_messages_per_s': 10 });
		ann = await open(browser, server, 'Ann');
		bo = await open(browser, server, 'Bo');
		cy = await open(browser, server, 'Cy', false);
	});
	after(async () => {
		await browser?.close();
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
	});

	test('an object arrives with its sender', async () => {
		await say(ann, JSON.stringify({ kind: 'stroke', points: [[1, 2.5], [3, 4]], text: '선' }));
		await until('Bo to hear Ann', async () => (await heard(bo)).length === 1);
		assert.deepEqual(await heard(bo), [{ from: ann.leg, name: 'Ann', data: { kind: 'stroke', points: [[1, 2.5], [3, 4]], text: '선' } }]);
		await say(bo, '{}');
		await until('Ann to hear Bo', async () => (await heard(ann)).length === 1);
		assert.deepEqual(await lastHeard(ann), { from: bo.leg, name: 'Bo', data: {} });
	});

	test('octets arrive with the number of their sender in front', async () => {
		const data = Array.from({ length: 65536 }, (_, i) => i % 251);
		await say(ann, data);
		await until('Bo to have them', async () => Array.isArray(await lastHeard(bo)));
		const got = await lastHeard(bo);
		assert.equal((got[0] << 24) | (got[1] << 16) | (got[2] << 8) | got[3], ann.leg);
		assert.deepEqual(got.slice(4), data);
	});

	test('what breaks a rule is answered and goes nowhere', async () => {
		const before = (await heard(bo)).length;
		await new Promise((r) => setTimeout(r, 1100)); // the allowance is full again
		for (const [text, code] of [['[1]', 'bad_json'], [`{"a":"${'x'.repeat(17000)}"}`, 'too_large']]) {
			await say(ann, text);
			await until(`${code}`, async () => (await lastHeard(ann))?.error?.code === code);
			assert.match((await lastHeard(ann)).error.text, /^[A-Z].*\.$/);
		}
		for (let i = 0; i < 20; i++)
			await say(ann, '{"flood":true}');
		await until('rate_limited', async () => (await lastHeard(ann))?.error?.code === 'rate_limited');
		await until('some of it to arrive', async () => (await heard(bo)).length > before);
		assert.ok((await heard(bo)).length - before <= 12, 'not all of it');
	});

	test('channels of other names are closed, and so are unreliable ones', async () => {
		await bo.page.evaluate(() => {
			window.channel(window.last, 'chat');
			window.channel(window.last, 'metadata', { ordered: false });
			window.channel(window.last, 'metadata', { maxRetransmits: 0 });
		});
		await until('all three to be closed', async () => (await bo.page.evaluate(() => window.shut)).length === 3);
		assert.equal(await bo.page.evaluate(() => window.metadata.readyState), 'open');
	});

	test('one that closes its channel and opens it again hears again', async () => {
		await bo.page.evaluate(() => window.metadata.close());
		await until('it to be closed', () => bo.page.evaluate(() => window.metadata.readyState === 'closed'));
		await new Promise((r) => setTimeout(r, 1100));
		await bo.page.evaluate(() => { window.metadata = window.channel(window.last, 'metadata'); });
		await until('it to be open', () => bo.page.evaluate(() => window.metadata.readyState === 'open'));
		await until('Bo to hear Ann', async () => {
			await say(ann, '{"again":true}');
			return (await lastHeard(bo))?.data?.again;
		});
		await ann.close(); // with the channel open; the others go on
		await until('Ann to be gone', () => bo.last('left')?.leg === ann.leg);
		assert.equal(await cy.page.evaluate(() => document.body.dataset.media), 'connected');
	});
});

// Those who only watch: Chromium plays a room by WebRTC, as a stream where that is
// blocked, with the page's own player and with hls.js; how far behind that is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';

import en from '../../web/js/en.js';
import { begin, parseIndex, parseMedia } from '../../web/js/playlist.js';
import { Server, until } from '../support/server.mjs';
import { Socket } from '../support/ws.mjs';
import { launch, media, LOOKS, near, Person } from './person.mjs';

const require = createRequire(import.meta.url);
const HLS_JS = readFileSync(require.resolve('hls.js/dist/hls.min.js'), 'utf8');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const BEHIND_MS = 3000;
let server, browser, sender;

// The colour in the middle of what the page plays; null: nothing yet.
const seen = (page) => page.evaluate(() => {
	const v = document.getElementById('video');
	if (v.readyState < 2)
		return null;
	const c = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
	c.drawImage(v, v.videoWidth / 2, v.videoHeight / 2, 1, 1, 0, 0, 1, 1);
	return [...c.getImageData(0, 0, 1, 1).data.slice(0, 3)];
});
const sees = (page, rgb) => until('the right picture', async () => {
	const now = await seen(page);
	return now && near(now, rgb);
}, 30000);
const by = (page, what) => until(`it to play by ${what}`, async () => await page.evaluate(() => document.body.dataset.by) === what, 30000);
// It plays on.
async function goes(page) {
	const at = () => page.evaluate(() => document.getElementById('video').currentTime);
	const from = await at();
	await until('it to play on', async () => await at() > from + 2, 20000);
}

async function watcher(path, { noWebRtc = false, hlsJs = false, ...options } = {}) {
	const context = await browser.newContext({ viewport: { width: 800, height: 500 }, locale: 'en', ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(20000);
	page.problems = [];
	page.on('pageerror', (e) => page.problems.push(String(e)));
	page.on('console', (m) => m.type() === 'error' && /Content Security|Refused/.test(m.text()) && page.problems.push(m.text()));
	if (noWebRtc) // as behind a firewall: it is there, and no packet gets through
		await page.addInitScript(() => {
			const Original = window.RTCPeerConnection;
			window.RTCPeerConnection = class extends Original {
				constructor() { super({ iceTransportPolicy: 'relay' }); }
			};
		});
	if (hlsJs)
		await page.addInitScript(HLS_JS);
	await page.goto(new URL(path, server.url).href);
	page.done = async () => {
		await context.close();
		assert.deepEqual(page.problems, []);
	};
	return page;
}

describe('watching', { timeout: 480000 }, () => {
	before(async () => {
		server = await Server.small();
		browser = await launch(media('red'), { flags: ['--autoplay-policy=no-user-gesture-required'] });
		sender = await Person.in(browser, server, 'Ana');
		await sender.join('show');
	});

	after(async () => {
		await browser.close();
		await server.stopFine();
	});

	test('by WebRTC where it can', async () => {
		const page = await watcher('/watch/show');
		await until('it to play by WebRTC', async () => { // not in time, perhaps: then it is tried again
			const how = await page.evaluate(() => document.body.dataset.by);
			if (how === 'hls')
				await page.reload();
			return how === 'webrtc';
		}, 60000);
		await sees(page, LOOKS.red.rgb);
		assert.equal(await page.textContent('#state'), en.watchNow);
		await page.evaluate(AXE);
		const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] }));
		assert.deepEqual(violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id} ${v.nodes[0].html}`), []);
		await page.done();
	});

	test('as a stream where WebRTC does not get through', async () => {
		const page = await watcher('/watch/show', { noWebRtc: true });
		await by(page, 'hls');
		assert.equal(await page.textContent('#state'), en.watchBehind);
		await sees(page, LOOKS.red.rgb);
		await goes(page);
		await page.done();
	});

	test('with hls.js', async () => {
		const page = await watcher('/watch/show?by=hls', { hlsJs: true });
		await by(page, 'hls');
		await sees(page, LOOKS.red.rgb);
		await goes(page);
		await page.done();
	});

	// The camera goes off at a moment that is known, and the picture changes.
	for (const hlsJs of [false, true])
		test(`from glass to glass it takes less than ${BEHIND_MS} ms${hlsJs ? ', with hls.js too' : ''}`, async (t) => {
			const page = await watcher('/watch/show?by=hls', { hlsJs });
			await by(page, 'hls');
			let best = Infinity;
			await until(`a change to arrive in time: ${best}`, async () => {
				await goes(page);
				const changed = page.evaluate(() => new Promise((resolve) => {
					const v = document.getElementById('video');
					const c = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
					const look = () => {
						c.drawImage(v, v.videoWidth / 2, v.videoHeight / 4, 1, 1, 0, 0, 1, 1);
						return [...c.getImageData(0, 0, 1, 1).data.slice(0, 3)];
					};
					const before = look();
					const again = () => look().some((x, i) => Math.abs(x - before[i]) > 60) ? resolve(Date.now()) : v.requestVideoFrameCallback(again);
					again();
				}));
				const began = Date.now();
				await sender.page.click('#camera-off');
				best = Math.min(best, await changed - began);
				t.diagnostic(`behind: ${best} ms`);
				return best < BEHIND_MS;
			}, 150000);
			await page.done();
		});

	test('a room that has not begun is waited for; a PIN is asked for', async () => {
		const admin = { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` };
		await fetch(`${server.url}/api/v1/rooms/later`, { method: 'PUT', headers: admin, body: '{"guest_pin": "1234"}' });
		const page = await watcher('/watch/later?by=hls', { locale: 'ko' });
		await until('it to wait', async () => (await page.textContent('#state')).includes('아직'));
		const other = await Socket.open(server.url);
		await other.join('later', 'Bob', { pin: '1234' });
		await page.waitForSelector('#pin-form:not([hidden])');
		await page.fill('#pin', '1234');
		await page.click('#pin-form button');
		await by(page, 'hls');
		await goes(page);
		other.destroy();
		await page.done();
	});
});

test('playlists are read', () => {
	const base = 'https://h/hls/r/index.m3u8';
	assert.deepEqual(parseIndex('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.42e01f,mp4a.40.2"\nab/live.m3u8?key=1\n', base),
		{ uri: 'https://h/hls/r/ab/live.m3u8?key=1', codecs: 'avc1.42e01f,mp4a.40.2' });
	assert.equal(parseIndex('<html>', base), null);
	const p = parseMedia(`#EXTM3U
#EXT-X-TARGETDURATION:3
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.05
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="map-1.mp4"
#EXTINF:2.0,
7.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="map-2.mp4"
#EXT-X-PART:DURATION=0.33,URI="8.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.33,URI="8.1.m4s"
#EXTINF:0.66,
8.m4s
#EXT-X-PART:DURATION=0.33,URI="9.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="9.1.m4s"
`, 'https://h/hls/r/ab/live.m3u8');
	assert.deepEqual(p.pieces.map((x) => x.id), ['7', '8.0', '8.1', '9.0']);
	assert.deepEqual([p.target, p.hold, p.msn, p.part, p.ended], [3, 1.05, 9, 1, false]);
	assert.deepEqual(p.pieces.map((x) => x.map.at(-5)), ['1', '2', '2', '2']);
	assert.deepEqual(p.pieces.map((x) => x.breaks), [false, true, false, false]);
	assert.equal(p.pieces[1].uri, 'https://h/hls/r/ab/8.0.m4s');
	assert.equal(begin(p), 0); // 8.0 is not far enough from the end
	assert.equal(begin({ ...p, hold: 0.9 }), 1);
});

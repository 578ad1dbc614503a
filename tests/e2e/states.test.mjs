// What a person sees, reads and can do in each state of the page. The words are
// those of web/js/en.js; every picture lands in E2E_OUT.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { launch, media, Person } from './person.mjs';

const SMALL = { 'video.width': 640, 'video.height': 360, 'video.fps': 15, 'video.bitrate_kbps': 600, 'video.asm': 'default' };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const JOIN_ERROR = '#join-error', NOTICE = '#notice', STAGE = '#stage-text', PREVIEW = '#preview-note';

const browsers = {};
const people = [];
let server;
let blocked; // a page that waits for media in vain, from the beginning on

async function person(browser, name, options, at = server) {
	const p = await Person.in(browsers[browser], at, name, options);
	people.push(p);
	return p;
}
const legs = async (s = server) => (await s.metrics()).get('mcu_legs{room="demo"}') ?? 0;
const empty = () => until('the room to be empty', async () => await legs() === 0);
const label = (p, id) => p.page.textContent(`#${id}`);
const trackState = (p, kind) => p.page.evaluate((k) => window.opened.findLast((t) => t.kind === k).readyState, kind);

describe('the states of the page', { timeout: 180000 }, () => {
	before(async () => {
		server = await Server.start(SMALL);
		const start = async (name, ...how) => { browsers[name] = await launch(...how); };
		await Promise.all([
			start('red', media('red')),
			start('green', media('green')),
			start('bare', null, { flags: ['--host-resolver-rules=MAP conference.example 127.0.0.1'] }),
			start('shy', media('blue'), { ask: true }),
		]);
		blocked = await withoutMedia('Kim');
		await blocked.ask('behind-a-firewall');
	});

	afterEach(async () => {
		const errors = people.flatMap((p) => p.errors);
		await Promise.all(people.splice(0).map((p) => p.close()));
		assert.deepEqual(errors, [], 'errors of the page');
		if (server.process.exitCode === null)
			await empty();
	});

	after(async () => {
		await Promise.all(Object.values(browsers).map((b) => b.close()));
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
	});

	/* --- before joining --------------------------------------------------------- */

	test('the join page shows the camera and the microphone\'s level', async () => {
		for (const colorScheme of ['dark', 'light']) {
			const p = await person('red', 'Ana', { colorScheme });
			await p.page.goto(server.url);
			await p.page.waitForFunction(() => document.getElementById('preview').videoWidth > 0
				&& /scaleX\(0\.[1-9]/.test(document.getElementById('level').style.transform));
			assert.equal(await p.page.textContent(PREVIEW), '');
			await p.page.fill('#name', 'Ana Souza');
			await p.page.fill('#room', 'physics-101');
			assert.deepEqual((await p.page.locator('#camera option').allTextContents()).slice(1), ['No camera']);
			await p.picture(`join-${colorScheme}`);
			await p.page.selectOption('#camera', { label: 'No camera' });
			await p.reads(PREVIEW, /^Your camera is off\.$/);
		}
	});

	test('everything can be found by role and name, and Enter joins', async () => {
		const p = await person('red', 'Ana');
		await p.page.goto(server.url);
		await p.page.waitForFunction(() => document.activeElement.id === 'name');
		await p.page.keyboard.type('Ana');
		await p.page.keyboard.press('Tab');
		await p.page.keyboard.type('demo');
		await p.page.keyboard.press('Enter');
		await p.connected();
		assert.equal(await p.page.evaluate(() => document.activeElement.id), 'room-title');
		for (const name of ['Mute', 'Camera off', 'Share screen', 'Raise hand', 'Record', 'People', 'Chat', 'More', 'Leave', 'Full screen'])
			assert.ok(await p.page.getByRole('button', { name, exact: true }).isVisible(), name);
		assert.ok(await p.page.getByRole('list', { name: 'Participants' }).getByRole('img', { name: 'microphone on' }).isVisible());
		await p.page.focus('#mute');
		await p.page.keyboard.press('Space');
		assert.equal(await label(p, 'mute'), 'Unmute');
		await until('the server to be told', () => p.last('muted')?.audio === true);
		assert.match(p.page.url(), /\?room=demo$/);
	});

	test('a double click joins once', async () => {
		const p = await person('red', 'Ana');
		let sockets = 0;
		p.page.on('websocket', () => sockets++);
		await p.page.goto(`${server.url}/?room=demo`);
		await p.page.fill('#name', 'Ana');
		await p.page.dblclick('#join-button');
		await p.connected();
		assert.deepEqual([sockets, await legs()], [1, 1]);
	});

	test('without camera and microphone one watches and listens', async () => {
		const ana = await person('red', 'Ana');
		const p = await person('bare', 'Listener', { colorScheme: 'light' });
		await ana.join('demo');
		await p.page.goto(server.url);
		await p.reads(PREVIEW, /^No camera or microphone was found\./);
		await p.picture('no-devices');
		await p.join('demo');
		await until('the listener to see Ana', () => p.sees(ana.leg, 'red'));
		assert.deepEqual([await label(p, 'mute'), await label(p, 'camera-off')], ['Unmute', 'Camera on']);
		await ana.reads('#people', /Listener/);
		await p.page.click('#camera-off');
		await p.reads(NOTICE, /No camera was found\./);
	});

	test('a refused permission is told, with the way out', async () => {
		const p = await person('shy', 'Ana');
		await p.page.goto(server.url);
		await p.reads(PREVIEW, /does not let this page use camera and microphone\. Allow it at the address bar/);
		await p.picture('refused');
	});

	test('an insecure page says why there is no camera', async () => {
		const p = await person('bare', 'Ana');
		await p.page.goto(server.url.replace('localhost', 'conference.example'));
		await p.reads(PREVIEW, /only to https pages and to localhost/);
		assert.equal(await p.page.isEnabled('#join-button'), true);
	});

	test('a browser without WebRTC is told so', async () => {
		const p = await person('bare', 'Ana');
		await p.page.addInitScript(() => { delete window.RTCPeerConnection; });
		await p.page.goto(server.url);
		await p.reads('#unsupported', /WebRTC is missing\)\. Use a current/);
		assert.equal(await p.page.isVisible('#join-form'), false);
	});

	/* --- not let in ------------------------------------------------------------- */

	test('a full room, an unknown room and a bad name have words of their own', async () => {
		const [small, closed] = await Promise.all([Server.start({ ...SMALL, 'room.max_participants': 1 }), Server.start({ ...SMALL, 'room.on_demand': false })]);
		const first = await person('bare', 'Ana', {}, small), second = await person('red', 'Lukas', {}, small);
		const third = await person('bare', 'Kim', {}, closed);
		try {
			await first.join('demo');
			await second.ask('demo');
			await second.reads(JOIN_ERROR, /^The room is full\.$/);
			await second.picture('room-full');
			await first.page.click('#leave');
			await until('the place to be free', async () => await legs(small) === 0);
			await second.page.click('#join-button');
			await second.connected();
			await third.ask('phisics');
			await third.reads(JOIN_ERROR, /^There is no room of this name\./);
			await third.page.fill('#room', 'a/b');
			await third.page.click('#join-button');
			await third.reads(JOIN_ERROR, /^A room name has letters/);
		} finally {
			await Promise.all([small.stop(), closed.stop()]);
		}
	});

	test('leaving while it connects', async () => {
		const p = await withoutMedia('Ana');
		people.push(p);
		await p.ask('demo');
		await p.reads(STAGE, /^Connecting …$/);
		await p.picture('connecting');
		await p.page.click('#leave');
		await p.page.waitForSelector('#join-form');
		assert.equal(await p.page.textContent(JOIN_ERROR), '');
		await until('the server to know', async () => await legs() === 0);
	});

	/* --- in the room ------------------------------------------------------------ */

	test('recording: begun, told to everybody, finished, listed, fetched', async () => {
		const ana = await person('red', 'Ana', { colorScheme: 'dark' }), lukas = await person('green', 'Lukas');
		await ana.join('demo');
		await lukas.join('demo');
		await ana.page.click('#record');
		await ana.picture('record-dialog');
		await ana.page.click('#record-go');
		await lukas.reads(NOTICE, /Ana has started a recording\./);
		await lukas.reads('#recording', /^Recording$/);
		await until('both to be seen', async () => await ana.sees(ana.leg, 'red') && await ana.sees(lukas.leg, 'green'));
		await ana.picture('recording');
		await new Promise((r) => setTimeout(r, 1000)); // the length of the recording
		assert.equal(await lukas.page.isVisible('#record'), false, 'he is no host');
		await ana.page.click('#record');
		await ana.reads('#recording-list', /^Play .*Download$/);
		assert.equal(await ana.page.isVisible('#recording'), false);
		assert.equal(await label(ana, 'record'), 'Record');
		const [play, save] = await ana.page.locator('#recording-list a').evaluateAll((all) => all.map((a) => a.href));
		assert.match(play, /\/recordings\.html#\d+\/[\w.]+$/);
		for (const url of [save, play.replace('.html#', '/')]) {
			const reply = await fetch(url);
			assert.deepEqual([reply.status, reply.headers.get('content-type')], [200, 'video/mp4']);
			await reply.body.cancel();
		}
		await ana.picture('recorded');
	});

	test('camera off puts its light out; on again, it is seen again', async () => {
		const ana = await person('red', 'Ana'), lukas = await person('green', 'Lukas');
		await ana.join('demo');
		await lukas.join('demo');
		await until('Lukas to see Ana', () => lukas.sees(ana.leg, 'red'));
		await ana.page.click('#camera-off');
		await until('an avatar in her place', async () => lukas.last('muted')?.video === true && !await lukas.sees(ana.leg, 'red'));
		assert.equal(await trackState(ana, 'video'), 'ended');
		await ana.picture('camera-off');
		await ana.page.click('#camera-off');
		await until('Lukas to see Ana again', () => lukas.sees(ana.leg, 'red'));
	});

	test('the camera sends what its tile shows', async () => {
		const ana = await person('red', 'Ana'), lukas = await person('green', 'Lukas');
		const encoding = () => ana.page.evaluate(() => {
			const { sender } = window.connections[0].getTransceivers().find((t) => t.sender.track?.kind === 'video');
			return { ...sender.getParameters().encodings[0], source: sender.track.getSettings() };
		});
		await ana.join('demo');
		await lukas.join('demo');
		await until('half the width for each', () => ana.last('uplink')?.video.width < 330);
		const { width, height, fps, max_kbps: kbps } = ana.last('uplink').video;
		const e = await until('the limit to be set', async () => {
			const now = await encoding();
			return now.maxBitrate === kbps * 1000 && now;
		});
		assert.deepEqual([e.active, e.maxFramerate], [true, fps]);
		assert.ok(Math.abs(e.scaleResolutionDownBy - Math.max(1, e.source.width / width, e.source.height / height)) < 1e-6 && e.scaleResolutionDownBy > 1, JSON.stringify(e));
	});

	test('an unplugged camera is told; another one can be chosen', async () => {
		const ana = await person('red', 'Ana'), lukas = await person('green', 'Lukas');
		await ana.join('demo');
		await lukas.join('demo');
		await until('Lukas to see Ana', () => lukas.sees(ana.leg, 'red'));
		await ana.page.evaluate(() => {
			const track = window.opened.findLast((t) => t.kind === 'video');
			track.stop();
			track.dispatchEvent(new Event('ended'));
		});
		await ana.reads(NOTICE, /The camera is gone\. Plug it in again/);
		await until('Lukas to be told', () => lukas.last('muted')?.leg === ana.leg && lukas.last('muted').video);
		assert.equal(await label(ana, 'camera-off'), 'Camera on');
		await ana.page.click('#more');
		await ana.page.click('#menu-settings');
		await ana.page.selectOption('#room-camera', { label: 'No camera' });
		await ana.page.waitForFunction(() => !document.getElementById('room-camera').disabled);
		await ana.page.selectOption('#room-camera', { index: 0 });
		await until('Lukas to see Ana again', () => lukas.sees(ana.leg, 'red'));
	});

	test('where the browser plays no sound by itself, a click does', async () => {
		const p = await person('red', 'Ana');
		await p.page.addInitScript(() => {
			const play = HTMLMediaElement.prototype.play;
			HTMLMediaElement.prototype.play = function () {
				return this.id === 'view' && !this.muted && !window.clicked ? Promise.reject(new DOMException('', 'NotAllowedError')) : play.call(this);
			};
		});
		await p.join('demo');
		await p.reads('#play', /^Turn the sound on$/);
		await until('the picture meanwhile', () => p.sees(p.leg, 'red'));
		assert.equal(await p.page.evaluate(() => document.getElementById('view').muted), true);
		await p.picture('blocked');
		await p.page.evaluate(() => { window.clicked = true; });
		await p.page.click('#play');
		await p.page.waitForFunction(() => !document.getElementById('view').paused && !document.getElementById('view').muted);
		assert.equal(await p.page.isVisible('#play'), false);
	});

	test('on a phone, upright and on its side, everything is within reach', async () => {
		const others = await person('green', 'Lukas');
		const p = await person('red', 'Ana', PHONE);
		await others.join('demo');
		await p.page.goto(server.url);
		await p.picture('phone-join');
		await p.join('demo');
		await until('both to be seen', async () => await p.sees(p.leg, 'red') && await p.sees(others.leg, 'green'));
		for (const [name, width, height] of [['phone', 390, 844], ['phone-landscape', 844, 390], ['phone-small', 320, 568]]) {
			await p.page.setViewportSize({ width, height });
			await p.picture(name);
			const boxes = await p.page.evaluate(() => [...document.querySelectorAll('.bar button')].filter((b) => b.checkVisibility()).map((b) => b.getBoundingClientRect().toJSON()));
			for (const b of boxes)
				assert.ok(b.left >= 0 && b.top >= 0 && b.right <= width && b.bottom <= height && b.width >= 44 && b.height >= 44, `${name}: ${JSON.stringify(b)}`);
			assert.equal(await p.page.evaluate(() => document.documentElement.scrollWidth), width, name);
			assert.deepEqual(await p.page.evaluate(() => [...document.querySelectorAll('.bar button')]
				.filter((b) => b.firstElementChild.nextElementSibling.getBoundingClientRect().width > b.clientWidth).map((b) => b.textContent)), [], name);
		}
		await p.page.click('#panel');
		assert.equal(await p.page.isVisible('#people'), false);
	});

	/* --- interruptions and ends ------------------------------------------------- */

	test('whoever joins again from elsewhere replaces the old page', async () => {
		const p = await person('red', 'Ana'), elsewhere = await person('bare', 'Ana');
		await p.join('demo');
		await elsewhere.page.goto(server.url);
		await elsewhere.page.evaluate((resume) => {
			const socket = new WebSocket('/ws', 'mcu.v1');
			socket.onopen = () => socket.send(JSON.stringify({ type: 'join', room: 'demo', name: 'Ana', resume }));
		}, p.last('welcome').resume);
		await p.reads(JOIN_ERROR, /^You have joined this room from somewhere else\.$/);
	});

	test('who is removed reads so and does not come back', async () => {
		const p = await person('red', 'Ana');
		let remove;
		await p.page.routeWebSocket(/\/ws$/, (ws) => {
			ws.connectToServer();
			remove = () => {
				ws.send(JSON.stringify({ type: 'bye', reason: 'kicked', text: 'x' }));
				ws.close();
			};
		});
		await p.ask('demo');
		await p.page.waitForFunction(() => document.body.dataset.media === 'connected');
		remove();
		await p.reads(JOIN_ERROR, /^You were removed from the room\.$/);
	});

	test('a lost media connection is made anew', async () => {
		const p = await person('red', 'Ana');
		await p.join('demo');
		const before = p.leg;
		await p.page.evaluate(() => window.connections[0].close());
		await p.reads(STAGE, /Reconnecting …$/);
		await p.connected();
		assert.notEqual(p.leg, before);
		await until('the picture to be back', () => p.sees(p.leg, 'red'));
		assert.equal(await legs(), 1);
	});

	test('whoever goes to another page is gone at once, and may come back', async () => {
		const ana = await person('red', 'Ana'), lukas = await person('green', 'Lukas');
		await ana.join('demo');
		await lukas.join('demo');
		await ana.page.goto('about:blank');
		await until('Lukas to be told', () => lukas.last('left')?.leg === ana.leg, 3000);
		// Into the browser's cache, and back from it.
		await lukas.page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
		await empty();
		assert.equal(await trackState(lukas, 'video'), 'ended');
		await lukas.page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
		await lukas.page.waitForFunction(() => document.getElementById('preview').videoWidth > 0);
		assert.equal(await trackState(lukas, 'video'), 'live');
	});

	test('a connection that does not come about is told, and what may be the cause', async () => {
		await blocked.reads(JOIN_ERROR, /^The media connection could not be made\. A firewall may block UDP/, 20000);
		await blocked.picture('no-media');
		await blocked.close();
	});

	test('after a restart or a crash of the server everybody is back without a click', async () => {
		const data = await mkdtemp(join(tmpdir(), 'mcu-states-'));
		let s = await Server.start(SMALL, { data });
		const again = { ...SMALL, 'http.port': s.port };
		const ana = await person('red', 'Ana', { colorScheme: 'light' }, s), lukas = await person('green', 'Lukas', {}, s);
		const both = () => Promise.all([ana, lukas].map(async (p) => {
			await p.connected();
			await until(`${p.name} to see both`, async () => await p.sees(ana.leg, 'red') && await p.sees(lukas.leg, 'green'));
		}));
		try {
			await ana.join('demo');
			await lukas.join('demo');
			await ana.page.click('#mute');
			await both();
			await s.stop();
			await ana.reads(STAGE, /^The server is being restarted\./);
			await ana.picture('restarting');
			s = await Server.start(again, { data });
			await both();
			assert.equal(await label(ana, 'mute'), 'Unmute');
			await until('her to be muted there too', async () => ana.last('muted')?.audio === true);
			await s.kill();
			await lukas.reads(STAGE, /^The connection to the server was lost\. Reconnecting …$/);
			await lukas.picture('reconnecting');
			s = await Server.start(again, { data });
			await both();
			await s.kill();
			await lukas.page.click('#leave');
			await lukas.page.click('#join-button');
			await lukas.reads(JOIN_ERROR, /^The server cannot be reached\./);
			await lukas.picture('server-gone');
		} finally {
			await s.kill();
			await rm(data, { recursive: true, force: true });
		}
	});
});

// A page whose candidates do not reach the server, nor the server's it.
async function withoutMedia(name) {
	const p = await Person.in(browsers.red, server, name);
	const pass = (to) => (text) => { if (JSON.parse(text).type !== 'ice') to.send(text); };
	await p.page.routeWebSocket(/\/ws$/, (ws) => {
		const far = ws.connectToServer();
		ws.onMessage(pass(far));
		far.onMessage(pass(ws));
	});
	return p;
}

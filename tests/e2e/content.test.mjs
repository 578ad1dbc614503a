// A screen shared beside the camera: everybody sees both, one person presents at a
// time, a host may end it, and fine lines stay fine.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import en from '../../web/js/en.js';
import { Server, until } from '../support/server.mjs';
import { LOOKS, near, Person } from './person.mjs';

const ROOM = 'slides', W = 1280, H = 720;
const SCREENS = { Ann: [210, 180, 40], Bo: [190, 50, 190] };
let server, ann, bo;
const fill = (text, values) => Object.entries(values).reduce((s, [k, v]) => s.replaceAll(`{${k}}`, v), text);

// In the page, before it loads: a screen is a canvas of one colour, or of lines.
function fakeScreen({ rgb, w, h }) {
	const Socket = window.WebSocket;
	window.sockets = [];
	window.WebSocket = class extends Socket {
		constructor(...a) {
			super(...a);
			window.sockets.push(this);
		}
	};
	window.draw = (ctx) => {
		ctx.fillStyle = `rgb(${rgb})`;
		ctx.fillRect(0, 0, w, h);
	};
	window.lines = (width) => {
		window.draw = (ctx) => {
			ctx.fillStyle = '#fff';
			ctx.fillRect(0, 0, w, h);
			ctx.fillStyle = '#000';
			for (let x = 0; x < w; x += 2 * width)
				ctx.fillRect(x, 0, width, h);
		};
	};
	navigator.mediaDevices.getDisplayMedia = async () => {
		const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
		const ctx = canvas.getContext('2d');
		const timer = setInterval(() => window.draw(ctx), 100);
		const stream = canvas.captureStream(10);
		window.shared = stream.getVideoTracks()[0];
		const { stop } = window.shared;
		window.shared.stop = function () {
			clearInterval(timer);
			window.stopped = true;
			stop.call(this);
		};
		window.stopped = false;
		return stream;
	};
}

async function arrange(layout) {
	const r = await fetch(`${server.url}/api/v1/rooms/${ROOM}/layout`, {
		method: 'PUT', body: JSON.stringify(layout),
		headers: { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` },
	});
	assert.equal(r.status, 204);
}

const tileOf = (p, leg, content) => p.last('layout')?.tiles.find((t) => t.leg === leg && !!t.content === content);

async function sees(p, leg, content, rgb) {
	const tile = tileOf(p, leg, content);
	const [seen] = (tile && await p.colours([tile])) ?? [];
	return !!seen && near(seen, rgb);
}

async function everybodySees(what, leg, content, rgb) {
	for (const p of [ann, bo])
		await until(`${p.name} to see ${what}`, () => sees(p, leg, content, rgb));
}

async function nothingPresented() {
	for (const p of [ann, bo])
		await until(`${p.name} to see cameras alone`, () => {
			const l = p.last('layout');
			return l.content === null && l.tiles.length === 2 && !l.tiles.some((t) => t.content);
		});
}

const share = (p) => p.page.click('#share');
const says = (p, key, values = {}) => p.reads('#notice', new RegExp(fill(en[key], values)));

// What is sent: by each sender of pictures that has a track.
const senders = (p) => p.page.evaluate(async () => Promise.all(window.connections.at(-1).getSenders()
	.filter((s) => s.track?.kind === 'video').map(async (s) => {
		const rtp = [...(await s.getStats()).values()].find((r) => r.type === 'outbound-rtp');
		const { encodings: [e], degradationPreference } = s.getParameters();
		return { hint: s.track.contentHint, width: rtp?.frameWidth, height: rtp?.frameHeight, active: e.active,
			fps: e.maxFramerate, degradationPreference };
	})));
const content = async (p) => (await senders(p)).find((s) => s.hint === 'detail');

// In the page: how far neighbours so many pixels apart differ in the middle of a
// tile, from 0 to 1.
function contrast({ tile, step }) {
	const video = document.getElementById('view');
	const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
	const ctx = canvas.getContext('2d', { willReadFrequently: true });
	ctx.drawImage(video, 0, 0);
	const w = 256, h = 16;
	const { data } = ctx.getImageData(tile.x + tile.width / 2 - w / 2, tile.y + tile.height / 2, w, h);
	let sum = 0, n = 0;
	for (let y = 0; y < h; y++)
		for (let x = 0; x + step < w; x++, n++)
			sum += Math.abs(data[(y * w + x) * 4 + 1] - data[(y * w + x + step) * 4 + 1]);
	return sum / n / 255;
}

describe('content', { timeout: 240000 }, () => {
	before(async () => {
		server = await Server.start({ 'video.width': W, 'video.height': H, 'video.fps': 5, 'video.bitrate_kbps': 2000, 'video.tiers': '[]' });
		ann = await Person.open(server, 'Ann', 'red');
		bo = await Person.open(server, 'Bo', 'green');
		for (const p of [ann, bo]) {
			await p.page.addInitScript(fakeScreen, { rgb: SCREENS[p.name], w: W, h: H });
			await p.join(ROOM);
		}
	});

	after(async () => {
		const errors = [ann, bo].flatMap((p) => p?.errors ?? []);
		await Promise.all([ann, bo].map((p) => p?.close()));
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
		assert.deepEqual(errors, []);
	});

	test('everybody sees the camera and, larger, the screen', async () => {
		await everybodySees('Ann', ann.leg, false, LOOKS.red.rgb);
		await share(ann);
		await ann.reads('#sharing', new RegExp(en.sharing));
		await everybodySees('the screen', ann.leg, true, SCREENS.Ann);
		await everybodySees('Ann beside it', ann.leg, false, LOOKS.red.rgb);
		await everybodySees('Bo', bo.leg, false, LOOKS.green.rgb);
		for (const p of [ann, bo]) {
			assert.equal(p.last('layout').content, ann.leg);
			assert.equal(p.last('layout').tiles.length, 3);
			assert.ok(tileOf(p, ann.leg, true).width > 2 * tileOf(p, ann.leg, false).width);
		}
		await ann.picture('content');
		await until('the room to decode three pictures', async () => await server.value('mcu_video_decoders', ROOM) === 3);
	});

	test('the screen is sent as large as its tile, and keeps its size', async () => {
		const tile = tileOf(ann, ann.leg, true);
		await until('the size of the tile', async () => (await content(ann))?.width === tile.width);
		const sent = await content(ann);
		assert.equal(sent.height, tile.height);
		assert.equal(sent.degradationPreference ?? 'maintain-resolution', 'maintain-resolution');
		assert.ok(sent.fps <= 15, `${sent.fps} pictures per second`);
		assert.equal(ann.last('uplink').content.visible, true);
		assert.equal(bo.last('uplink').content, undefined);
	});

	test('who is muted, or has the camera off, goes on sharing', async () => {
		await ann.page.click('#camera-off');
		await until('Ann to be off', async () => !await sees(bo, ann.leg, false, LOOKS.red.rgb));
		await everybodySees('the screen', ann.leg, true, SCREENS.Ann);
		await ann.page.click('#camera-off');
		await everybodySees('Ann again', ann.leg, false, LOOKS.red.rgb);
	});

	test('a second presenter takes over, and the first is told', async () => {
		await share(bo);
		await everybodySees('Bo\'s screen', bo.leg, true, SCREENS.Bo);
		await says(ann, 'shareTakenBy', { name: 'Bo' });
		await until('Ann\'s sharing to end', () => ann.page.evaluate(() => window.stopped && document.getElementById('sharing').hidden));
		for (const p of [ann, bo])
			await until('one screen', () => p.last('layout').tiles.filter((t) => t.content).map((t) => t.leg).join() === `${bo.leg}`);
		await everybodySees('Ann', ann.leg, false, LOOKS.red.rgb);
	});

	test('a host ends it', async () => {
		await ann.page.click(`#people [data-leg="${bo.leg}"] button`);
		await ann.page.click('#person-content');
		await says(bo, 'shareEndedBy', { name: 'Ann' });
		await nothingPresented();
		await until('Bo\'s sharing to end', () => bo.page.evaluate(() => window.stopped));
		await until('two decoders', async () => await server.value('mcu_video_decoders', ROOM) === 2);
	});

	test('shared again in the same section; the browser\'s own button ends it', async () => {
		const sections = () => ann.page.evaluate(() => window.connections.at(-1).localDescription.sdp.match(/^m=/gm).length);
		const before = await sections();
		await share(ann);
		await everybodySees('the screen', ann.leg, true, SCREENS.Ann);
		assert.equal(await sections(), before);
		await ann.page.evaluate(() => {
			window.shared.stop();
			window.shared.dispatchEvent(new Event('ended'));
		});
		await says(ann, 'shareEnded');
		await nothingPresented();
		await everybodySees('Ann', ann.leg, false, LOOKS.red.rgb);
	});

	test('lines of one pixel survive where the screen has the whole picture', async () => {
		await arrange({ layout: 'custom', custom: [{ x: 0, y: 0, width: 1, height: 1, show: 'content' }] });
		await share(ann);
		await everybodySees('the screen', ann.leg, true, SCREENS.Ann);
		await until('the full size', async () => (await content(ann))?.width === W);
		await ann.page.evaluate(() => window.lines(1));
		await until('fine lines', async () => {
			const c = await bo.page.evaluate(contrast, { tile: tileOf(bo, ann.leg, true), step: 1 });
			return c > 0.5;
		});
		await bo.picture('content-lines');
		await until('cameras nobody sees not to be decoded', async () => await server.value('mcu_video_decoders', ROOM) === 1);
	});

	test('and lines of three pixels beside the cameras', async () => {
		await arrange({ layout: 'grid' });
		await ann.page.evaluate(() => window.lines(3));
		await until('the smaller tile', async () => tileOf(bo, ann.leg, true).width < W && (await content(ann)).width === tileOf(bo, ann.leg, true).width);
		await until('lines', async () => {
			// a line is 3 * 0.8 pixels wide there
			const c = await bo.page.evaluate(contrast, { tile: tileOf(bo, ann.leg, true), step: 2 });
			return c > 0.4;
		});
	});

	test('who comes back goes on sharing', async () => {
		await ann.page.evaluate((rgb) => {
			window.draw = (ctx) => {
				ctx.fillStyle = `rgb(${rgb})`;
				ctx.fillRect(0, 0, 1280, 720);
			};
		}, SCREENS.Ann);
		await everybodySees('the screen', ann.leg, true, SCREENS.Ann);
		// another network: ICE is restarted with all sections
		const answers = () => ann.messages.filter((m) => m.type === 'answer').length;
		const before = answers();
		await ann.page.evaluate(() => dispatchEvent(new Event('online')));
		await until('another answer', () => answers() > before);
		await everybodySees('the screen', ann.leg, true, SCREENS.Ann);
		// and the line is cut: everything is made anew
		const { leg } = ann;
		await ann.page.evaluate(() => window.sockets.at(-1).close());
		await until('another leg', async () => {
			const w = ann.last('welcome');
			return w && w.leg !== leg && await ann.page.evaluate(() => document.body.dataset.media === 'connected');
		}, 30000);
		ann.leg = ann.last('welcome').leg;
		await everybodySees('the screen again', ann.leg, true, SCREENS.Ann);
		await everybodySees('Ann again', ann.leg, false, LOOKS.red.rgb);
	});

	test('who leaves shares nothing any more', async () => {
		await ann.page.click('#leave');
		await until('Bo to be alone', () => {
			const l = bo.last('layout');
			return l.content === null && l.tiles.length === 1;
		});
		await until('Bo\'s picture', () => sees(bo, bo.leg, false, LOOKS.green.rgb));
	});
});

// A participant in Firefox ESR, driven over WebDriver BiDi. Its camera is a canvas
// of one colour and its microphone an oscillator: Firefox takes no files.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

import { until } from '../support/server.mjs';
import { LOOKS, near, readColours, readTones } from './person.mjs';

const PREFS = {
	'media.navigator.streams.fake': true, // devices are listed without hardware
	'media.navigator.permission.disabled': true,
	'media.peerconnection.ice.loopback': true,
	'media.peerconnection.ice.obfuscate_host_addresses': false,
	'media.autoplay.default': 0,
	'media.autoplay.blocking_policy': 0,
	'media.autoplay.block-webaudio': false,
	'media.cubeb.force_mock_context': true, // sound without a sound card
	'media.gmp-manager.updateEnabled': false,
	'app.update.enabled': false,
	'network.captive-portal-service.enabled': false,
	'network.connectivity-service.enabled': false,
	'browser.safebrowsing.downloads.remote.enabled': false,
	'datareporting.policy.dataSubmissionEnabled': false,
	'services.settings.server': 'data:,',
};

// In the page, before its own scripts.
function pretend({ rgb, hz }) {
	window.connections = [];
	window.messages = [];
	const Connection = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Connection {
		constructor(...a) {
			super(...a);
			window.connections.push(this);
		}
	};
	const Socket = window.WebSocket;
	window.WebSocket = class extends Socket {
		constructor(...a) {
			super(...a);
			window.messages = [];
			this.addEventListener('message', (e) => window.messages.push(JSON.parse(e.data)));
		}
	};
	if (!navigator.mediaDevices)
		return;
	navigator.mediaDevices.getUserMedia = async (wanted) => {
		const stream = new MediaStream();
		if (wanted.video) {
			const canvas = Object.assign(document.createElement('canvas'), { width: 480, height: 270 });
			const ctx = canvas.getContext('2d');
			let n = 0;
			setInterval(() => {
				ctx.fillStyle = `rgb(${rgb})`;
				ctx.fillRect(0, 0, 480, 270);
				ctx.fillStyle = `rgb(${n++ % 256}, 0, 0)`; // so that every picture differs
				ctx.fillRect(0, 0, 4, 4);
			}, 66);
			stream.addTrack(canvas.captureStream(15).getVideoTracks()[0]);
		}
		if (wanted.audio) {
			const context = new AudioContext();
			addEventListener('click', () => context.resume()); // sound waits for a gesture
			(window.contexts ??= []).push(context);
			const tone = new OscillatorNode(context, { frequency: hz });
			const out = context.createMediaStreamDestination();
			tone.connect(new GainNode(context, { gain: 0.25 })).connect(out);
			tone.start();
			stream.addTrack(out.stream.getAudioTracks()[0]);
		}
		return stream;
	};
}

export class FirefoxPerson {
	static async open(server, name, look) {
		const p = new FirefoxPerson();
		p.name = name;
		p.look = look;
		p.url = server.url;
		p.profile = mkdtempSync(join(tmpdir(), 'mcu-firefox-'));
		p.browser = await puppeteer.launch({
			browser: 'firefox', headless: true, userDataDir: p.profile, extraPrefsFirefox: PREFS,
			executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
			args: ['--width=1280', '--height=800'], protocolTimeout: 60000,
		});
		p.page = (await p.browser.pages())[0] ?? await p.browser.newPage();
		p.errors = [];
		p.page.on('pageerror', (e) => p.errors.push(String(e)));
		await p.page.evaluateOnNewDocument(pretend, LOOKS[look]);
		return p;
	}

	async join(room) {
		await this.page.goto(this.url);
		await this.page.locator('#name').fill(this.name);
		await this.page.locator('#room').fill(room);
		await this.page.locator('#join-button').click();
		await this.connected();
	}

	async connected(ms = 30000) {
		await this.page.waitForFunction(() => document.body.dataset.media === 'connected', { timeout: ms });
		this.leg = (await this.last('welcome')).leg;
	}

	last(type) {
		return this.page.evaluate((t) => window.messages.findLast((m) => m.type === t), type);
	}

	async colours(tiles) {
		return this.page.evaluate(readColours, { tiles, width: (await this.last('layout')).width });
	}
	tones(hz) { return this.page.evaluate(readTones, hz); }

	async sees(leg, look) {
		const tile = (await this.last('layout'))?.tiles.find((t) => t.leg === leg && !t.content);
		const colours = tile && await this.colours([tile]);
		return !!colours && near(colours[0], LOOKS[look].rgb);
	}

	async picture(file) { await this.page.screenshot({ path: file }); }

	async close() {
		await this.browser.close();
		await until('Firefox to have gone', async () => !this.browser.process() || this.browser.process().exitCode !== null).catch(() => {});
		rmSync(this.profile, { recursive: true, force: true });
	}
}

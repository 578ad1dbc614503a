// A participant: a page of a real browser whose camera shows one colour and whose
// microphone plays one tone, both from files.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const out = process.env.E2E_OUT;
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync', '--force-color-profile=srgb', '--mute-audio'];

// R, G, B of the camera, Hz of the microphone.
export const LOOKS = {
	red: { rgb: [200, 40, 40], hz: 440 },
	green: { rgb: [30, 160, 60], hz: 700 },
	blue: { rgb: [40, 70, 200], hz: 1100 },
};

export function media(look) {
	const { rgb, hz } = LOOKS[look];
	const video = join(out, `${look}-480.y4m`);
	const audio = join(out, `${look}.wav`);
	const hex = rgb.map((c) => c.toString(16).padStart(2, '0')).join('');
	if (!existsSync(video))
		execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `color=c=0x${hex}:s=480x270:r=15:d=2`,
			'-vf', 'scale=out_color_matrix=bt601:out_range=tv', '-pix_fmt', 'yuv420p', video]);
	if (!existsSync(audio))
		execFileSync('sox', ['-n', '-r', '48000', '-c', '1', '-b', '16', audio, 'synth', '10', 'sine', String(hz), 'vol', '0.25']);
	return { video, audio };
}

// A browser with this camera and microphone; files null: with neither. ask: it
// asks before it gives them, and nobody answers with yes.
export function launch(files, { ask = false, flags = [] } = {}) {
	const fake = files ? ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${files.video}`,
		`--use-file-for-fake-audio-capture=${files.audio}`] : [];
	const consent = ask ? '--deny-permission-prompts' : '--use-fake-ui-for-media-stream';
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
		args: [...FLAGS, ...fake, consent, ...flags],
	});
}

export class Person {
	// With a browser of its own.
	static async open(server, name, look) {
		const browser = await launch(media(look), { flags: ['--autoplay-policy=no-user-gesture-required'] });
		const p = await Person.in(browser, server, name);
		p.browser = browser;
		p.look = look;
		return p;
	}

	// In a browser that others use too; options as of newContext().
	static async in(browser, server, name, options = {}) {
		const p = new Person();
		p.name = name;
		p.url = server.url;
		p.context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
		p.page = await p.context.newPage();
		p.page.setDefaultTimeout(15000);
		p.messages = [];
		p.errors = [];
		p.page.on('pageerror', (e) => p.errors.push(String(e)));
		p.page.on('console', (m) => {
			if (m.type() === 'error' && /Content Security|Refused/.test(m.text()))
				p.errors.push(m.text());
		});
		p.page.on('websocket', (ws) => {
			p.messages = [];
			ws.on('framereceived', (f) => p.messages.push(JSON.parse(f.payload)));
		});
		await p.page.addInitScript(() => {
			const Original = window.RTCPeerConnection;
			window.connections = [];
			window.RTCPeerConnection = class extends Original {
				constructor(...a) {
					super(...a);
					window.connections.push(this);
				}
			};
		});
		// Noise suppression takes a steady tone for noise.
		await p.page.addInitScript(() => {
			const devices = navigator.mediaDevices;
			const original = devices?.getUserMedia.bind(devices);
			const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
			window.opened = [];
			if (devices)
				devices.getUserMedia = async (c) => {
					const stream = await original(c.audio ? { ...c, audio: { ...c.audio, ...plain } } : c);
					window.opened.push(...stream.getTracks());
					return stream;
				};
		});
		return p;
	}

	// Fills the form and presses the button; what comes of it is another matter.
	async ask(room) {
		await this.page.goto(this.url);
		await this.page.fill('#name', this.name);
		await this.page.fill('#room', room);
		await this.page.click('#join-button');
	}

	async join(room) {
		await this.ask(room);
		await this.connected();
	}

	async connected(ms = 20000) {
		await this.page.waitForFunction(() => document.body.dataset.media === 'connected', null, { timeout: ms });
		this.leg = this.last('welcome').leg;
	}

	last(type) {
		return this.messages.findLast((m) => m.type === type);
	}

	// The text of an element, once it has one that matches.
	async reads(selector, pattern, ms = 15000) {
		await this.page.waitForFunction(([s, p]) => {
			const e = document.querySelector(s);
			return e?.checkVisibility() && new RegExp(p).test(e.textContent);
		}, [selector, pattern.source], { timeout: ms }).catch(async () => {
			const text = await this.page.evaluate((s) => document.querySelector(s)?.textContent, selector);
			throw new Error(`${selector} says "${text}", not ${pattern}`);
		});
	}

	// Where the layout puts whom; people by leg.
	tiles() {
		return this.last('layout').tiles;
	}

	// Mean R, G, B in the middle of each tile of the received picture.
	colours(tiles) {
		return this.page.evaluate(readColours, { tiles, width: this.last('layout').width });
	}

	// Whether the tile of this leg shows the colour of a look.
	async sees(leg, look) {
		const tile = this.last('layout')?.tiles.find((t) => t.leg === leg && !t.content);
		const colours = tile && await this.colours([tile]);
		return !!colours && near(colours[0], LOOKS[look].rgb);
	}

	// dB at each frequency in what is received, relative to full scale.
	tones(hz) {
		return this.page.evaluate(readTones, hz);
	}

	picture(name) {
		return this.page.screenshot({ path: join(out, `${name}.png`) });
	}

	async close() {
		await this.context.close();
		await this.browser?.close();
	}
}

// The page offers these codecs of a kind only, in this order.
export async function limit(person, kind, codecs) {
	await person.page.addInitScript(([k, wanted]) => {
		const { setLocalDescription, createOffer } = RTCPeerConnection.prototype;
		const name = (c) => c.mimeType.split('/')[1];
		function prefer(pc) {
			for (const t of pc.getTransceivers())
				if (t.receiver.track.kind === k)
					t.setCodecPreferences(RTCRtpReceiver.getCapabilities(k).codecs
						.filter((c) => wanted.includes(name(c)) || name(c) === 'rtx')
						.sort((a, b) => wanted.indexOf(name(a)) - wanted.indexOf(name(b))));
		}
		RTCPeerConnection.prototype.createOffer = function (...a) {
			prefer(this);
			return createOffer.apply(this, a);
		};
		RTCPeerConnection.prototype.setLocalDescription = function (...a) {
			if (this.signalingState === 'stable')
				prefer(this);
			return setLocalDescription.apply(this, a);
		};
	}, [kind, codecs]);
}

// In the page: mean R, G, B in the middle of each tile of a layout so wide, in the
// received picture, which may be a smaller one; null while there is none.
export function readColours({ tiles, width }) {
	const video = document.getElementById('view');
	if (!video.videoWidth)
		return null;
	const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
	const ctx = canvas.getContext('2d');
	ctx.drawImage(video, 0, 0);
	const scale = video.videoWidth / width;
	return tiles.map((t) => {
		const size = 16;
		const d = ctx.getImageData((t.x + t.width / 2) * scale - size / 2, (t.y + t.height / 2) * scale - size / 2, size, size).data;
		const sum = [0, 0, 0];
		for (let i = 0; i < d.length; i += 4)
			for (let c = 0; c < 3; c++)
				sum[c] += d[i + c];
		return sum.map((v) => Math.round(v / (size * size)));
	});
}

// In the page: dB at each frequency in what is received, relative to full scale.
export async function readTones(wanted) {
	window.ears ??= (() => {
		const context = new AudioContext({ sampleRate: 48000 });
		const analyser = context.createAnalyser();
		analyser.fftSize = 8192;
		analyser.smoothingTimeConstant = 0;
		const track = document.getElementById('view').srcObject.getAudioTracks()[0];
		context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
		return { context, analyser };
	})();
	const { analyser, context } = window.ears;
	await context.resume();
	await new Promise((r) => setTimeout(r, 400));
	const bins = new Float32Array(analyser.frequencyBinCount);
	analyser.getFloatFrequencyData(bins);
	return wanted.map((f) => {
		const k = Math.round(f / (48000 / 8192));
		return Math.max(...bins.slice(k - 2, k + 3));
	});
}

export function near(a, b, tolerance = 40) {
	return a.every((x, i) => Math.abs(x - b[i]) <= tolerance);
}

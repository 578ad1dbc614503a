// A participant: a browser of its own, whose camera shows one colour and whose
// microphone plays one tone, both from files.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const out = process.env.E2E_OUT;
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream',
	'--autoplay-policy=no-user-gesture-required', '--force-color-profile=srgb', '--mute-audio'];

// R, G, B of the camera, Hz of the microphone.
export const LOOKS = {
	red: { rgb: [200, 40, 40], hz: 440 },
	green: { rgb: [30, 160, 60], hz: 700 },
	blue: { rgb: [40, 70, 200], hz: 1100 },
};

function media(look) {
	const { rgb, hz } = LOOKS[look];
	const video = join(out, `${look}.y4m`);
	const audio = join(out, `${look}.wav`);
	const hex = rgb.map((c) => c.toString(16).padStart(2, '0')).join('');
	if (!existsSync(video))
		execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `color=c=0x${hex}:s=320x180:r=15:d=2`,
			'-vf', 'scale=out_color_matrix=bt601:out_range=tv', '-pix_fmt', 'yuv420p', video]);
	if (!existsSync(audio))
		execFileSync('sox', ['-n', '-r', '48000', '-c', '1', '-b', '16', audio, 'synth', '10', 'sine', String(hz), 'vol', '0.25']);
	return { video, audio };
}

export class Person {
	static async open(server, name, look, extraFlags = []) {
		const p = new Person();
		const files = media(look);
		p.name = name;
		p.look = look;
		p.url = server.url;
		p.browser = await chromium.launch({
			executablePath: '/usr/bin/chromium', headless: true,
			args: [...FLAGS, `--use-file-for-fake-video-capture=${files.video}`, `--use-file-for-fake-audio-capture=${files.audio}`, ...extraFlags],
		});
		const context = await p.browser.newContext({ viewport: { width: 1280, height: 800 } });
		p.page = await context.newPage();
		p.errors = [];
		p.page.on('pageerror', (e) => p.errors.push(String(e)));
		p.page.on('websocket', (ws) => {
			p.messages = [];
			ws.on('framereceived', (f) => p.messages.push(JSON.parse(f.payload)));
		});
		// Noise suppression takes a steady tone for noise.
		await p.page.addInitScript(() => {
			const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
			navigator.mediaDevices.getUserMedia = (c) => original(c.audio ? { ...c, audio: { ...c.audio, echoCancellation: false, noiseSuppression: false, autoGainControl: false } } : c);
		});
		return p;
	}

	async join(room) {
		await this.page.goto(this.url);
		await this.page.fill('#name', this.name);
		await this.page.fill('#room', room);
		await this.page.click('#join-button');
		await this.page.waitForFunction(() => document.body.dataset.media === 'connected', null, { timeout: 20000 });
		this.leg = this.last('welcome').leg;
	}

	last(type) {
		return this.messages.findLast((m) => m.type === type);
	}

	// Where the layout puts whom; people by leg.
	tiles() {
		return this.last('layout').tiles;
	}

	// Mean R, G, B in the middle of each tile of the received picture.
	colours(tiles) {
		return this.page.evaluate((rects) => {
			const video = document.getElementById('view');
			const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
			const ctx = canvas.getContext('2d');
			if (!video.videoWidth)
				return null;
			ctx.drawImage(video, 0, 0);
			return rects.map((t) => {
				const size = 16;
				const d = ctx.getImageData(t.x + t.width / 2 - size / 2, t.y + t.height / 2 - size / 2, size, size).data;
				const sum = [0, 0, 0];
				for (let i = 0; i < d.length; i += 4)
					for (let c = 0; c < 3; c++)
						sum[c] += d[i + c];
				return sum.map((s) => Math.round(s / (size * size)));
			});
		}, tiles);
	}

	// dB at each frequency in what is received, relative to full scale.
	tones(hz) {
		return this.page.evaluate(async (wanted) => {
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
		}, hz);
	}

	async close() {
		await this.browser?.close();
	}
}

export function near(a, b, tolerance = 40) {
	return a.every((x, i) => Math.abs(x - b[i]) <= tolerance);
}

// Camera and microphone: choosing, previewing, measuring.
import { mediaFailure, words } from './words.js';

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const OFF = 'off';

export class Devices {
	constructor(micSelect, cameraSelect) {
		this.mic = micSelect;
		this.camera = cameraSelect;
		this.stream = new MediaStream();
		this.problem = '';
	}

	get audio() { return this.stream.getAudioTracks()[0] ?? null; }
	get video() { return this.stream.getVideoTracks()[0] ?? null; }

	// Opens what is chosen; what fails is left out and said in this.problem.
	async open() {
		this.close();
		this.problem = '';
		if (!navigator.mediaDevices?.getUserMedia) {
			this.problem = mediaFailure(null);
			return;
		}
		const want = {
			audio: this.mic.value !== OFF && { ...MICROPHONE, ...chosen(this.mic) },
			video: this.camera.value !== OFF && { ...CAMERA, ...chosen(this.camera) },
		};
		if (want.audio && want.video && await this.#take(want))
			return this.#list();
		// One of the two may be missing or busy: take what there is.
		const audio = want.audio && await this.#take({ audio: want.audio });
		const video = want.video && await this.#take({ video: want.video });
		if (want.audio && want.video && (audio || video))
			this.problem = audio ? words.noCamera : words.noMicrophone;
		await this.#list();
	}

	close() {
		for (const t of this.stream.getTracks()) {
			t.stop();
			this.stream.removeTrack(t);
		}
	}

	async #take(constraints) {
		try {
			const s = await navigator.mediaDevices.getUserMedia(constraints);
			s.getTracks().forEach((t) => this.stream.addTrack(t));
			return true;
		} catch (e) {
			this.problem = mediaFailure(e);
			return false;
		}
	}

	async #list() {
		const all = await navigator.mediaDevices.enumerateDevices();
		fill(this.mic, all.filter((d) => d.kind === 'audioinput'), 'Microphone');
		fill(this.camera, all.filter((d) => d.kind === 'videoinput'), 'Camera');
	}
}

function chosen(select) {
	return select.value ? { deviceId: { exact: select.value } } : {};
}

function fill(select, devices, kind) {
	const before = select.value;
	const options = devices.filter((d) => d.deviceId).map((d, i) => new Option(d.label || `${kind} ${i + 1}`, d.deviceId));
	select.replaceChildren(...options, new Option(`No ${kind.toLowerCase()}`, OFF));
	if ([...select.options].some((o) => o.value === before))
		select.value = before;
	else if (!options.length)
		select.value = OFF;
}

// Calls back with the level of a track, 0 to 1, until it is stopped.
export function meter(track, onLevel) {
	const context = new AudioContext();
	const analyser = context.createAnalyser();
	analyser.fftSize = 512;
	context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
	const samples = new Float32Array(analyser.fftSize);
	const timer = setInterval(() => {
		analyser.getFloatTimeDomainData(samples);
		const rms = Math.sqrt(samples.reduce((s, x) => s + x * x, 0) / samples.length);
		onLevel(Math.max(0, Math.min(1, 1 + Math.log10(rms + 1e-6) / 3)));
	}, 60);
	return () => {
		clearInterval(timer);
		if (context.state !== 'closed')
			context.close();
	};
}

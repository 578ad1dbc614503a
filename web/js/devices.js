// Camera and microphone: choosing, opening, losing, measuring.
import { deviceFailure, unplugged, words } from './words.js';
import { recall, remember } from './store.js';

const IDEAL = {
	audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
	video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
};
const LABEL = { audio: 'Microphone', video: 'Camera' };
const PERMISSION = { audio: 'microphone', video: 'camera' };
const KINDS = ['audio', 'video'];
export const OFF = 'off';

// Events: `change` when tracks, lists or the problem changed; `lost` with the
// kind as detail when an open device went away.
export class Devices extends EventTarget {
	tracks = { audio: null, video: null };
	known = { audio: [], video: [] };
	choice = { audio: recall('audio'), video: recall('video') }; // a device id, '' (any) or OFF
	using = { audio: '', video: '' }; // the id of the one opened last
	problem = '';
	busy = false;
	#queue = Promise.resolve();

	constructor() {
		super();
		navigator.mediaDevices?.addEventListener?.('devicechange', () => this.#list());
	}

	// When everything asked for so far is open, or has failed.
	get settled() { return this.#queue; }

	// Opens what is chosen; what fails is left out and said in this.problem.
	open(kinds) {
		this.#queue = this.#queue.then(() => this.#open(kinds));
		return this.#queue;
	}

	choose(kind, id) {
		this.choice[kind] = id;
		remember(kind, id);
		return this.open([kind]);
	}

	openMissing() {
		const missing = KINDS.filter((k) => !this.tracks[k]);
		return missing.length ? this.open(missing) : this.#changed();
	}

	close(kinds = KINDS) {
		for (const kind of kinds) {
			this.tracks[kind]?.stop();
			this.tracks[kind] = null;
		}
	}

	async #open(kinds) {
		this.close(kinds);
		this.problem = '';
		if (!navigator.mediaDevices?.getUserMedia) {
			this.problem = window.isSecureContext ? words.unsupported : words.insecure;
			return this.#changed();
		}
		this.busy = true;
		this.#changed();
		this.problem = await this.#take(kinds.filter((k) => this.choice[k] !== OFF));
		this.busy = false;
		await this.#list();
	}

	async #take(kinds) {
		const error = kinds.length && await this.#get(kinds);
		if (!error)
			return '';
		if (kinds.length < 2)
			return deviceFailure(kinds[0], error);
		// One of the two may be missing, busy or not allowed: take what there is.
		const errors = {};
		for (const kind of kinds)
			errors[kind] = await mayAsk(kind, error) ? await this.#get([kind]) : error;
		if (errors.audio && errors.video)
			return deviceFailure(errors.audio.name === errors.video.name ? 'both' : 'audio', errors.audio);
		const kind = KINDS.find((k) => errors[k]);
		return kind ? deviceFailure(kind, errors[kind]) : '';
	}

	// An error, or null when the tracks are there.
	async #get(kinds) {
		try {
			const stream = await navigator.mediaDevices.getUserMedia(Object.fromEntries(kinds.map((k) => [k, {
				...IDEAL[k], ...(this.choice[k] && { deviceId: { exact: this.choice[k] } }),
			}])));
			stream.getTracks().forEach((t) => this.#adopt(t));
			return null;
		} catch (e) {
			if (e.name !== 'OverconstrainedError' || !kinds.some((k) => this.choice[k]))
				return e;
			for (const k of kinds) // the remembered device is not here today
				this.choice[k] = '';
			return this.#get(kinds);
		}
	}

	#adopt(track) {
		const { kind } = track;
		this.tracks[kind] = track;
		this.using[kind] = track.getSettings().deviceId;
		track.addEventListener('ended', () => {
			if (this.tracks[kind] !== track)
				return;
			this.tracks[kind] = null;
			this.problem = unplugged[kind];
			this.dispatchEvent(new CustomEvent('lost', { detail: kind }));
			this.#changed();
		});
	}

	async #list() {
		const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
		for (const kind of KINDS)
			this.known[kind] = all.filter((d) => d.kind === `${kind}input` && d.deviceId);
		this.#changed();
	}

	#changed() { this.dispatchEvent(new CustomEvent('change')); }
}

// After a refusal only what was allowed before is asked for again: a person who
// has just said no is not asked twice more.
async function mayAsk(kind, error) {
	if (error.name !== 'NotAllowedError')
		return true;
	try {
		return (await navigator.permissions.query({ name: PERMISSION[kind] })).state === 'granted';
	} catch {
		return false;
	}
}

// A select element that shows and sets the choice of one kind.
export function bindSelect(select, devices, kind, onChosen = () => {}) {
	const show = () => {
		const label = LABEL[kind];
		const options = devices.known[kind].map((d, i) => new Option(d.label || `${label} ${i + 1}`, d.deviceId));
		select.replaceChildren(...options, new Option(`No ${label.toLowerCase()}`, OFF));
		select.value = devices.using[kind];
		if (devices.choice[kind] === OFF || select.selectedIndex < 0)
			select.value = OFF;
		select.disabled = devices.busy;
	};
	devices.addEventListener('change', show);
	select.addEventListener('change', async () => {
		await devices.choose(kind, select.value);
		onChosen(kind);
	});
	show();
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
		onLevel(0);
		context.close();
	};
}

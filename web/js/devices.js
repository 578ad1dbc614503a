// Camera, microphone, speaker and screen: choosing, opening, losing, measuring.
import { recall, remember } from './store.js';
import { changes, t } from './words.js';

const VOICE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const ORIGINAL = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: { ideal: 2 } };
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const SCREEN = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { ideal: 15, max: 30 } };
const PERMISSION = { audio: 'microphone', video: 'camera' };
const LABEL = { audio: 'microphone', video: 'camera', output: 'speaker' };
const NONE = { audio: 'noMicrophone', video: 'noCamera' };
const KINDS = ['audio', 'video'];
export const OFF = 'off';
export const canShare = () => !!navigator.mediaDevices?.getDisplayMedia;
export const canRoute = () => 'setSinkId' in HTMLMediaElement.prototype;

// Events: `change` when tracks, lists or the problem changed; `lost` with the
// kind as detail when an open device went away; `output`: another speaker.
export class Devices extends EventTarget {
	tracks = { audio: null, video: null };
	known = { audio: [], video: [], output: [] };
	choice = { audio: recall('audio'), video: recall('video'), output: recall('output') }; // a device id, '' (any) or OFF
	using = { audio: '', video: '' }; // the id of the one opened last
	original = recall('original') === 'yes'; // sound as it is: for music
	problem = ''; // a key of the words
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
		if (kind !== 'output')
			return this.open([kind]);
		this.dispatchEvent(new Event('output'));
	}

	setOriginal(yes) {
		this.original = yes;
		remember('original', yes ? 'yes' : '');
		return this.tracks.audio ? this.open(['audio']) : undefined;
	}

	// The sound of this element goes to the speaker that was chosen.
	async route(element) {
		if (canRoute() && (this.choice.output || element.sinkId))
			await element.setSinkId(this.choice.output).catch(() => { this.choice.output = ''; });
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

	// A track of a screen or window, for text that stays sharp; null when the person
	// thought better of it.
	async screen() {
		try {
			const stream = await navigator.mediaDevices.getDisplayMedia({ video: SCREEN, audio: false });
			const [track] = stream.getVideoTracks();
			track.contentHint = 'detail';
			return track;
		} catch (e) {
			if (e.name === 'NotAllowedError' || e.name === 'AbortError')
				return null;
			throw e;
		}
	}

	async #open(kinds) {
		this.close(kinds);
		this.problem = '';
		if (!navigator.mediaDevices?.getUserMedia) {
			this.problem = window.isSecureContext ? 'unsupported' : 'insecure';
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
			return failure(kinds[0], error);
		// One of the two may be missing, busy or not allowed: take what there is.
		const errors = {};
		for (const kind of kinds)
			errors[kind] = await mayAsk(kind, error) ? await this.#get([kind]) : error;
		if (errors.audio && errors.video)
			return failure(errors.audio.name === errors.video.name ? 'both' : 'audio', errors.audio);
		const kind = KINDS.find((k) => errors[k]);
		return kind ? failure(kind, errors[kind]) : '';
	}

	#wanted(kind) {
		const how = kind === 'video' ? PICTURE : this.original ? ORIGINAL : VOICE;
		return { ...how, ...(this.choice[kind] && { deviceId: { exact: this.choice[kind] } }) };
	}

	// An error, or null when the tracks are there.
	async #get(kinds) {
		try {
			const stream = await navigator.mediaDevices.getUserMedia(Object.fromEntries(kinds.map((k) => [k, this.#wanted(k)])));
			stream.getTracks().forEach((track) => this.#adopt(track));
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
		if (kind === 'audio')
			track.contentHint = this.original ? 'music' : 'speech';
		track.addEventListener('ended', () => {
			if (this.tracks[kind] !== track)
				return;
			this.tracks[kind] = null;
			this.problem = kind === 'audio' ? 'microphoneGone' : 'cameraGone';
			this.dispatchEvent(new CustomEvent('lost', { detail: kind }));
			this.#changed();
		});
	}

	async #list() {
		const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
		for (const kind of KINDS)
			this.known[kind] = all.filter((d) => d.kind === `${kind}input` && d.deviceId);
		this.known.output = canRoute() ? all.filter((d) => d.kind === 'audiooutput' && d.deviceId) : [];
		this.#changed();
	}

	#changed() { this.dispatchEvent(new CustomEvent('change')); }
}

// Why a device could not be opened (a key); kind is audio, video or both.
function failure(kind, error) {
	const what = { audio: 'Microphone', video: 'Camera', both: 'Both' }[kind];
	switch (error.name) {
	case 'NotAllowedError': case 'SecurityError': return `refused${what}`;
	case 'NotFoundError': case 'OverconstrainedError': return `absent${what}`;
	default: return `busy${what}`;
	}
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

// A select element that shows and sets the choice of one kind: audio, video, output.
export function bindSelect(select, devices, kind, onChosen = () => {}) {
	const show = () => {
		const options = devices.known[kind].map((d, i) => new Option(d.label || `${t(LABEL[kind])} ${i + 1}`, d.deviceId));
		if (kind === 'output')
			select.closest('label').hidden = !options.length;
		else
			options.push(new Option(t(NONE[kind]), OFF));
		select.replaceChildren(...options);
		if (kind === 'output') {
			select.value = devices.choice.output;
			if (select.selectedIndex < 0)
				select.selectedIndex = 0;
			return;
		}
		select.value = devices.using[kind];
		if (devices.choice[kind] === OFF || select.selectedIndex < 0)
			select.value = OFF;
		select.disabled = devices.busy;
	};
	devices.addEventListener('change', show);
	changes.addEventListener('change', show);
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

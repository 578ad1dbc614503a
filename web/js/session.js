// A person's stay in a room: joining, being in it, coming back after an
// interruption, and the end. Knows nothing of the page.
import { Media } from './media.js';
import { ServerError, Signal } from './signal.js';
import { endings, words } from './words.js';

const STATS_MS = 2000;
const RETRY_FIRST_MS = 500, RETRY_LAST_MS = 8000, GIVE_UP_MS = 300000;
const SHAKY_MS = 5000;
// With these it is worth coming back without being asked.
const PASSING = ['shutdown', 'shutting_down', 'lost', 'connection_lost', 'server_full', 'internal'];

// Events: `change` (anything that is shown), `stream`, `notice` and `ended` (text
// as detail), `came` and `went` (a participant).
export class Session extends EventTarget {
	state = 'joining'; // connecting, live, reconnecting, ended
	note = words.joining;
	people = new Map();
	speaker = null;
	recording = { state: 'off' };
	recordings = new Map();
	muted = { audio: false, video: false };
	quality = null;
	leg = null;
	stream = null;
	#devices; #signal; #media; #resume; #timer; #shaky; #hurry = () => {};
	#retrying = false;
	#wasLive = false;

	constructor(room, name, devices) {
		super();
		this.room = room;
		this.name = name;
		this.#devices = devices;
	}

	// Until the server has let us in; then the state says how it goes on.
	async join() {
		try {
			await this.#connect();
		} catch (e) {
			if (!this.#retrying)
				this.#end(this.#finalWords(e) ?? (e instanceof DOMException ? words.noMedia : words.gone));
		}
	}

	leave() {
		this.#signal?.send('leave');
		this.#end('');
	}

	has(kind) { return !!this.#devices.tracks[kind] && !this.muted[kind]; }

	async turn(kind, on) {
		this.muted[kind] = !on;
		this.#sendMute();
		if (on && !this.#devices.tracks[kind]) {
			if (this.#devices.choice[kind] === 'off')
				this.#devices.choice[kind] = '';
			await this.#devices.open([kind]);
			if (this.#devices.problem)
				this.#tell('notice', this.#devices.problem);
		}
		await this.devicesChanged(kind);
	}

	// Another device, or none, is open now.
	async devicesChanged(kind) {
		if (this.state === 'ended')
			return; // the devices are the join page's now
		if (kind === 'video' && this.muted.video)
			this.#devices.close(['video']); // its light goes out
		this.#sendMute();
		try {
			await this.#media?.send(kind, this.#devices.tracks[kind]);
		} catch (e) {
			console.warn(`${kind} not sent:`, e.message);
		}
	}

	record() {
		this.#signal?.send('record', { action: this.recording.state === 'on' ? 'stop' : 'start' });
	}

	/* --- connecting ----------------------------------------------------------- */

	async #connect() {
		const signal = await Signal.open();
		if (this.state === 'ended')
			return signal.close();
		this.#signal = signal;
		this.#listen(signal);
		const welcome = await signal.request('join', {
			room: this.room, name: this.name, ...(this.#resume && { resume: this.#resume }),
		});
		this.#enter(welcome);
		const media = this.#media = new Media(signal, welcome.ice_servers, this.#devices.tracks);
		media.addEventListener('state', (e) => this.#media === media && this.#mediaState(e.detail));
		this.stream = media.stream;
		this.#tell('stream');
		this.#sendMute();
		await media.negotiate();
	}

	#enter(welcome) {
		this.leg = welcome.leg;
		this.#resume = welcome.resume;
		this.people = new Map(welcome.participants.map((p) => [p.leg, p]));
		this.recording = welcome.recording;
		this.#timer = setInterval(() => this.#stats(), STATS_MS);
		if (!this.#retrying)
			this.#become('connecting', words.connecting);
	}

	#disconnect() {
		clearInterval(this.#timer);
		clearTimeout(this.#shaky);
		this.#media?.close();
		this.#signal?.close();
		this.#media = this.#signal = this.speaker = this.quality = null;
	}

	#listen(signal) {
		const on = (type, fn) => signal.addEventListener(type, (e) => {
			fn(e.detail);
			this.#tell('change');
		});
		on('joined', ({ participant }) => {
			const known = this.people.has(participant.leg);
			this.people.set(participant.leg, participant);
			if (!known)
				this.#tell('came', participant);
		});
		on('left', ({ leg }) => {
			const who = this.people.get(leg);
			this.people.delete(leg);
			if (who)
				this.#tell('went', who);
		});
		on('muted', ({ leg, audio, video }) => {
			const who = this.people.get(leg);
			if (who)
				Object.assign(who, { audio_muted: audio, video_muted: video });
		});
		on('speaker', ({ leg }) => { this.speaker = leg; });
		on('recording', (r) => this.#recorded(r));
		signal.addEventListener('error', ({ detail }) => { if (!detail.fatal) this.#tell('notice', detail.text); });
		signal.addEventListener('closed', () => this.#closed());
	}

	#recorded(r) {
		this.recording = r;
		if (r.url)
			this.recordings.set(r.recording, { url: r.url, at: new Date() });
		if (r.state === 'on')
			this.#tell('notice', `${r.by ?? 'Somebody'} has started a recording.`);
		if (r.state === 'ready')
			this.#tell('notice', 'The recording is ready.');
		if (r.state === 'failed')
			this.#tell('notice', `The recording failed: ${r.text}`);
	}

	#mediaState(state) {
		clearTimeout(this.#shaky);
		if (state === 'connected') {
			this.#wasLive = true;
			this.#become('live', '');
		} else if (state === 'disconnected') {
			this.#become('reconnecting', words.interrupted);
			this.#shaky = setTimeout(() => this.#reconnect(words.interrupted), SHAKY_MS);
		} else if (state === 'failed') {
			if (this.#wasLive)
				this.#reconnect(words.interrupted);
			else
				this.#end(endings.connect_timeout);
		}
	}

	async #stats() {
		const signal = this.#signal;
		try {
			this.quality = await signal.request('stats');
			this.#tell('change');
		} catch (e) {
			if (e.message === 'timeout' && signal === this.#signal)
				this.#reconnect(words.reconnecting);
		}
	}

	/* --- coming back, and the end --------------------------------------------- */

	#closed() {
		if (!this.leg || this.#retrying)
			return; // join() or the retry hears of it by itself
		const final = this.#finalWords(null);
		if (final)
			this.#end(final);
		else
			this.#reconnect(this.#signal.farewell.reason === 'shutdown' ? words.restarting : words.reconnecting);
	}

	// What to say if this was the end; undefined if it is worth trying again.
	#finalWords(e) {
		const { reason, code = e instanceof ServerError ? e.code : undefined, text } = this.#signal?.farewell ?? {};
		const key = [reason, code].find((k) => endings[k]) ?? code ?? reason;
		if (!key || (this.leg && PASSING.includes(key)) || (key === 'connect_timeout' && this.#wasLive))
			return undefined;
		return endings[key] ?? text ?? e?.message;
	}

	async #reconnect(note) {
		if (this.#retrying || this.state === 'ended')
			return;
		this.#retrying = true;
		this.#disconnect();
		this.#become('reconnecting', note);
		const until = performance.now() + GIVE_UP_MS;
		for (let ms = RETRY_FIRST_MS; performance.now() < until; ms = Math.min(ms * 2, RETRY_LAST_MS)) {
			await this.#pause(ms * (0.7 + 0.6 * Math.random())); // not all at once
			if (this.state === 'ended')
				return;
			const final = await this.#retry();
			if (final === '')
				return;
			if (final)
				return this.#end(final);
		}
		this.#end(words.stayedAway);
	}

	// '' when it worked, the last words when it never will, otherwise undefined.
	async #retry() {
		try {
			await this.#connect();
			this.#retrying = false;
			return '';
		} catch (e) {
			const final = this.#finalWords(e);
			this.#disconnect();
			return final;
		}
	}

	#pause(ms) {
		return new Promise((resolve) => {
			const done = () => {
				clearTimeout(timer);
				removeEventListener('online', done);
				resolve();
			};
			const timer = setTimeout(done, ms);
			addEventListener('online', done);
			this.#hurry = done;
		});
	}

	#end(text) {
		if (this.state === 'ended')
			return;
		this.#disconnect();
		this.#become('ended', '');
		this.#hurry();
		this.#tell('ended', text);
	}

	#become(state, note) {
		if (this.state === 'ended')
			return;
		this.state = state;
		this.note = note;
		this.#tell('change');
	}

	#sendMute() {
		if (this.#devices.tracks.audio)
			this.#devices.tracks.audio.enabled = !this.muted.audio;
		this.#signal?.send('mute', { audio: !this.has('audio'), video: !this.has('video') });
		this.#tell('change');
	}

	#tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

// A person's stay in a room: joining, being in it, coming back after an
// interruption, and the end. Knows nothing of the page.
import { Media } from './media.js';
import { ServerError, Signal } from './signal.js';
import { held, hold, recall, remember } from './store.js';
import { read, told } from './words.js';

const STATS_MS = 2000, STATS_ANSWER_MS = 6000, PING_ANSWER_MS = 3000;
const RETRY_FIRST_MS = 500, RETRY_LAST_MS = 8000, GIVE_UP_MS = 300000;
const RESTART_MS = 1500; // disconnected for so long: new addresses are tried
const SHAKY_MS = 9000; // and for so long: everything is made anew
const RELOAD_MS = 120000; // so long after the page was last seen, a reload comes back
const CHAT_KEPT = 200;
// With these it is worth coming back without being asked.
const PASSING = ['shutdown', 'shutting_down', 'lost', 'connection_lost', 'server_full', 'overloaded', 'busy', 'rate_limited', 'internal'];

// What a reloaded page needs to be where it was: null if it was in no room.
export function interrupted() {
	const stay = held('stay');
	const [how] = performance.getEntriesByType('navigation');
	return stay && how?.type === 'reload' && Date.now() - stay.at < RELOAD_MS ? stay : null;
}

// Events: `change` (anything that is shown), `stream`, `notice` and `ended` (a
// message as detail, and its code), `came`, `went` (a participant), `said` (a chat line), `push`.
export class Session extends EventTarget {
	state = 'joining'; // lobby, connecting, live, reconnecting, ended
	note = { key: 'joining' };
	people = new Map();
	role = 'participant';
	policy = {};
	layout = {}; // as the server told it last
	waiting = []; // before the door: {waiting, name}
	chat = [];
	speaker = null;
	recording = { state: 'off' };
	recordings = new Map();
	muted = { audio: false, video: false };
	quality = null;
	playbacks = new Map(); // what is played into the room
	pushes = new Map();    // servers that it is sent to, for hosts
	calls = new Map(); // that the room makes and nobody has answered yet
	leg = null;
	stream = null;
	screen = null; // the track that is shared
	#devices; #signal; #media; #resume; #pin; #token; #timer; #shaky; #restart; #hurry = () => {};
	#heldOff = false; // a host has switched the camera off
	#retrying = false;
	#wasLive = false;
	#left = false;

	// how: pin, token; resume, muted: of an earlier stay.
	constructor(room, name, devices, how = {}) {
		super();
		this.room = room;
		this.name = name;
		this.#devices = devices;
		this.#pin = how.pin || undefined;
		this.#token = how.token || undefined;
		this.#resume = how.resume;
		Object.assign(this.muted, how.muted);
		const said = held('chat');
		if (how.resume && said?.room === room)
			this.chat = said.lines;
	}

	get isHost() { return this.role === 'host'; }
	get me() { return this.people.get(this.leg); }
	get handUp() { return !!this.me?.hand; }
	// That one may choose; by the hosts' rules one has one without.
	get choosable() { return this.views.length < 2 ? [] : this.views.filter((v) => this.isHost || v.view === 'main' || !['hosts', 'speaker'].includes(v.for)).map((v) => v.view); }
	get mayRecord() { return !this.policy.record || this.policy.record === 'all' || (this.policy.record !== 'nobody' && this.isHost); }
	get mayUnmute() { return this.policy.unmute !== false || this.isHost; }

	// Until the server has let us in; then the state says how it goes on.
	async join() {
		try {
			await this.#connect();
		} catch (e) {
			if (!this.#retrying && !this.#left)
				this.#end(this.#final(e) ?? { key: e instanceof DOMException ? 'noMedia' : 'gone' });
		}
	}

	leave() {
		this.#left = true;
		this.#signal?.send('leave');
		this.#end({ text: '' });
	}

	// The page goes away, perhaps to be loaded again: the place is kept as long as
	// the server keeps it.
	suspend() {
		this.#remember();
		this.#left = true;
		this.#disconnect();
		this.state = 'ended';
	}

	/* --- what a person does ----------------------------------------------------- */

	has(kind) { return !!this.#devices.tracks[kind] && !this.muted[kind]; }

	async turn(kind, on) {
		if (on && !this.mayUnmute && (kind === 'audio' || this.#heldOff))
			return this.#tell('notice', { key: 'unmuteNotAllowed' });
		this.muted[kind] = !on;
		this.#sendMute();
		if (on && !this.#devices.tracks[kind]) {
			if (this.#devices.choice[kind] === 'off')
				this.#devices.choice[kind] = '';
			await this.#devices.open([kind]);
			if (this.#devices.problem)
				this.#tell('notice', { key: this.#devices.problem });
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
			await this.#media?.send(kind, kind === 'content' ? this.screen : this.#devices.tracks[kind]);
		} catch (e) {
			console.warn(`${kind} not sent:`, e.message);
			if (kind === 'content' && this.screen && e instanceof ServerError)
				this.#unshare(told(e.code, e.message));
		}
	}

	// The screen is shown beside the camera.
	async share() {
		if (this.screen)
			return this.#unshare();
		const track = await this.#devices.screen();
		if (!track || this.state === 'ended')
			return track?.stop();
		this.screen = track;
		track.addEventListener('ended', () => this.screen === track && this.#unshare());
		this.#tell('notice', { key: 'shareStarted' });
		await this.devicesChanged('content');
	}

	#unshare(why = { key: 'shareEnded' }) {
		this.screen?.stop();
		this.screen = null;
		this.#do('present', { on: false });
		this.#tell('notice', why);
		return this.devicesChanged('content');
	}

	raise(raised) { this.#do('hand', { raised }); }
	say(text, to) { this.#do('chat', { text, ...(to && { to }) }); }
	moderate(action, leg) { this.#do('moderate', { action, ...(leg && { leg }) }); }
	rename(leg, name) { this.#do('rename', { leg, name }); }
	volume(leg, gain_db) { this.#do('volume', { leg, gain_db }); }
	dial(to, name) { this.#do('dial', { to, ...(name && { name }) }); }
	play(wish) { this.#do('play', wish); }
	changePlayback(playback, change) { this.#do('playback', { playback, ...change }); }
	stopPlayback(playback) { this.#do('playback_stop', { playback }); }
	hangUp(call) { this.#do('hangup', { call }); }
	admit(allow, waiting) { this.#do('admit', { allow, ...(waiting !== undefined && { waiting }) }); }
	change(policy) { this.#do('policy', policy); }
	arrange(layout) { this.#do('layout', { ...layout, view: this.layout?.view }); }
	get isRecorded() { return ['on', 'paused'].includes(this.recording.state); }
	record(how = {}) { this.#do('record', this.isRecorded ? { action: 'stop' } : { action: 'start', ...how }); }
	pauseRecording() { this.#do('record', { action: this.recording.state === 'paused' ? 'resume' : 'pause' }); }

	get soundOnly() { return recall('soundOnly') === 'yes'; }

	views = [];
	view = ''; // that one has asked for

	// With data to be saved the picture is not more than half as high.
	wish(view = this.view) {
		this.view = view;
		this.#do('view', {
			...(recall('saver') && { max_height: Math.max(1, this.#canvas.height >> 1) }),
			...(recall('hideSelf') && { self_view: 'hide' }),
			...(this.view && { view: this.view }),
			...(this.soundOnly && { video: false }),
		});
		this.#tell('change');
	}

	#do(type, members) { this.#signal?.send(type, members); }

	/* --- connecting ------------------------------------------------------------- */

	async #connect() {
		const signal = await Signal.open();
		this.views = [];
		if (this.state === 'ended')
			return signal.close();
		this.#signal = signal;
		this.#listen(signal);
		const welcome = await signal.request('join', {
			room: this.room, name: this.name, ...(this.#pin && { pin: this.#pin }),
			...(this.#token && { token: this.#token }), ...(this.#resume && { resume: this.#resume }),
		});
		this.#enter(welcome);
		const tracks = { ...this.#devices.tracks, content: this.screen };
		const media = this.#media = new Media(signal, welcome.ice_servers, tracks, !!this.policy.stereo);
		media.addEventListener('state', (e) => this.#media === media && this.#mediaState(e.detail));
		this.stream = media.stream;
		this.#tell('stream');
		const up = this.#raisedBefore;
		this.#sendMute();
		if (recall('saver') || recall('hideSelf') || this.view || this.soundOnly)
			this.wish();
		if (up)
			this.raise(true);
		await media.negotiate();
	}

	#raisedBefore = false;
	#canvas;

	#enter(welcome) {
		this.#raisedBefore = this.handUp;
		this.leg = welcome.leg;
		this.#canvas = welcome.canvas;
		this.#resume = welcome.resume;
		this.people = new Map(welcome.participants.map((p) => [p.leg, p]));
		this.role = welcome.role ?? 'participant';
		this.policy = welcome.room_policy ?? {};
		this.waiting = [];
		this.playbacks = new Map();
		this.pushes = new Map();
		this.calls = new Map();
		this.recording = welcome.recording;
		this.muted.audio ||= !!this.me?.audio_muted; // as the room's rules may want it
		this.muted.video ||= !!this.me?.video_muted;
		this.#timer = setInterval(() => this.#stats(), STATS_MS);
		this.#remember();
		if (!this.#retrying)
			this.#become('connecting', { key: 'connecting' });
	}

	#disconnect() {
		clearInterval(this.#timer);
		clearTimeout(this.#shaky);
		clearTimeout(this.#restart);
		this.#media?.close();
		this.#signal?.close();
		this.#media = this.#signal = this.speaker = this.quality = null;
	}

	#listen(signal) {
		const on = (type, fn) => signal.addEventListener(type, (e) => {
			fn(e.detail);
			this.#tell('change');
		});
		on('lobby', () => this.#become('lobby', { key: 'lobbyNote' }));
		on('joined', ({ participant }) => this.#joined(participant));
		on('left', ({ leg }) => {
			const who = this.people.get(leg);
			this.people.delete(leg);
			if (who)
				this.#tell('went', who);
		});
		on('muted', (m) => this.#wasMuted(m));
		on('hand', ({ leg, raised }) => this.#handMoved(leg, raised));
		on('speaker', ({ leg }) => { this.speaker = leg; });
		on('recording', (r) => this.#recorded(r));
		on('waiting', ({ people }) => this.#waitingNow(people));
		on('room', (policy) => this.#policyIs(policy));
		on('layout', (layout) => { this.layout = layout; });
		on('views', ({ views }) => { this.views = views; });
		on('present', ({ by, reason }) => {
			if (this.screen)
				this.#unshare({ key: reason === 'host' ? 'shareEndedBy' : 'shareTakenBy', values: { name: this.people.get(by)?.name ?? '' } });
		});
		on('self_view', ({ hidden }) => this.#tell('notice', { key: hidden ? 'selfHidden' : 'selfNotHidden' }));
		on('overload', ({ level }) => this.#overloaded(level > 4 ? 'overloadStill' : level ? 'overloadSlow' : 'overloadOver'));
		on('playback', (p) => this.#played(p));
		on('push', (p) => this.#tell('push', p));
		on('call', (call) => this.#calling(call));
		on('sound', ({ leg, gain_db }) => {
			if (this.people.has(leg))
				this.people.get(leg).gain_db = gain_db;
		});
		on('chat', (line) => this.#heard(line));
		on('quality', ({ legs }) => {
			for (const { leg, score } of legs)
				if (this.people.has(leg))
					this.people.get(leg).score = score;
		});
		signal.addEventListener('error', ({ detail: { fatal, code, text } }) => {
			if (fatal)
				return;
			this.#tell('notice', told(code, text));
			const hid = code === 'too_many_views' && recall('hideSelf'), asked = code === 'view_unknown' && this.view;
			if (hid)
				remember('hideSelf', '');
			if (asked)
				this.view = '';
			if (hid || asked) // nothing of what was wished holds: once more without
				this.wish();
		});
		signal.addEventListener('closed', () => this.#closed());
	}

	/* --- what the server tells -------------------------------------------------- */

	#joined(participant) {
		const { leg } = participant;
		const before = this.people.get(leg);
		this.people.set(leg, { ...participant, score: before?.score });
		if (!before)
			this.#tell('came', participant);
		if (leg !== this.leg || !participant.role || participant.role === this.role)
			return;
		this.role = participant.role;
		this.#tell('notice', { key: this.isHost ? 'nowHost' : 'noLongerHost' });
	}

	#load = 'overloadOver';

	#overloaded(key) {
		if (key !== this.#load)
			this.#tell('notice', { key: this.#load = key });
	}

	#wasMuted({ leg, audio, video, by }) {
		const who = this.people.get(leg);
		if (!who)
			return;
		Object.assign(who, { audio_muted: audio, video_muted: video });
		if (leg !== this.leg || by === undefined || by === null || by === this.leg)
			return;
		const name = this.people.get(by)?.name ?? '';
		if (audio && !this.muted.audio) {
			this.turn('audio', false);
			this.#tell('notice', { key: 'mutedBy', values: { name } });
		}
		this.#heldOff = video;
		if (video && !this.muted.video) {
			this.turn('video', false);
			this.#tell('notice', { key: 'cameraOffBy', values: { name } });
		}
	}

	// Whoever has answered is in the list of people.
	#played(p) {
		if (['ended', 'failed'].includes(p.state))
			this.playbacks.delete(p.playback);
		else
			this.playbacks.set(p.playback, { ...p, at: Date.now() });
		if (p.state === 'failed' && this.isHost)
			this.#tell('notice', { key: 'playFailed', values: { title: p.title ?? '', why: read(told(p.code, p.text ?? '')) } });
	}

	#calling({ call, state, number, name, text }) {
		const key = { busy: 'callBusy', no_answer: 'callNoAnswer', failed: 'callFailed' }[state];
		if (['calling', 'ringing', 'early'].includes(state))
			this.calls.set(call, { call, state, number, name });
		else
			this.calls.delete(call);
		if (key)
			this.#tell('notice', { key, values: { name: name || number, why: text ?? '' } });
	}

	#handMoved(leg, raised) {
		const who = this.people.get(leg);
		if (!who)
			return;
		const news = raised && !who.hand && leg !== this.leg;
		Object.assign(who, { hand: raised, since: raised ? performance.now() : undefined });
		if (news)
			this.#tell('notice', { key: 'handRaisedBy', values: { name: who.name } });
	}

	#waitingNow(people) {
		const known = new Set(this.waiting.map((w) => w.waiting));
		const [first] = people.filter((w) => !known.has(w.waiting));
		this.waiting = people;
		if (first)
			this.#tell('notice', { key: 'somebodyWaits', values: { name: first.name } });
	}

	#policyIs({ type, id, ...policy }) {
		const { locked } = this.policy;
		this.policy = { ...this.policy, ...policy };
		if (locked !== undefined && locked !== policy.locked && policy.locked !== undefined)
			this.#tell('notice', { key: policy.locked ? 'nowLocked' : 'nowUnlocked' });
	}

	#heard({ leg, name, text, at, to, history }) {
		const line = { leg, name, text, at: at ?? Date.now(), to: to ?? null, own: leg === this.leg, old: !!history };
		if (history && this.chat.some((l) => l.at === line.at && l.text === text && l.name === name))
			return; // known from before the interruption
		line.toName = line.to && this.people.get(line.to)?.name;
		this.chat = [...this.chat, line].slice(-CHAT_KEPT);
		hold('chat', { room: this.room, lines: this.chat });
		this.#tell('said', line);
	}

	#recorded(r) {
		const before = this.recording.state;
		this.recording = r;
		if (r.url)
			this.recordings.set(r.recording, { url: r.url, at: Date.now() });
		if (r.state === 'paused')
			this.#tell('notice', { key: 'recordingPausedNow' });
		if (r.state === 'on' && before === 'paused')
			this.#tell('notice', { key: 'recordingResumed' });
		else if (r.state === 'on')
			this.#tell('notice', r.by ? { key: 'recordingStartedBy', values: { name: r.by } } : { key: 'recordingStarted' });
		if (r.state === 'on' && before !== 'paused' && r.tracks)
			this.#tell('notice', { key: 'recordingTracks' });
		if (r.state === 'ready')
			this.#tell('notice', { key: 'recordingReady' });
		if (r.state === 'failed')
			this.#tell('notice', { key: 'recordingFailed', values: { why: r.text ?? '' } });
	}

	/* --- media, and how well it goes -------------------------------------------- */

	#mediaState(state) {
		clearTimeout(this.#shaky);
		clearTimeout(this.#restart);
		if (state === 'connected') {
			this.#wasLive = true;
			this.#become('live', null);
		} else if (state === 'disconnected') {
			this.#become('reconnecting', { key: 'interrupted' });
			this.#restart = setTimeout(() => this.restartMedia(), RESTART_MS);
			this.#shaky = setTimeout(() => this.#reconnect('interrupted'), SHAKY_MS);
		} else if (state === 'connecting' && this.#wasLive && !this.#retrying) {
			this.#shaky = setTimeout(() => this.#reconnect('interrupted'), SHAKY_MS);
		} else if (state === 'failed') {
			if (this.#wasLive)
				this.#reconnect('interrupted');
			else
				this.#end({ key: 'code_connect_timeout' });
		}
	}

	// The network is another one, or has been away: is the server still there? Then
	// the media finds its way anew; otherwise everything does.
	async restartMedia() {
		const signal = this.#signal, media = this.#media;
		if (!signal || !media || this.#retrying || !this.#wasLive)
			return;
		try {
			await signal.request('ping', {}, PING_ANSWER_MS);
			if (media === this.#media)
				await media.restart();
		} catch {
			if (media === this.#media)
				this.#reconnect('interrupted');
		}
	}

	async #stats() {
		const signal = this.#signal;
		this.#remember();
		try {
			this.quality = await signal.request('stats', {}, STATS_ANSWER_MS);
			this.#tell('change');
		} catch (e) {
			if (e.message === 'timeout' && signal === this.#signal)
				this.#reconnect('reconnecting');
		}
	}

	#remember() {
		if (this.leg && this.state !== 'ended')
			hold('stay', { room: this.room, name: this.name, resume: this.#resume, pin: this.#pin, token: this.#token, muted: this.muted, at: Date.now() });
	}

	/* --- coming back, and the end --------------------------------------------- */

	#closed() {
		if (!this.leg || this.#retrying)
			return; // join() or the retry hears of it by itself
		const final = this.#final(null);
		if (final)
			this.#end(final);
		else
			this.#reconnect(this.#signal.farewell.reason === 'shutdown' ? 'restarting' : 'reconnecting');
	}

	// What to say if this was the end; undefined if it is worth trying again.
	#final(e) {
		const { reason, code = e instanceof ServerError ? e.code : undefined, text } = this.#signal?.farewell ?? {};
		const key = code ?? reason;
		if (!key || (this.leg && [code, reason].some((k) => PASSING.includes(k))) || (key === 'connect_timeout' && this.#wasLive))
			return undefined;
		const [first, second] = [told(reason ?? code, ''), told(key, text ?? e?.message)];
		return { ...(first.key ? first : second), code: key };
	}

	async #reconnect(key) {
		if (this.#retrying || this.state === 'ended')
			return;
		this.#retrying = true;
		this.#disconnect();
		this.#become('reconnecting', { key });
		const until = performance.now() + GIVE_UP_MS;
		for (let ms = RETRY_FIRST_MS; performance.now() < until; ms = Math.min(ms * 2, RETRY_LAST_MS)) {
			await this.#pause(ms * (0.7 + 0.6 * Math.random())); // not all at once
			if (this.state === 'ended')
				return;
			const final = await this.#retry();
			if (final === null)
				return;
			if (final)
				return this.#end(final);
		}
		this.#end({ key: 'stayedAway' });
	}

	// null when it worked, the last words when it never will, otherwise undefined.
	async #retry() {
		try {
			await this.#connect();
			this.#retrying = false;
			return null;
		} catch (e) {
			const final = this.#final(e);
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

	#end(message) {
		if (this.state === 'ended')
			return;
		hold('stay', null);
		hold('chat', null);
		this.screen?.stop();
		this.screen = null;
		this.#disconnect();
		this.#become('ended', null);
		this.#hurry();
		this.#tell('ended', message);
	}

	#become(state, note) {
		if (this.state === 'ended')
			return;
		this.state = state;
		if (read(this.note) !== read(note))
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

// The page: join form, conference, and what happens between them.
import { Devices, meter } from './devices.js';
import { icon, labelled } from './icons.js';
import { Media } from './media.js';
import { ServerError, Signal } from './signal.js';
import { endings, words } from './words.js';

const STATS_MS = 2000;
const RETRY_MS = [500, 1000, 2000, 4000, 8000, 8000, 8000];
const UNSTABLE = 3;

const $ = (id) => document.getElementById(id);
const devices = new Devices($('mic'), $('camera'));
let session = null;
let stopMeter = () => {};
let opening = Promise.resolve(); // of the devices

class Session {
	people = new Map();
	speaker = null;
	audioMuted = false;
	videoMuted = false;
	recording = { state: 'off' };
	ended = false;
	resume;

	constructor(room, name) {
		this.room = room;
		this.name = name;
	}

	async connect() {
		this.signal = await Signal.open();
		this.#listen(this.signal);
		const welcome = await this.signal.request('join', {
			room: this.room, name: this.name, ...(this.resume && { resume: this.resume }),
		});
		this.leg = welcome.leg;
		this.resume = welcome.resume;
		this.people = new Map(welcome.participants.map((p) => [p.leg, p]));
		this.setRecording(welcome.recording);
		this.media = new Media(this.signal, welcome.ice_servers, devices.audio, devices.video);
		this.media.addEventListener('state', (e) => this.#mediaState(e.detail));
		$('view').srcObject = this.media.stream;
		await this.media.negotiate();
		this.sendMute();
		this.timer = setInterval(() => this.#stats(), STATS_MS);
		showPeople();
	}

	disconnect() {
		clearInterval(this.timer);
		this.media?.close();
		this.signal?.close();
	}

	leave() {
		this.ended = true;
		this.signal.send('leave');
		this.disconnect();
	}

	sendMute() {
		if (devices.audio)
			devices.audio.enabled = !this.audioMuted;
		if (devices.video)
			devices.video.enabled = !this.videoMuted;
		this.signal.send('mute', { audio: this.audioMuted || !devices.audio, video: this.videoMuted || !devices.video });
	}

	setRecording(r) {
		this.recording = r;
		showRecording(r);
	}

	#listen(signal) {
		const on = (type, fn) => signal.addEventListener(type, (e) => {
			if (this.signal === signal)
				fn(e.detail);
		});
		on('joined', ({ participant }) => { this.people.set(participant.leg, participant); showPeople(); });
		on('left', ({ leg }) => { this.people.delete(leg); showPeople(); });
		on('muted', ({ leg, audio, video }) => {
			const p = this.people.get(leg);
			if (p)
				Object.assign(p, { audio_muted: audio, video_muted: video });
			showPeople();
		});
		on('speaker', ({ leg }) => { this.speaker = leg; showPeople(); });
		on('recording', (r) => this.setRecording(r));
		on('error', (e) => { if (!e.fatal) notice(e.text); });
		on('closed', () => this.#closed());
	}

	#mediaState(state) {
		$('stage-note').textContent = state === 'connected' ? '' : words.connecting;
		document.body.dataset.media = state;
	}

	async #stats() {
		try {
			showQuality(await this.signal.request('stats'));
		} catch { /* the connection's end is told elsewhere */ }
	}

	async #closed() {
		clearInterval(this.timer);
		if (this.ended || !this.leg)
			return;
		const reason = this.signal.bye?.code ?? this.signal.bye?.reason;
		this.media?.close();
		if (reason && reason !== 'connection_lost')
			return end(endings[reason] ?? this.signal.bye.text ?? words.gone);
		await this.#retry();
	}

	async #retry() {
		for (const ms of RETRY_MS) {
			$('stage-note').textContent = words.reconnecting;
			await new Promise((r) => setTimeout(r, ms));
			if (this.ended)
				return;
			try {
				await this.connect();
				return;
			} catch (e) {
				this.disconnect();
				if (e instanceof ServerError && e.fatal && e.code !== 'server_full')
					return end(endings[e.code] ?? e.message);
			}
		}
		end(words.gone);
	}
}

/* --- the join page --------------------------------------------------------- */

async function preview() {
	stopMeter();
	opening = devices.open();
	await opening;
	$('preview').srcObject = devices.stream;
	$('preview-note').textContent = devices.problem;
	if (devices.audio)
		stopMeter = meter(devices.audio, (v) => { $('level').style.transform = `scaleX(${v})`; });
}

function showJoin(error = '') {
	session = null;
	$('conference').hidden = true;
	$('join').hidden = false;
	$('join-error').textContent = error;
	$('join-button').disabled = false;
	document.title = 'mcu';
	preview();
}

async function join(event) {
	event.preventDefault();
	const room = $('room').value.trim();
	const name = $('name').value.trim();
	$('join-button').disabled = true;
	$('join-error').textContent = '';
	localStorage.setItem('name', name);
	session = new Session(room, name);
	try {
		await opening;
		await session.connect();
	} catch (e) {
		session.ended = true;
		session.disconnect();
		console.warn(e);
		$('join-error').textContent = e instanceof ServerError ? endings[e.code] ?? e.message : words.gone;
		$('join-button').disabled = false;
		return;
	}
	stopMeter();
	history.replaceState(null, '', `?room=${encodeURIComponent(room)}`);
	$('join').hidden = true;
	$('conference').hidden = false;
	$('room-title').textContent = document.title = room;
	$('stage-note').textContent = words.connecting;
	showButtons();
}

function end(text) {
	session.ended = true;
	session.disconnect();
	showJoin(text);
}

/* --- the conference page ---------------------------------------------------- */

function showPeople() {
	const items = [...session.people.values()].map((p) => {
		const li = document.createElement('li');
		const who = document.createElement('span');
		who.className = 'who';
		who.textContent = p.leg === session.leg ? `${p.name} (you)` : p.name;
		li.append(who, icon(p.audio_muted || !p.audio ? 'micOff' : 'mic'), icon(p.video_muted || !p.video ? 'camOff' : 'cam'));
		li.setAttribute('aria-label', `${p.name}, microphone ${p.audio_muted || !p.audio ? 'off' : 'on'}, camera ${p.video_muted || !p.video ? 'off' : 'on'}`);
		li.classList.toggle('speaking', p.leg === session.speaker);
		li.dataset.leg = p.leg;
		return li;
	});
	$('people').replaceChildren(...items);
	$('count').textContent = `(${items.length})`;
}

function showButtons() {
	const set = (id, pressed, name, text) => {
		$(id).setAttribute('aria-pressed', pressed);
		labelled($(id), name, text);
	};
	set('mute', session.audioMuted, session.audioMuted ? 'micOff' : 'mic', session.audioMuted ? 'Unmute' : 'Mute');
	set('camera-off', session.videoMuted, session.videoMuted ? 'camOff' : 'cam', session.videoMuted ? 'Camera on' : 'Camera off');
	$('mute').disabled = !devices.audio;
	$('camera-off').disabled = !devices.video;
	const on = session.recording.state === 'on';
	set('record', on, 'record', on ? 'Stop recording' : 'Record');
	$('record').disabled = session.recording.state === 'finishing';
	labelled($('leave'), 'leave', 'Leave');
}

function showRecording(r) {
	$('recording').hidden = !['on', 'finishing'].includes(r.state);
	$('recording-text').textContent = r.state === 'finishing' ? 'Finishing the recording …' : `Recording, started by ${r.by ?? 'somebody'}`;
	if (r.url) {
		const li = document.createElement('li');
		const play = Object.assign(document.createElement('a'), { href: r.url, target: '_blank', textContent: `Play (${new Date().toLocaleTimeString()})` });
		const save = Object.assign(document.createElement('a'), { href: `${r.url}?download=1`, textContent: 'Download' });
		li.append(play, save);
		$('recording-list').append(li);
		$('recordings').hidden = false;
	}
	if (r.state === 'failed')
		notice(`The recording failed: ${r.text}`);
	if (r.state === 'ready')
		notice('The recording is ready.');
	if (session)
		showButtons();
}

function showQuality({ score, uplink, downlink }) {
	const worst = {
		loss: Math.max(uplink.loss, downlink.loss), jitter: Math.max(uplink.jitter_ms, downlink.jitter_ms),
		rtt: Math.max(uplink.rtt_ms, downlink.rtt_ms),
	};
	const bad = score < UNSTABLE;
	const what = [worst.loss > 0.02 && `${(worst.loss * 100).toFixed(0)} % loss`, worst.jitter > 30 && `${worst.jitter.toFixed(0)} ms jitter`,
		worst.rtt > 150 && `${worst.rtt.toFixed(0)} ms delay`].filter(Boolean).join(', ');
	$('quality').classList.toggle('bad', bad);
	$('quality').textContent = bad ? `${words.unstable}${what && `: ${what}`}.` : `Connection ${score.toFixed(1)} of 5`;
}

let noticeTimer;
function notice(text) {
	$('notice').textContent = text;
	$('notice').hidden = false;
	clearTimeout(noticeTimer);
	noticeTimer = setTimeout(() => { $('notice').hidden = true; }, 6000);
}

$('mute').onclick = () => { session.audioMuted = !session.audioMuted; session.sendMute(); showButtons(); };
$('camera-off').onclick = () => { session.videoMuted = !session.videoMuted; session.sendMute(); showButtons(); };
$('record').onclick = () => session.signal.send('record', { action: session.recording.state === 'on' ? 'stop' : 'start' });
$('leave').onclick = () => { session.leave(); showJoin(); };
$('join-form').onsubmit = join;
$('mic').onchange = $('camera').onchange = preview;
addEventListener('pagehide', () => session?.leave());

if (!window.RTCPeerConnection || !window.WebSocket) {
	document.body.replaceChildren(Object.assign(document.createElement('p'), { className: 'fatal', textContent: words.unsupported }));
} else {
	$('room').value = new URLSearchParams(location.search).get('room') ?? '';
	$('name').value = localStorage.getItem('name') ?? '';
	showJoin();
	($('name').value ? $('room') : $('name')).focus();
}

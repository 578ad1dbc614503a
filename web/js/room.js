// The room page: shows a session and passes on what is pressed.
import { bindSelect } from './devices.js';
import { icon, labelled } from './icons.js';
import { connectionWords, unplugged, words } from './words.js';

const NOTICE_MS = 6000;
const UNSTABLE = 3;
const $ = (id) => document.getElementById(id);

export class RoomPage {
	#devices; #session = null; #noticeTimer; #lock = null;

	constructor(devices) {
		this.#devices = devices;
		const changed = (kind) => this.#session?.devicesChanged(kind);
		bindSelect($('room-mic'), devices, 'audio', changed);
		bindSelect($('room-camera'), devices, 'video', changed);
		devices.addEventListener('change', () => { $('device-note').textContent = devices.problem; });
		devices.addEventListener('lost', ({ detail: kind }) => {
			this.#notice(unplugged[kind]);
			changed(kind);
		});
		$('mute').onclick = () => this.#session.turn('audio', !this.#session.has('audio'));
		$('camera-off').onclick = () => this.#session.turn('video', !this.#session.has('video'));
		$('record').onclick = () => this.#session.record();
		$('leave').onclick = () => this.#session.leave();
		$('panel').onclick = () => this.#togglePanel();
		$('copy').onclick = () => this.#copyAddress();
		$('play').onclick = () => this.#play();
		$('view').onpause = () => { if (this.#session) this.#play(); }; // as a headset's key may do
		$('view').onplaying = () => this.#blocked(false);
		addEventListener('visibilitychange', () => this.#keepAwake());
		labelled($('leave'), 'leave', 'Leave');
		labelled($('panel'), 'people', 'People');
		labelled($('play'), 'play', words.blocked);
		labelled($('copy'), 'link', 'Copy the address of this room');
		$('copy').hidden = !navigator.clipboard;
		$('alone').textContent = words.alone;
		this.#togglePanel(innerHeight > 480);
	}

	open(session) {
		this.#session = session;
		const on = (type, fn) => session.addEventListener(type, (e) => session === this.#session && fn(e.detail));
		on('change', () => this.#show());
		on('stream', () => this.#stream());
		on('notice', (text) => this.#notice(text));
		on('came', (p) => this.#announce(`${p.name} has joined.`));
		on('went', (p) => this.#announce(`${p.name} has left.`));
		$('room-title').textContent = document.title = session.room;
		$('conference').hidden = false;
		this.#stream();
		this.#show();
		this.#keepAwake();
		$('mute').focus({ focusVisible: false });
	}

	close() {
		this.#session = null;
		$('conference').hidden = true;
		$('view').srcObject = null;
		$('notice').hidden = true;
		this.#blocked(false);
		this.#keepAwake();
		delete document.body.dataset.media;
	}

	/* --- picture and sound ------------------------------------------------------ */

	#stream() {
		if (!this.#session.stream)
			return;
		$('view').srcObject = this.#session.stream;
		this.#play();
	}

	async #play() {
		try {
			await $('view').play();
			this.#blocked(false);
		} catch (e) {
			if (e.name === 'NotAllowedError' && this.#session)
				this.#blocked(true);
		}
	}

	#blocked(yes) {
		if ($('play').hidden === !yes)
			return;
		$('play').hidden = !yes;
		if (yes)
			$('play').focus();
	}

	async #keepAwake() {
		if (this.#session && document.visibilityState === 'visible')
			this.#lock = await navigator.wakeLock?.request('screen').catch(() => null);
		else if (!this.#session)
			this.#lock?.release();
	}

	/* --- what is shown ---------------------------------------------------------- */

	#show() {
		const s = this.#session;
		document.body.dataset.media = s.state === 'live' ? 'connected' : s.state;
		$('stage-note').hidden = !s.note;
		if ($('stage-text').textContent !== s.note)
			$('stage-text').textContent = s.note;
		$('alone').hidden = s.people.size !== 1;
		$('quality').hidden = !s.quality || s.state !== 'live';
		if (s.quality) {
			$('quality').textContent = connectionWords(s.quality);
			$('quality').classList.toggle('bad', s.quality.score < UNSTABLE);
		}
		this.#showPeople(s);
		this.#showButtons(s);
		this.#showRecordings(s);
	}

	#showPeople(s) {
		$('people').replaceChildren(...[...s.people.values()].map((p) => {
			const heard = p.audio && !p.audio_muted, seen = p.video && !p.video_muted;
			const li = document.createElement('li');
			const who = Object.assign(document.createElement('span'), {
				className: 'who', textContent: p.leg === s.leg ? `${p.name} (you)` : p.name, title: p.name,
			});
			li.append(who, icon(heard ? 'mic' : 'micOff', `microphone ${heard ? 'on' : 'off'}`),
				icon(seen ? 'cam' : 'camOff', `camera ${seen ? 'on' : 'off'}`));
			li.classList.toggle('speaking', p.leg === s.speaker);
			li.dataset.leg = p.leg;
			return li;
		}));
		$('count').textContent = s.people.size;
	}

	#showButtons(s) {
		const { recording: r } = s;
		const set = (id, on, name, text) => {
			if ($(id).textContent !== text)
				labelled($(id), name, text);
			$(id).classList.toggle('on', on);
		};
		const heard = s.has('audio'), seen = s.has('video');
		set('mute', !heard, heard ? 'mic' : 'micOff', heard ? 'Mute' : 'Unmute');
		set('camera-off', !seen, seen ? 'cam' : 'camOff', seen ? 'Camera off' : 'Camera on');
		$('mute').disabled = $('camera-off').disabled = !navigator.mediaDevices || this.#devices.busy;
		set('record', r.state === 'on', 'record', r.state === 'on' ? 'Stop' : 'Record');
		$('record').setAttribute('aria-label', r.state === 'on' ? 'Stop the recording' : 'Record');
		$('record').disabled = r.state === 'finishing' || s.state !== 'live';
	}

	#showRecordings(s) {
		const { recording: r } = s;
		$('recording').hidden = !['on', 'finishing'].includes(r.state);
		$('recording').classList.toggle('finishing', r.state === 'finishing');
		const text = r.state === 'finishing' ? 'Finishing the recording …' : 'Recording';
		if ($('recording-text').textContent !== text)
			$('recording-text').textContent = text;
		$('recordings').hidden = !s.recordings.size;
		if ($('recording-list').childElementCount === s.recordings.size)
			return;
		$('recording-list').replaceChildren(...[...s.recordings.values()].map(({ url, at }) => {
			const time = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
			const li = document.createElement('li');
			const play = Object.assign(document.createElement('a'), { href: url, target: '_blank', rel: 'noopener', textContent: `Play ${time}` });
			const save = Object.assign(document.createElement('a'), { href: `${url}?download=1`, textContent: 'Download' });
			save.setAttribute('aria-label', `Download ${time}`);
			li.append(play, save);
			return li;
		}));
	}

	#notice(text) {
		$('notice').textContent = text;
		$('notice').hidden = false;
		clearTimeout(this.#noticeTimer);
		this.#noticeTimer = setTimeout(() => { $('notice').hidden = true; }, NOTICE_MS);
	}

	#announce(text) { $('announce').textContent = text; }

	#togglePanel(open = $('side').hidden) {
		$('side').hidden = !open;
		$('panel').setAttribute('aria-expanded', open);
	}

	async #copyAddress() {
		const address = new URL(`?room=${encodeURIComponent(this.#session.room)}`, document.baseURI).href;
		try {
			await navigator.clipboard.writeText(address);
			this.#notice('The address is copied. Send it to those who are to join.');
		} catch {
			this.#notice(`The address of this room: ${address}`);
		}
	}
}

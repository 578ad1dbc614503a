// The room page: shows a session and passes on what is pressed.
import { Chat } from './chat.js';
import { canShare } from './devices.js';
import { HostDialogs } from './host.js';
import { LayoutDialog } from './layout.js';
import { icon } from './icons.js';
import * as keys from './keys.js';
import { People } from './people.js';
import { Phones } from './phone.js';
import { Playing } from './playing.js';
import { UNSTABLE, bars, grade, summary, warning } from './quality.js';
import { RecordDialog } from './recorder.js';
import * as settings from './settings.js';
import { Streams } from './streams.js';
import { changes, clock, read, redress, t } from './words.js';

const NOTICE_MS = 6000, NOTICES = 2;
const $ = (id) => document.getElementById(id);
const roomy = () => innerWidth > 736 && innerHeight > 480;

// Of a recording's address, /recordings/ID/LINK, that of the page with its chapters.
const pageOf = (url) => url.replace(/^.*\/recordings\/(\d+)\/([\w.]+)$/, 'recordings.html#$1/$2');

export class RoomPage {
	#devices; #session = null; #lock = null; #people; #chat; #host; #phones; #playing; #streams; #layout = new LayoutDialog(); #recorder = new RecordDialog(); #silent = false; #tab = 'people';

	constructor(devices, account, signIn) {
		this.#devices = devices;
		const changed = (kind) => this.#session?.devicesChanged(kind);
		settings.prepare(devices, changed, (view) => this.#session?.wish(view));
		devices.addEventListener('lost', ({ detail: kind }) => {
			this.#notice({ key: devices.problem });
			changed(kind);
		});
		devices.addEventListener('change', () => this.#session && this.#showBar(this.#session));
		devices.addEventListener('output', () => devices.route($('view')));
		this.#people = new People((leg) => {
			this.#openSide('chat');
			this.#chat.to(leg);
		});
		this.#chat = new Chat(() => this.#shows('chat'), (n) => this.#unread(n));
		this.#host = new HostDialogs(account, signIn, (m) => this.#notice(m));
		this.#phones = new Phones(account);
		this.#playing = new Playing(account);
		this.#streams = new Streams(account, signIn, (m) => this.#notice(m));
		this.#bindBar();
		this.#bindSide();
		this.#bindView();
		keys.list($('keys'));
		keys.listen({
			M: () => this.#toggle('audio'), V: () => this.#toggle('video'), H: () => this.#raise(),
			C: () => this.#toggleSide('chat'), P: () => this.#toggleSide('people'), F: () => this.#fullscreen(),
			'?': () => $('help').showModal(),
		}, (on) => this.#talk(on), () => !!this.#session);
		changes.addEventListener('change', () => this.#session && this.#showAll());
		addEventListener('visibilitychange', () => this.#keepAwake());
		addEventListener('online', () => this.#session?.restartMedia());
		let network = navigator.connection?.type;
		navigator.connection?.addEventListener?.('change', () => {
			if (navigator.connection.type !== network)
				this.#session?.restartMedia();
			network = navigator.connection.type;
		});
	}

	open(session) {
		this.#session = session;
		const on = (type, fn) => session.addEventListener(type, (e) => session === this.#session && fn(e.detail));
		on('change', () => this.#show());
		on('stream', () => this.#stream());
		on('notice', (message) => this.#notice(message));
		on('came', (p) => this.#announce('hasJoined', p));
		on('went', (p) => this.#announce('hasLeft', p));
		on('said', (line) => this.#said(line));
		on('push', (p) => this.#streams.pushed(p));
		$('room-title').textContent = document.title = session.room;
		$('conference').hidden = false;
		$('notice').replaceChildren();
		this.#host.begin(session);
		this.#streams.show(session);
		this.#layout.begin(session);
		this.#chat.begin(session);
		this.#selectTab('people');
		this.#openSide(roomy() || innerHeight > innerWidth ? 'people' : '');
		this.#stream();
		this.#show();
		this.#keepAwake();
		$('room-title').focus({ preventScroll: true });
	}

	close() {
		if (!this.#session)
			return;
		this.#session = null;
		$('conference').hidden = true;
		$('view').srcObject = null;
		if (document.fullscreenElement)
			document.exitFullscreen();
		this.#silence(false);
		this.#keepAwake();
		delete document.body.dataset.media;
	}

	/* --- what is pressed ---------------------------------------------------------- */

	#bindBar() {
		const press = (ids, fn) => {
			for (const id of ids)
				$(id).onclick = () => {
					$('menu').close();
					fn();
				};
		};
		press(['mute'], () => this.#toggle('audio'));
		press(['camera-off'], () => this.#toggle('video'));
		press(['share', 'menu-share'], () => this.#session.share());
		press(['hand', 'menu-hand'], () => this.#raise());
		press(['record', 'menu-record'], () => this.#session.isRecorded ? this.#session.record() : this.#recorder.open(this.#session));
		press(['record-pause', 'menu-record-pause'], () => this.#session.pauseRecording());
		press(['leave'], () => this.#session.leave());
		press(['full', 'menu-full'], () => this.#fullscreen());
		press(['copy', 'menu-copy'], () => this.#copyAddress());
		press(['menu-invite'], () => this.#host.invite());
		press(['menu-play', 'play-something'], () => this.#playing.open());
		press(['menu-dial', 'call-someone'], () => this.#phones.open());
		press(['menu-streams', 'on-air'], () => this.#streams.open());
		press(['menu-layout'], () => this.#layout.open());
		press(['menu-policy'], () => this.#host.policy());
		press(['menu-settings'], () => settings.open());
		press(['menu-help'], () => $('help').showModal());
		press(['panel'], () => this.#toggleSide('people'));
		press(['chat'], () => this.#toggleSide('chat'));
		press(['quality'], () => this.#notice({ text: this.#qualityWords() }));
		$('more').onclick = () => $('menu').showModal();
		// After a press with the mouse the space bar is free to talk.
		document.querySelector('.bar').addEventListener('click', (e) => {
			if (e.pointerType === 'mouse' && e.currentTarget.contains(document.activeElement))
				document.activeElement.blur();
		});
	}

	#toggle(kind) {
		if (!$(kind === 'audio' ? 'mute' : 'camera-off').disabled)
			this.#session.turn(kind, !this.#session.has(kind));
	}

	#raise() { this.#session.raise(!this.#session.handUp); }

	// Talking with the space bar held; says whether that is possible.
	#talk(on) {
		const s = this.#session;
		if (!s || !this.#devices.tracks.audio || (on && (!s.muted.audio || !s.mayUnmute)))
			return false;
		s.turn('audio', on);
		return true;
	}

	async #fullscreen() {
		if (document.fullscreenElement)
			await document.exitFullscreen();
		else if ($('stage').requestFullscreen)
			await $('stage').requestFullscreen().catch(() => {});
		else
			$('view').webkitEnterFullscreen?.();
	}

	async #copyAddress() {
		const address = new URL(`?room=${encodeURIComponent(this.#session.room)}`, document.baseURI).href;
		try {
			await navigator.clipboard.writeText(address);
			this.#notice({ key: 'linkCopied' });
		} catch {
			this.#notice({ key: 'linkIs', values: { address } });
		}
	}

	/* --- the panel beside the picture ---------------------------------------------- */

	#bindSide() {
		$('side-close').onclick = () => this.#toggleSide(this.#tab);
		const tabs = ['people', 'chat'];
		for (const name of tabs) {
			$(`tab-${name}`).onclick = () => this.#openSide(name);
			$(`tab-${name}`).onkeydown = (e) => {
				if (!['ArrowLeft', 'ArrowRight'].includes(e.key))
					return;
				const other = tabs.find((o) => o !== name);
				this.#openSide(other);
				$(`tab-${other}`).focus();
			};
		}
	}

	#shows(tab) { return !!this.#session && !$('side').hidden && this.#tab === tab; }

	#toggleSide(tab) {
		const shut = this.#shows(tab);
		const inside = $('side').contains(document.activeElement);
		this.#openSide(shut ? '' : tab);
		if (shut && inside)
			$(tab === 'chat' ? 'chat' : 'panel').focus();
		else if (!shut && tab === 'chat')
			$('chat-text').focus();
	}

	// '' shuts it.
	#openSide(tab) {
		$('side').hidden = !tab;
		if (tab)
			this.#selectTab(tab);
		for (const [button, name] of [['panel', 'people'], ['chat', 'chat']])
			$(button).setAttribute('aria-expanded', String(tab === name));
		if (tab === 'chat')
			this.#chat.read();
	}

	#selectTab(tab) {
		this.#tab = tab;
		for (const name of ['people', 'chat']) {
			$(`tab-${name}`).setAttribute('aria-selected', String(name === tab));
			$(`tab-${name}`).tabIndex = name === tab ? 0 : -1;
			$(`panel-${name}`).hidden = name !== tab;
		}
	}

	#said(line) {
		this.#chat.said(line);
		if (!line.own && !line.old && !this.#shows('chat'))
			this.#notice({ text: `${line.name}: ${line.text.length > 80 ? `${line.text.slice(0, 79)}…` : line.text}` });
	}

	#unread(n) {
		for (const badge of document.querySelectorAll('.unread')) {
			badge.hidden = !n;
			badge.textContent = n > 99 ? '99+' : n;
			badge.setAttribute('aria-label', t('unread', { n }));
			badge.setAttribute('role', 'img');
		}
		if (this.#session)
			document.title = `${n ? `(${n}) ` : ''}${this.#session.room}`;
	}

	/* --- picture and sound ------------------------------------------------------ */

	#bindView() {
		$('view').onpause = () => { if (this.#session) this.#play(); }; // as a headset's key may do
		$('play').onclick = () => {
			this.#silence(false);
			this.#play();
		};
		$('stage').ondblclick = () => this.#fullscreen();
	}

	async #stream() {
		if (!this.#session.stream)
			return;
		$('view').srcObject = this.#session.stream;
		this.#devices.route($('view'));
		this.#play();
	}

	// A browser that plays no sound without a click shows the picture until then.
	async #play() {
		try {
			await $('view').play();
		} catch (e) {
			if (e.name !== 'NotAllowedError' || !this.#session || this.#silent)
				return;
			this.#silence(true);
			$('view').play().catch(() => {});
		}
	}

	#silence(yes) {
		this.#silent = $('view').muted = yes;
		$('play').hidden = !yes;
	}

	async #keepAwake() {
		if (this.#session && document.visibilityState === 'visible')
			this.#lock = await navigator.wakeLock?.request('screen').catch(() => null);
		else if (!this.#session)
			this.#lock?.release();
	}

	/* --- what is shown ---------------------------------------------------------- */

	#showAll() {
		this.#chat.showAll();
		this.#show();
	}

	#show() {
		const s = this.#session;
		document.body.dataset.media = s.state === 'live' ? 'connected' : s.state;
		const silent = s.state === 'live' && s.soundOnly;
		const note = silent ? t('soundOnlyNote') : read(s.note);
		$('stage-note').hidden = !note;
		$('stage-note').firstElementChild.hidden = silent;
		$('picture-on').hidden = !silent;
		if ($('stage-text').textContent !== note)
			$('stage-text').textContent = note;
		$('locked').hidden = !s.policy.locked;
		$('sharing').hidden = !s.screen;
		this.#people.show(s);
		this.#phones.show(s);
		this.#playing.show(s);
		this.#streams.show(s);
		this.#chat.showPeople();
		this.#showQuality(s);
		this.#showBar(s);
		this.#showMenu(s);
		settings.show(s);
		this.#showRecordings(s);
	}

	#qualityWords() { return this.#session.quality ? summary(this.#session.quality.score) : ''; }

	#showQuality(s) {
		const known = s.quality && s.state === 'live';
		const bad = known && s.quality.score < UNSTABLE;
		$('quality').hidden = !known;
		const text = bad ? warning(s.quality) : '';
		if ($('unstable').textContent !== text)
			$('unstable').textContent = text;
		$('unstable').hidden = !bad;
		if (!known)
			return;
		const looks = `${bars(s.quality.score)} ${grade(s.quality.score)}`;
		$('quality').classList.toggle('bad', bad);
		$('quality').setAttribute('aria-label', this.#qualityWords());
		$('quality').title = this.#qualityWords();
		if ($('quality').dataset.looks === looks)
			return;
		$('quality').dataset.looks = looks;
		const words = document.createElement('span');
		words.textContent = grade(s.quality.score);
		$('quality').replaceChildren(icon(`bars${bars(s.quality.score)}`), words);
	}

	#showBar(s) {
		const set = (ids, on, name, key) => {
			for (const id of ids) {
				redress($(id), { icon: name, t: key });
				$(id).classList.toggle('on', on);
			}
		};
		const heard = s.has('audio'), seen = s.has('video');
		const paused = s.recording.state === 'paused';
		const recording = paused || s.recording.state === 'on';
		set(['mute'], !heard, heard ? 'mic' : 'micOff', heard ? 'mute' : 'unmute');
		set(['camera-off'], !seen, seen ? 'cam' : 'camOff', seen ? 'cameraOff' : 'cameraOnButton');
		$('mute').disabled = $('camera-off').disabled = !navigator.mediaDevices || this.#devices.busy;
		set(['share', 'menu-share'], false, s.screen ? 'screenOff' : 'screen', s.screen ? 'stopSharing' : 'shareScreen');
		set(['hand', 'menu-hand'], false, 'hand', s.handUp ? 'lowerHand' : 'raiseHand');
		set(['record', 'menu-record'], false, 'record', recording ? 'stopRecording' : 'record');
		set(['record-pause', 'menu-record-pause'], false, paused ? 'play' : 'pause', paused ? 'resumeRecording' : 'pauseRecording');
		$('share').classList.toggle('lit', !!s.screen);
		$('hand').classList.toggle('lit', s.handUp);
		$('record').classList.toggle('on', recording);
		for (const id of ['record', 'menu-record']) {
			$(id).disabled = s.recording.state === 'finishing' || s.state !== 'live';
			$(id).hidden = !s.mayRecord && !(recording && s.isHost);
		}
		for (const id of ['record-pause', 'menu-record-pause']) {
			$(id).disabled = s.state !== 'live';
			$(id).hidden = !recording || $('record').hidden;
		}
		for (const id of ['share', 'menu-share'])
			$(id).hidden = !canShare();
	}

	#showMenu(s) {
		$('menu-invite').hidden = !s.isHost;
		$('menu-layout').hidden = $('menu-policy').hidden = !s.isHost;
	}

	#showRecordings(s) {
		const { recording: r } = s;
		$('recording').hidden = !['on', 'paused', 'finishing'].includes(r.state);
		$('recording').classList.toggle('finishing', r.state !== 'on');
		const text = t({ finishing: 'recordingFinishing', paused: 'recordingPaused' }[r.state] ?? (r.video === false ? 'recordingSound' : 'recordingNow'));
		if ($('recording-text').textContent !== text)
			$('recording-text').textContent = text;
		$('recordings').hidden = !s.recordings.size;
		const looks = `${s.recordings.size} ${document.documentElement.lang}`;
		if ($('recording-list').dataset.looks === looks)
			return;
		$('recording-list').dataset.looks = looks;
		$('recording-list').replaceChildren(...[...s.recordings.values()].map(({ url, at }) => {
			const time = clock(at);
			const li = document.createElement('li');
			const play = Object.assign(document.createElement('a'), { href: pageOf(url), target: '_blank', rel: 'noopener', textContent: t('playAt', { time }) });
			const save = Object.assign(document.createElement('a'), { href: `${url}?download=1`, textContent: t('download') });
			save.setAttribute('aria-label', t('downloadAt', { time }));
			li.append(play, save);
			return li;
		}));
	}

	#notice(message) {
		const p = document.createElement('p');
		p.className = 'notice';
		p.textContent = read(message);
		$('notice').append(p);
		while ($('notice').children.length > NOTICES)
			$('notice').firstElementChild.remove();
		setTimeout(() => p.remove(), NOTICE_MS);
	}

	#announce(key, { name }) { $('announce').textContent = t(key, { name }); }
}

// What is played into the room: hosts have a recording, a file or a camera played, and
// pause it, seek, turn its pages and stop it.
import { icon } from './icons.js';
import { keyed } from './rows.js';
import { changes, read, t, told } from './words.js';

const STATES = {
	opening: 'playOpening', buffering: 'playLoading', playing: 'playingNow', paused: 'playPaused', reconnecting: 'playConnecting',
};
const HELD_MS = 1500; // a slider that is being moved stays where it is
const $ = (id) => document.getElementById(id);
const make = (tag, className = '', props = {}) => Object.assign(document.createElement(tag), { className, ...props });
const clock = (ms) => {
	const s = Math.floor(ms / 1000), two = (n) => String(n).padStart(2, '0');
	return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
};

// A button of one icon, where there is something to press.
function label(button, shown, what, words) {
	button.hidden = !shown;
	if (button.title === words)
		return;
	button.replaceChildren(icon(what));
	button.title = words;
	button.setAttribute('aria-label', words);
}

// It goes on by itself while it plays.
const position = (p) => Math.min(p.position_ms + (p.state === 'playing' ? Date.now() - p.at : 0), p.duration_ms ?? Infinity);

export class Playing {
	#account; #session = null; #error = null; #busy = false; #rows = new Map();

	constructor(account) {
		this.#account = account;
		$('play-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#begin();
		});
		changes.addEventListener('change', () => this.#say(this.#error));
		setInterval(() => this.#tick(), 500);
	}

	/* --- the dialog ------------------------------------------------------------------ */

	async open() {
		$('play-form').reset();
		this.#say(null);
		$('play-file').closest('label').hidden = !this.#account.user;
		$('play-signin').hidden = !!this.#account.user;
		this.#offer([]);
		$('play-dialog').showModal();
		this.#offer(await this.#uploads());
	}

	// What there is: recordings of this room, and files.
	#offer(uploads) {
		const none = new Option(t('playChoose'), '');
		const made = [...this.#session.recordings].map(([id, r]) => new Option(
			t('playRecordingOf', { time: new Date(r.at).toLocaleTimeString(document.documentElement.lang) }), `recording:${id}`));
		const files = uploads.map((u) => new Option(u.name, `upload:${u.upload}`));
		$('play-what').replaceChildren(none, ...made, ...files);
	}

	async #uploads() {
		if (!this.#account.user)
			return [];
		return (await this.#account.ask('GET', `rooms/${encodeURIComponent(this.#session.room)}/uploads`).catch(() => ({}))).uploads ?? [];
	}

	async #upload(file) {
		const path = `rooms/${encodeURIComponent(this.#session.room)}/uploads`;
		const { url } = await this.#account.ask('POST', path, { name: file.name || 'file', bytes: file.size });
		const reply = await fetch(new URL(url.replace(/^\//, ''), document.baseURI), { method: 'PUT', body: file });
		const answer = await reply.json().catch(() => ({}));
		if (!reply.ok)
			throw Object.assign(new Error(answer.text ?? ''), { code: answer.code ?? String(reply.status) });
		return answer.upload;
	}

	async #begin() {
		const file = $('play-file').files[0], url = $('play-url').value.trim();
		const [source, id] = $('play-what').value.split(':');
		const how = { ...($('play-loop').checked && { loop: true }), ...($('play-content').checked && { content: true }) };
		if (this.#busy)
			return;
		if (!(file || url || id))
			return this.#say({ key: 'playNothing' });
		if (file && !file.size)
			return this.#say({ key: 'code_media_empty' });
		this.#busy = $('play-go').disabled = true;
		this.#say(file ? { key: 'playUploading' } : null);
		try {
			if (file)
				this.#session.play({ source: 'upload', upload: await this.#upload(file), ...how });
			else if (url)
				this.#session.play({ source: 'camera', url, ...how });
			else
				this.#session.play({ source, [source]: id, ...how });
			$('play-dialog').close();
		} catch (e) {
			this.#say(told(e.code, e.message));
		} finally {
			this.#busy = $('play-go').disabled = false;
		}
	}

	#say(message) {
		this.#error = message;
		$('play-error').textContent = read(message);
	}

	/* --- what is being played ---------------------------------------------------------- */

	show(session) {
		this.#session = session;
		$('menu-play').hidden = $('play-something').hidden = !session.isHost;
		const all = [...session.playbacks.values()];
		$('playing').hidden = !all.length;
		keyed($('playing-list'), all, (p) => p.playback, (p) => this.#row(p), (li, p) => this.#fill(li, p));
		const there = new Set(all.map((p) => String(p.playback)));
		for (const id of this.#rows.keys())
			if (!there.has(id))
				this.#rows.delete(id);
		this.#tick();
	}

	// A button keeps the focus when the list is shown anew: only its words change.
	#row({ playback }) {
		const li = make('li'), row = { li, p: null, held: 0, loud: 0, who: make('span', 'who'), now: make('small') };
		const change = (c) => this.#session.changePlayback(playback, c);
		const button = (fn) => make('button', 'secondary', { type: 'button', hidden: true, onclick: fn });
		row.back = button(() => change({ page: Math.max(1, row.p.page - 1) }));
		row.next = button(() => change({ page: Math.min(row.p.pages, row.p.page + 1) }));
		row.pause = button(() => change({ paused: row.p.state !== 'paused' }));
		row.loop = button(() => change({ loop: !row.p.loop }));
		row.stop = button(() => this.#session.stopPlayback(playback));
		row.seek = make('input', 'seek', { type: 'range', min: 0, step: 1000, hidden: true });
		row.seek.oninput = () => { row.held = Date.now(); };
		row.seek.onchange = () => change({ position_ms: Number(row.seek.value) });
		row.volume = make('div', 'loud', { hidden: true });
		row.mute = button(() => change({ muted: !this.#session.people.get(row.p.leg)?.audio_muted }));
		row.gain = make('input', '', { type: 'range', min: -30, max: 20, step: 1 });
		row.gain.oninput = () => { row.loud = Date.now(); };
		row.gain.onchange = () => this.#session.volume(row.p.leg, Number(row.gain.value));
		row.volume.append(row.mute, row.gain);
		li.append(row.who, row.now, row.back, row.next, row.pause, row.loop, row.stop, row.seek, row.volume);
		this.#rows.set(String(playback), row);
		return li;
	}

	#fill(li, p) {
		const row = this.#rows.get(li.dataset.key), host = this.#session.isHost, title = p.title ?? '';
		const paused = p.state === 'paused', sound = this.#session.people.get(p.leg);
		row.p = p;
		row.who.textContent = row.who.title = title;
		label(row.back, host && p.pages, 'back', t('playPageBack', { title }));
		label(row.next, host && p.pages, 'next', t('playPageNext', { title }));
		row.back.disabled = p.page <= 1;
		row.next.disabled = p.page >= p.pages;
		label(row.pause, host && (p.seekable || p.source === 'camera') && !p.pages, paused ? 'play' : 'pause', t(paused ? 'playResume' : 'playPause', { title }));
		label(row.loop, host && p.seekable, 'loop', t('playLoopIt', { title }));
		row.loop.setAttribute('aria-pressed', String(!!p.loop));
		label(row.stop, host, 'stop', t('playStop', { title }));
		row.seek.hidden = !(host && p.seekable && p.duration_ms);
		row.seek.max = p.duration_ms ?? 0;
		row.seek.setAttribute('aria-label', t('playSeek', { title }));
		row.volume.hidden = !(host && sound?.audio);
		label(row.mute, true, sound?.audio_muted ? 'speakerOff' : 'speaker', t(sound?.audio_muted ? 'playUnmute' : 'playMute', { title }));
		row.gain.setAttribute('aria-label', t('playVolume', { title }));
		if (Date.now() - row.loud > HELD_MS)
			row.gain.value = sound?.gain_db ?? 0;
		row.gain.setAttribute('aria-valuetext', t('decibels', { n: row.gain.value }));
	}

	#tick() {
		for (const { p, now, seek, held } of this.#rows.values()) {
			const at = position(p);
			const words = p.pages ? t('playPage', { page: p.page, pages: p.pages }) :
				['playing', 'paused'].includes(p.state) && p.duration_ms ? `${clock(at)} / ${clock(p.duration_ms)}` : t(STATES[p.state]);
			if (now.textContent !== words)
				now.textContent = words;
			if (!seek.hidden && Date.now() - held > HELD_MS) {
				seek.value = at;
				seek.setAttribute('aria-valuetext', clock(at));
			}
		}
	}
}

// What is played into the room: hosts have a recording, a file or a camera played, and
// pause it, seek, turn its pages and stop it.
import { icon } from './icons.js';
import { changes, read, t, told } from './words.js';

const STATES = {
	opening: 'playOpening', buffering: 'playLoading', playing: 'playingNow', paused: 'playPaused', reconnecting: 'playConnecting',
};
const $ = (id) => document.getElementById(id);
const clock = (ms) => {
	const s = Math.floor(ms / 1000), two = (n) => String(n).padStart(2, '0');
	return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
};
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
		if (this.#busy || !(file || url || id))
			return;
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
		const looks = JSON.stringify([all, session.isHost, document.documentElement.lang]);
		if ($('playing-list').looks === looks)
			return;
		$('playing-list').looks = looks;
		// a slider that is being moved is not replaced
		if (document.activeElement?.type === 'range' && $('playing-list').contains(document.activeElement) &&
			all.length === this.#rows.size && all.every((p) => this.#rows.has(p.playback))) {
			all.forEach((p) => { this.#rows.get(p.playback).p = p; });
			return this.#tick();
		}
		this.#rows.clear();
		$('playing-list').replaceChildren(...all.map((p) => this.#row(p)));
		this.#tick();
	}

	#button(what, words, fn, pressed) {
		const b = document.createElement('button');
		b.type = 'button';
		b.className = 'secondary';
		b.append(icon(what));
		b.title = words;
		b.setAttribute('aria-label', words);
		if (pressed !== undefined)
			b.setAttribute('aria-pressed', String(pressed));
		b.onclick = fn;
		return b;
	}

	#row(p) {
		const li = document.createElement('li'), who = document.createElement('span'), now = document.createElement('small');
		const title = p.title ?? '', paused = p.state === 'paused', change = (c) => this.#session.changePlayback(p.playback, c);
		const row = { p, now, slider: null };
		who.className = 'who';
		who.textContent = title;
		li.append(who, now);
		this.#rows.set(p.playback, row);
		if (!this.#session.isHost)
			return li;
		if (p.pages)
			li.append(this.#button('back', t('playPageBack', { title }), () => change({ page: Math.max(1, p.page - 1) })),
				this.#button('next', t('playPageNext', { title }), () => change({ page: Math.min(p.pages, p.page + 1) })));
		else
			li.append(this.#button(paused ? 'play' : 'pause', t(paused ? 'playResume' : 'playPause', { title }), () => change({ paused: !paused })));
		if (p.seekable)
			li.append(this.#button('loop', t('playLoopIt', { title }), () => change({ loop: !p.loop }), p.loop));
		li.append(this.#button('stop', t('playStop', { title }), () => this.#session.stopPlayback(p.playback)));
		if (p.seekable && p.duration_ms) {
			const s = row.slider = document.createElement('input');
			Object.assign(s, { type: 'range', min: 0, max: p.duration_ms, step: 1000 });
			s.className = 'seek';
			s.setAttribute('aria-label', t('playSeek', { title }));
			s.onchange = () => change({ position_ms: Number(s.value) });
			s.oninput = () => { row.held = Date.now(); };
			li.append(s);
		}
		return li;
	}

	#tick() {
		for (const { p, now, slider, held } of this.#rows.values()) {
			const at = position(p);
			const words = p.pages ? t('playPage', { page: p.page, pages: p.pages }) :
				['playing', 'paused'].includes(p.state) && p.duration_ms ? `${clock(at)} / ${clock(p.duration_ms)}` : t(STATES[p.state]);
			if (now.textContent !== words)
				now.textContent = words;
			if (slider && !(held > Date.now() - 1500)) {
				slider.value = at;
				slider.setAttribute('aria-valuetext', clock(at));
			}
		}
	}
}

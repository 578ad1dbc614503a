// One recording: the film with its chapters and small pictures, who took part, what was
// written, and what may be done with it.
import * as dialogs from './dialogs.js';
import { icon } from './icons.js';
import { nameOf } from './library.js';
import { clip, day, size } from './times.js';
import { cues, during, places } from './vtt.js';
import { changes, read, t, told } from './words.js';

const $ = (id) => document.getElementById(id);
const DELETED_BY_RULE = ['age', 'room_quota', 'user_quota', 'quota'];

// What the server writes into chapters, in its language, is told in the reader's.
const HAPPENS = [
	[/^(?:Start|시작)$/, () => t('chapterStart')],
	[/^(.+)(?: joins| 님 입장)$/, (name) => t('chapterJoins', { name })],
	[/^(.+)(?: leaves| 님 퇴장)$/, (name) => t('chapterLeaves', { name })],
	[/^(.+)(?: speaks| 님 발언)$/, (name) => t('chapterSpeaks', { name })],
	[/^(.+)(?: shares| 님 공유)$/, (name) => t('chapterShares', { name })],
	[/^(.+)(?: stops sharing| 님 공유 종료)$/, (name) => t('chapterShared', { name })],
];
const reworded = (text) => text.split(', ').map((one) => {
	const [pattern, say] = HAPPENS.find(([p]) => p.test(one)) ?? [];
	return pattern ? say(one.match(pattern)[1]) : one;
}).join(', ');

const textOf = (url) => fetch(url, { credentials: 'omit' }).then((r) => r.ok ? r.text() : '', () => '');

function stamp(ms) {
	const time = document.createElement('time');
	time.textContent = clip(ms / 1000);
	return time;
}

export class Watch {
	#account; #leave; #id = null; #link; #row = null; #chapters = []; #places = []; #error = null; #opened = 0; #scrubbing = false;

	constructor(account, leave) {
		this.#account = account;
		this.#leave = leave;
		$('film').addEventListener('timeupdate', () => this.#tick());
		$('film').addEventListener('loadedmetadata', () => this.#tick());
		$('film').addEventListener('error', () => this.#say($('film').getAttribute('src') ? { key: 'filmFailed' } : null));
		$('seek').addEventListener('input', () => this.#scrub());
		$('seek').addEventListener('change', () => { this.#scrubbing = false; });
		$('seek').addEventListener('pointermove', (e) => this.#peekAt(e));
		$('seek').addEventListener('pointerleave', () => { $('peek').hidden = true; });
		$('seek').addEventListener('blur', () => { $('peek').hidden = true; });
		$('back').addEventListener('click', (e) => {
			e.preventDefault();
			this.#leave();
		});
		$('edit-it').onclick = () => this.#edit();
		$('edit-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#save();
		});
		$('share-it').onclick = () => this.#share();
		$('share-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#makeLink();
		});
		$('share-copy').onclick = () => this.#copy();
		$('share-end').onclick = () => this.#endLinks();
		$('delete-it').onclick = () => this.#remove(false);
		$('purge-it').onclick = () => this.#remove(true);
		$('restore-it').onclick = () => this.#restore();
		changes.addEventListener('change', () => this.#dress());
	}

	async open(id, link) {
		if (this.#id === id && this.#link === link && !$('watch').hidden)
			return;
		this.close();
		const opened = ++this.#opened;
		this.#id = id;
		this.#link = link;
		$('watch').hidden = false;
		$('back').hidden = !!link && !this.#account.user;
		this.#say(null);
		$('cinema').hidden = true;
		$('watch-title').textContent = $('facts').textContent = '';
		try {
			const row = await (link ? this.#linked() : this.#account.ask('GET', `recordings/${id}`));
			if (opened !== this.#opened)
				return;
			this.#row = row;
			this.#fill();
			await this.#extras(opened);
		} catch (e) {
			if (opened !== this.#opened)
				return;
			$('watch-title').textContent = t('recording');
			this.#say(told(e.code, e.message));
		}
		$('watch-title').focus();
	}

	close() {
		if ($('watch').hidden)
			return;
		this.#opened++;
		$('watch').hidden = true;
		$('film').pause();
		$('film').removeAttribute('src');
		$('film').replaceChildren();
		$('film').load();
		this.#row = this.#id = null;
		this.#chapters = this.#places = [];
		dialogs.closeAll();
	}

	// By a link, without being signed in.
	async #linked() {
		const r = await fetch(`recordings/${this.#id}/${this.#link}/info.json`, { credentials: 'omit' })
			.catch(() => { throw Object.assign(new Error(), { code: 'unreachable' }); });
		const answer = await r.json().catch(() => ({}));
		if (!r.ok)
			throw Object.assign(new Error(answer.text), { code: answer.code ?? String(r.status) });
		return answer;
	}

	#say(message) {
		this.#error = message;
		$('watch-note').textContent = read(message);
	}

	#fill() {
		const r = this.#row;
		const plays = r.url && ['ready', 'interrupted'].includes(r.state);
		$('cinema').hidden = false;
		$('film').hidden = $('download').hidden = !plays;
		if (plays && $('film').getAttribute('src') !== r.url) {
			$('film').src = r.url;
			if (r.thumbnail)
				$('film').poster = r.thumbnail;
			else
				$('film').removeAttribute('poster');
		}
		if (plays)
			$('download').href = `${r.url}?download`;
		$('timeline').hidden = !plays || !r.duration_ms;
		$('seek').max = Math.max(1, Math.floor(r.duration_ms / 1000));
		for (const [id, shown] of [['share-it', r.url], ['edit-it', true], ['delete-it', r.url && r.state !== 'recording'], ['restore-it', !r.url], ['purge-it', !r.url]])
			$(id).hidden = !r.manage || !shown;
		this.#dress();
	}

	// What has words in it.
	#dress() {
		const r = this.#row;
		$('watch-note').textContent = read(this.#error);
		if (!r)
			return;
		$('watch-title').textContent = nameOf(r);
		document.title = `${nameOf(r)} – mcu`;
		const facts = [r.title && r.room, day(r.started_ms), r.duration_ms && clip(r.duration_ms / 1000), r.bytes && size(r.bytes), r.by && t('recordedBy', { name: r.by })];
		if (r.deleted_ms)
			facts.push(DELETED_BY_RULE.includes(r.deleted_by) ? t('deletedByRule', { date: day(r.deleted_ms) }) : t('deletedBy', { date: day(r.deleted_ms), name: r.deleted_by }));
		$('facts').textContent = facts.filter(Boolean).join(' · ');
		$('tags').replaceChildren(...r.tags.map((tag) => {
			const li = document.createElement('li');
			li.textContent = tag;
			return li;
		}));
		if (r.url && ['recording', 'finishing', 'failed'].includes(r.state))
			this.#say(r.state === 'failed' ? { text: r.error } : { key: 'code_not_ready' });
		this.#showChapters();
		this.#people(r.participants ?? []);
		this.#tracks(r.tracks ?? []);
		this.#chat(r.chat ?? []);
		this.#tick();
	}

	#people(people) {
		const by = new Map();
		for (const p of people) {
			const known = by.get(p.name);
			by.set(p.name, { ...p, host: p.host || known?.host, joined_ms: Math.min(p.joined_ms, known?.joined_ms ?? Infinity), left_ms: Math.max(p.left_ms, known?.left_ms ?? 0) });
		}
		$('people-part').hidden = !by.size;
		$('took-part').replaceChildren(...[...by.values()].map((p) => {
			const li = document.createElement('li');
			const small = document.createElement('small');
			small.textContent = [p.host && t('host'), `${clip(p.joined_ms / 1000)}–${clip(p.left_ms / 1000)}`].filter(Boolean).join(', ');
			li.append(p.name, small);
			return li;
		}));
	}

	// What each participant sent, by itself.
	#tracks(tracks) {
		$('tracks-part').hidden = !tracks.length;
		$('tracks').replaceChildren(...tracks.map((k) => {
			const li = document.createElement('li'), name = document.createElement('span'), small = document.createElement('small');
			name.textContent = k.title || t('participant');
			const facts = [k.width ? `${k.width}×${k.height}` : t('recordSound'), [k.video_codec, k.audio_codec].filter(Boolean).join(' + '), k.duration_ms && clip(k.duration_ms / 1000), k.bytes && size(k.bytes)];
			small.textContent = (k.state === 'recording' ? [t('stateRecording')] : facts).filter(Boolean).join(' · ');
			li.append(name, small);
			if (k.url && k.state !== 'recording') {
				const save = Object.assign(document.createElement('a'), { href: `${k.url}?download`, className: 'link' });
				save.append(icon('download'));
				save.title = t('downloadTrack', { name: name.textContent });
				save.setAttribute('aria-label', save.title);
				li.append(save);
			}
			return li;
		}));
	}

	#chat(lines) {
		$('chat-part').hidden = !lines.length;
		$('said').replaceChildren(...lines.map((l) => this.#jump(l.at_ms, `${l.name}: ${l.text}`)));
	}

	// An item that leads to a time.
	#jump(ms, text) {
		const li = document.createElement('li');
		const button = document.createElement('button');
		const words = document.createElement('span');
		words.textContent = text;
		button.type = 'button';
		button.append(stamp(ms), words);
		button.onclick = () => {
			$('film').currentTime = ms / 1000;
			$('film').play().catch(() => {});
		};
		li.append(button);
		return li;
	}

	#showChapters() {
		$('chapters-part').hidden = !this.#chapters.length;
		$('chapters').replaceChildren(...this.#chapters.map((c) => this.#jump(c.from * 1000, reworded(c.text))));
	}

	async #extras(opened) {
		const r = this.#row;
		const [chapters, scrub] = await Promise.all([r.chapters ? textOf(r.chapters) : '', r.scrub && r.sheet ? textOf(r.scrub) : '']);
		if (opened !== this.#opened)
			return;
		this.#chapters = cues(chapters);
		this.#places = places(scrub);
		this.#showChapters();
		$('marks').replaceChildren(...this.#chapters.map((c) => {
			const mark = document.createElement('span');
			mark.style.left = `${100 * c.from / Number($('seek').max)}%`;
			return mark;
		}));
		if (r.sheet)
			$('peek-picture').style.backgroundImage = `url("${r.sheet}")`;
		if (r.chapters) {
			const track = document.createElement('track');
			Object.assign(track, { kind: 'chapters', src: r.chapters, default: true });
			$('film').replaceChildren(track);
		}
		this.#tick();
	}

	#tick() {
		const at = $('film').currentTime;
		if (!this.#scrubbing)
			$('seek').value = Math.floor(at);
		const chapter = during(this.#chapters, at);
		$('seek').setAttribute('aria-valuetext', [clip(at), chapter && reworded(chapter.text)].filter(Boolean).join(', '));
		for (const [i, li] of [...$('chapters').children].entries())
			li.firstChild.setAttribute('aria-current', String(this.#chapters[i] === chapter));
	}

	#scrub() {
		const at = Number($('seek').value);
		this.#scrubbing = true;
		$('film').currentTime = at;
		this.#peek(at);
	}

	#peekAt(e) {
		const box = $('seek').getBoundingClientRect();
		const share = Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
		this.#peek(share * Number($('seek').max));
	}

	// The small picture of a time, above the line.
	#peek(at) {
		const place = during(this.#places, at);
		const picture = $('peek-picture');
		const share = at / Number($('seek').max);
		$('peek').hidden = false;
		picture.hidden = !place;
		if (place) {
			picture.style.width = `${place.width}px`;
			picture.style.height = `${place.height}px`;
			picture.style.backgroundPosition = `-${place.x}px -${place.y}px`;
		}
		const chapter = during(this.#chapters, at);
		$('peek-time').textContent = [clip(at), chapter && reworded(chapter.text)].filter(Boolean).join(' · ');
		const room = $('timeline').clientWidth - $('peek').offsetWidth;
		$('peek').style.left = `${Math.max(0, Math.min(room, share * $('timeline').clientWidth - $('peek').offsetWidth / 2))}px`;
	}

	/* --- what may be done --- */

	async #do(method, path, body, error) {
		const id = this.#id;
		try {
			const answer = await this.#account.ask(method, `recordings/${id}${path}`, body);
			return id === this.#id ? answer : null;
		} catch (e) {
			if (error)
				error.textContent = read(told(e.code, e.message));
			else
				this.#say(told(e.code, e.message));
			return null;
		}
	}

	#edit() {
		$('edit-name').value = this.#row.title;
		$('edit-tags').value = this.#row.tags.join(', ');
		$('edit-error').textContent = '';
		$('edit').showModal();
		$('edit-name').focus();
	}

	async #save() {
		const tags = $('edit-tags').value.split(',').map((s) => s.trim()).filter(Boolean);
		const row = await this.#do('PATCH', '', { title: $('edit-name').value.trim(), tags }, $('edit-error'));
		if (!row)
			return;
		this.#row = { ...this.#row, title: row.title, tags: row.tags };
		this.#dress();
		$('edit').close();
	}

	#share() {
		$('share-result').hidden = $('share-copy').hidden = true;
		$('share-told').textContent = $('share-error').textContent = '';
		$('share').showModal();
		$('share-expiry').focus();
	}

	async #makeLink() {
		$('share-error').textContent = '';
		const link = await this.#do('POST', '/links', { expires_s: Number($('share-expiry').value) }, $('share-error'));
		if (!link)
			return;
		$('share-link').value = new URL(link.page.replace(/^\//, ''), document.baseURI).href;
		$('share-result').hidden = $('share-copy').hidden = false;
		$('share-told').textContent = t('linkUntil', { date: day(link.expires_ms) });
		$('share-link').select();
	}

	async #copy() {
		$('share-link').select();
		await navigator.clipboard.writeText($('share-link').value).then(() => { $('share-told').textContent = t('linkIsCopied'); }, () => {});
	}

	async #endLinks() {
		const row = await this.#do('DELETE', '/links', undefined, $('share-error'));
		if (!row)
			return;
		// the addresses of this page have ended with them
		const at = $('film').currentTime;
		this.#row = { ...this.#row, ...row };
		this.#fill();
		$('film').currentTime = at;
		$('share-result').hidden = $('share-copy').hidden = true;
		$('share-told').textContent = t('linksEnded');
	}

	async #remove(forGood) {
		const values = { name: nameOf(this.#row) };
		const sure = await dialogs.confirm(forGood ? { title: 'purgeTitle', text: 'purgeText', yes: 'purgeRecording', values } : { title: 'deleteTitle', text: 'deleteText', yes: 'deleteRecording', values });
		if (sure && await this.#do('DELETE', ''))
			this.#leave();
	}

	async #restore() {
		const row = await this.#do('POST', '/restore');
		if (!row)
			return;
		this.#row = { ...this.#row, deleted_ms: undefined, ...row };
		this.#fill();
		$('watch-title').focus();
	}
}

// Who is in the room and who waits before it: the list, and what can be done about
// one of them.
import { confirm } from './dialogs.js';
import { icon } from './icons.js';
import { bars, grade, summary } from './quality.js';
import { keyed } from './rows.js';
import { redress, t } from './words.js';

const $ = (id) => document.getElementById(id);
const make = (tag, className = '', props = {}) => Object.assign(document.createElement(tag), { className, ...props });

export class People {
	#session = null; #person = null; #onPrivate;

	// onPrivate(leg): a private message is to be written.
	constructor(onPrivate) {
		this.#onPrivate = onPrivate;
		const act = (id, fn) => {
			$(id).onclick = () => {
				$('person').close();
				fn(this.#person);
			};
		};
		act('person-chat', (leg) => this.#onPrivate(leg));
		act('person-mute', (leg) => this.#session.moderate('mute', leg));
		act('person-camera', (leg) => this.#session.moderate('camera_off', leg));
		act('person-content', (leg) => this.#session.moderate('content_off', leg));
		act('person-hand', (leg) => this.#session.moderate('lower_hand', leg));
		act('person-remove', (leg) => this.#remove(leg));
		act('person-rename', (leg) => this.#askName(leg));
		$('person-volume').onchange = () => this.#session.volume(this.#person, Number($('person-volume').value));
		$('person-volume').oninput = () => this.#showVolume();
		$('rename-form').addEventListener('submit', () => this.#session.rename(this.#person, $('rename-name').value.trim()));
		$('mute-all').onclick = () => this.#session.moderate('mute');
		$('admit-all').onclick = () => this.#session.admit(true);
	}

	show(session) {
		this.#session = session;
		// Raised hands first, in the order in which they went up.
		const all = [...session.people.values()].sort((a, b) => !!b.hand - !!a.hand || (a.since ?? 0) - (b.since ?? 0));
		keyed($('people'), all, (p) => p.leg, (p) => this.#row(p), (li, p) => this.#fill(li, p));
		keyed($('waiting-list'), session.waiting, (w) => w.waiting, (w) => this.#guest(w), (li, w) => this.#fillGuest(li, w));
		$('waiting').hidden = !session.isHost || !session.waiting.length;
		$('waiting-count').textContent = session.waiting.length;
		$('count').textContent = session.people.size;
		$('alone').hidden = session.people.size !== 1;
		$('mute-all').hidden = !session.isHost || session.people.size < 2;
		if ($('person').open)
			this.#showPerson();
	}

	/* --- a row of the list -------------------------------------------------------- */

	#row({ leg }) {
		const li = make('li');
		const button = make('button', 'bare', { type: 'button' });
		button.append(icon('more'));
		button.onclick = () => {
			this.#person = leg;
			this.#showPerson();
			$('person').showModal();
		};
		li.append(make('span', 'face'), make('span', 'who'), make('span', 'marks'), button);
		li.dataset.leg = leg;
		return li;
	}

	#fill(li, p) {
		const s = this.#session;
		const own = p.leg === s.leg;
		const heard = p.audio && !p.audio_muted, seen = p.video && !p.video_muted;
		const [face, who, marks, button] = li.children;
		const extra = [p.number, own && t('you'), p.role === 'host' && t('host')].filter(Boolean).join(' · ');
		const score = own && s.quality ? s.quality.score : p.score;
		const looks = JSON.stringify([p.name, p.kind, extra, p.hand, heard, seen, bars(score), document.documentElement.lang]);
		li.classList.toggle('speaking', p.leg === s.speaker);
		if (li.looks === looks)
			return;
		li.looks = looks;
		face.textContent = [...p.name].find((c) => /[\p{L}\p{N}]/u.test(c))?.toUpperCase() ?? '';
		face.setAttribute('aria-hidden', 'true');
		face.dataset.tint = p.leg % 6;
		who.replaceChildren(make('span', 'name', { textContent: p.name, title: p.name }));
		if (extra)
			who.append(' ', make('small', '', { textContent: extra }));
		marks.replaceChildren(
			...p.kind === 'phone' ? [icon('phone', t('telephone'))] : [],
			...p.hand ? [icon('hand', t('handIsUp'))] : [],
			...score ? [icon(`bars${bars(score)}`, t('connectionOf', { grade: grade(score) }))] : [],
			icon(heard ? 'mic' : 'micOff', t(heard ? 'microphoneOn' : 'microphoneOff')),
			icon(seen ? 'cam' : 'camOff', t(seen ? 'cameraOn' : 'cameraOffState')));
		button.disabled = own;
		button.classList.toggle('gone', own);
		button.setAttribute('aria-label', t('actionsFor', { name: p.name }));
	}

	/* --- one person ------------------------------------------------------------- */

	#showPerson() {
		const s = this.#session;
		const p = s.people.get(this.#person);
		if (!p)
			return $('person').close();
		$('person-name').textContent = p.name;
		$('person-quality').textContent = p.score ? summary(p.score) : '';
		$('person-number').textContent = p.number ?? '';
		if (document.activeElement !== $('person-volume'))
			$('person-volume').value = p.gain_db ?? 0;
		this.#showVolume();
		for (const b of document.querySelectorAll('#person .host'))
			b.hidden = !s.isHost;
		$('person-mute').hidden ||= !p.audio || p.audio_muted;
		$('person-camera').hidden ||= !p.video || p.video_muted;
		$('person-content').hidden ||= s.layout.content !== p.leg;
		$('person-hand').hidden ||= !p.hand;
	}

	#showVolume() {
		const text = t('decibels', { n: $('person-volume').value });
		$('person-db').textContent = text;
		$('person-volume').setAttribute('aria-valuetext', text);
	}

	#askName(leg) {
		$('rename-name').value = this.#session.people.get(leg)?.name ?? '';
		$('rename').showModal();
		$('rename-name').select();
	}

	async #remove(leg) {
		const s = this.#session;
		const name = s.people.get(leg)?.name ?? '';
		if (await confirm({ title: 'removeTitle', text: 'removeText', yes: 'remove', values: { name } }))
			s.moderate('remove', leg);
	}

	/* --- before the door ---------------------------------------------------------- */

	#guest({ waiting }) {
		const li = make('li');
		const button = (cls, allow) => make('button', cls, { type: 'button', onclick: () => this.#session.admit(allow, waiting) });
		li.append(make('span', 'who'), button('secondary yes', true), button('secondary no', false));
		return li;
	}

	#fillGuest(li, { name }) {
		const [who, yes, no] = li.children;
		if (who.textContent !== name)
			who.textContent = who.title = name;
		redress(yes, { t: 'admit' });
		redress(no, { t: 'refuse' });
		yes.setAttribute('aria-label', t('admitName', { name }));
		no.setAttribute('aria-label', t('refuseName', { name }));
	}
}

// The chat: what was said, and saying something, to all or to one.
import { clock, t } from './words.js';

const $ = (id) => document.getElementById(id);
const LINK = /https?:\/\/[^\s<>\x22\x27\x60]+/g;
const TRAILING = /[.,;:!?)\]}”’。、]+$/;

// Text with its web addresses as links; nothing in it is taken for markup.
export function linked(text) {
	const parts = [];
	let at = 0;
	for (const match of text.matchAll(LINK)) {
		const address = match[0].replace(TRAILING, '');
		if (!URL.canParse(address))
			continue;
		parts.push(text.slice(at, match.index), { address });
		at = match.index + address.length;
	}
	return [...parts, text.slice(at)].filter((p) => p !== '');
}

export class Chat {
	#session = null; #shown = []; #unread = 0; #open; #onUnread;

	// open(): whether the chat is on the screen; onUnread(number).
	constructor(open, onUnread) {
		this.#open = open;
		this.#onUnread = onUnread;
		$('chat-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#send();
		});
		$('chat-text').addEventListener('keydown', (e) => {
			if (e.key !== 'Enter' || e.shiftKey || e.isComposing)
				return;
			e.preventDefault();
			this.#send();
		});
		$('chat-text').addEventListener('input', () => this.#grow());
	}

	begin(session) {
		this.#session = session;
		this.#shown = [];
		$('lines').replaceChildren();
		$('chat-text').value = '';
		$('chat-to').replaceChildren();
		this.read();
		this.showAll();
	}

	// Everything anew, as after a change of the language.
	showAll() {
		$('lines').replaceChildren(...this.#session.chat.map((line) => this.#line(line)));
		$('no-lines').hidden = !!this.#session.chat.length;
		this.#scroll();
		this.showPeople();
	}

	said(line) {
		const list = $('lines');
		const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
		list.append(this.#line(line));
		$('no-lines').hidden = true;
		if (atEnd || line.own)
			this.#scroll();
		if (!line.own && !line.old && !this.#open()) {
			this.#unread++;
			this.#onUnread(this.#unread);
		}
	}

	// It is on the screen now.
	read() {
		this.#unread = 0;
		this.#onUnread(0);
		this.#scroll();
	}

	to(leg) {
		$('chat-to').value = String(leg);
		$('chat-text').focus();
	}

	// Who can be written to.
	showPeople() {
		const s = this.#session;
		const others = [...s.people.values()].filter((p) => p.leg !== s.leg);
		const wanted = JSON.stringify([t('everyone'), others.map((p) => [p.leg, p.name])]);
		if ($('chat-to').dataset.wanted === wanted)
			return;
		const before = $('chat-to').value;
		$('chat-to').dataset.wanted = wanted;
		$('chat-to').replaceChildren(new Option(t('everyone'), ''), ...others.map((p) => new Option(t('privatelyTo', { name: p.name }), p.leg)));
		$('chat-to').value = before;
		if ($('chat-to').selectedIndex < 0)
			$('chat-to').value = '';
	}

	#send() {
		const text = $('chat-text').value.trim();
		if (!text || this.#session.state === 'reconnecting')
			return;
		this.#session.say(text, Number($('chat-to').value) || undefined);
		$('chat-text').value = '';
		this.#grow();
	}

	#grow() {
		const box = $('chat-text');
		box.style.height = 'auto';
		box.style.height = `${Math.min(box.scrollHeight + 2, 140)}px`;
	}

	#scroll() { $('lines').scrollTop = $('lines').scrollHeight; }

	#line(line) {
		const row = document.createElement('div');
		row.className = 'talk';
		const head = document.createElement('p'), text = document.createElement('p');
		const who = document.createElement('b'), time = document.createElement('time');
		who.textContent = line.own ? t('you') : line.name;
		time.textContent = clock(line.at);
		time.dateTime = new Date(line.at).toISOString();
		head.append(who, ' ', time);
		if (line.to) {
			const small = document.createElement('small');
			small.textContent = line.own ? t('privatelyTo', { name: line.toName ?? '' }) : t('private');
			head.append(' ', small);
			row.classList.add('private');
		}
		row.classList.toggle('own', line.own);
		text.className = 'said';
		text.append(...linked(line.text).map((part) => typeof part === 'string' ? part : Object.assign(document.createElement('a'), {
			href: part.address, textContent: part.address, target: '_blank', rel: 'noopener noreferrer nofollow',
		})));
		row.append(head, text);
		return row;
	}
}

// The list of recordings and its search.
import { icon } from './icons.js';
import { clip, day } from './times.js';
import { changes, read, t, told } from './words.js';

const $ = (id) => document.getElementById(id);
const PAGE = 48, TYPING_MS = 300;
const STATES = { recording: 'stateRecording', finishing: 'stateFinishing', interrupted: 'stateInterrupted', failed: 'stateFailed' };

export const nameOf = (r) => r.title || r.room || t('recording');

function element(tag, cls, ...children) {
	const e = document.createElement(tag);
	if (cls)
		e.className = cls;
	e.append(...children);
	return e;
}

// One recording as an item of the list.
function item(r) {
	const picture = element('div', 'picture', icon('film'));
	if (r.thumbnail) {
		const img = element('img');
		img.src = r.thumbnail;
		img.alt = '';
		img.loading = 'lazy';
		img.onerror = () => img.remove();
		picture.append(img);
	}
	if (r.duration_ms)
		picture.append(element('span', 'lasts', clip(r.duration_ms / 1000)));
	if (STATES[r.state])
		picture.append(element('span', 'state', t(STATES[r.state])));
	const link = element('a', '', nameOf(r));
	link.href = `#${r.id}`;
	const words = element('div', 'words', link, element('p', '', r.title && r.room ? `${r.room}, ${day(r.started_ms)}` : day(r.started_ms)));
	if (r.people.length)
		words.append(element('p', '', r.people.join(', ')));
	if (r.tags.length)
		words.append(element('ul', 'tags', ...r.tags.map((tag) => element('li', '', tag))));
	return element('li', '', picture, words);
}

export class Library {
	#account; #asked = 0; #rows = []; #next = null; #typing = 0; #error = null;

	constructor(account) {
		this.#account = account;
		$('search').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#search();
		});
		$('search').addEventListener('input', () => {
			clearTimeout(this.#typing);
			this.#typing = setTimeout(() => this.#search(), TYPING_MS);
		});
		$('older').onclick = () => this.#more();
		$('in-room').value = new URLSearchParams(location.search).get('room') ?? '';
		$('in-room').closest('details').open = !!$('in-room').value;
		changes.addEventListener('change', () => this.#show());
	}

	open() {
		const back = $('library').hidden;
		$('library').hidden = false;
		$('search').hidden = !this.#account.user;
		$('library-told').hidden = !!this.#account.user;
		if (this.#account.user)
			this.#search();
		else
			this.#take([], null);
		if (back)
			$('library-title').focus();
	}

	close() {
		$('library').hidden = true;
	}

	#query(more = {}) {
		const q = new URLSearchParams({ limit: PAGE, ...more });
		const until = $('until').valueAsNumber;
		for (const [name, value] of [['q', $('query').value.trim()], ['person', $('person').value.trim()], ['room', $('in-room').value.trim()],
			['tag', $('tag').value.trim()], ['from', $('from').value], ['until', Number.isFinite(until) ? until + 86400000 : ''], ['trash', $('trash').checked ? '1' : '']])
			if (value)
				q.set(name, value);
		return q;
	}

	async #ask(query) {
		const asked = ++this.#asked;
		try {
			const { recordings, next } = await this.#account.ask('GET', `recordings?${query}`);
			return asked === this.#asked && { recordings, next };
		} catch (e) {
			if (asked === this.#asked)
				this.#take([], null, told(e.code, e.message));
			return null;
		}
	}

	async #search() {
		clearTimeout(this.#typing);
		const answer = await this.#ask(this.#query());
		if (answer)
			this.#take(answer.recordings, answer.next);
	}

	async #more() {
		const first = this.#rows.length;
		const answer = await this.#ask(this.#query({ before: this.#next }));
		if (!answer)
			return;
		this.#take([...this.#rows, ...answer.recordings], answer.next);
		$('list').children[first]?.querySelector('a').focus();
	}

	#take(rows, next, error = null) {
		this.#rows = rows;
		this.#next = next;
		this.#error = error;
		this.#show();
	}

	#show() {
		$('list').replaceChildren(...this.#rows.map(item));
		$('older').hidden = !this.#next;
		const n = this.#rows.length;
		$('found').textContent = this.#error ? read(this.#error) : !this.#account.user ? '' :
			t(!n ? 'foundNone' : this.#next ? 'foundMore' : n === 1 ? 'foundOne' : 'foundSome', { n });
	}
}

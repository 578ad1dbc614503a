// Telephones: a host has the room call somebody, and sees how far that is; how people
// reach the room with a telephone of their own.
import { icon } from './icons.js';
import { t } from './words.js';

const $ = (id) => document.getElementById(id);
const STATES = { calling: 'callCalling', ringing: 'callRinging', early: 'callRinging' };

export class Phones {
	#account; #session = null;

	constructor(account) {
		this.#account = account;
		$('dial-form').addEventListener('submit', () => this.#dial());
		account.addEventListener('change', () => this.#session && this.show(this.#session));
	}

	open() {
		$('dial-form').reset();
		$('dial').showModal();
	}

	#dial() {
		const to = $('dial-to').value.trim(), name = $('dial-name').value.trim();
		this.#session.dial(to, name);
	}

	// Only who has an account may; the server says so too.
	#mayDial(s) {
		const who = this.#account.dialIn?.dial;
		return !!who && who !== 'nobody' && !!this.#account.user && (s.isHost || who === 'users');
	}

	show(session) {
		this.#session = session;
		$('menu-dial').hidden = $('call-someone').hidden = !this.#mayDial(session);
		this.#showWay(session);
		const calls = [...session.calls.values()];
		$('calls').hidden = !calls.length;
		const looks = JSON.stringify([calls, document.documentElement.lang]);
		if ($('call-list').looks === looks)
			return;
		$('call-list').looks = looks;
		$('call-list').replaceChildren(...calls.map((c) => this.#row(c)));
	}

	#row({ call, state, name, number }) {
		const li = document.createElement('li');
		const who = document.createElement('span'), now = document.createElement('small');
		const stop = document.createElement('button');
		who.className = 'who';
		who.textContent = name || number;
		now.textContent = t(STATES[state]);
		stop.className = 'secondary no';
		stop.type = 'button';
		stop.textContent = t('hangUp');
		stop.setAttribute('aria-label', t('hangUpOn', { name: name || number }));
		stop.onclick = () => this.#session.hangUp(call);
		li.append(icon('phone'), who, now, stop);
		return li;
	}

	// The room's address, and a number where the room has digits to be entered there.
	#showWay({ room, policy }) {
		const way = this.#account.dialIn;
		const address = way && `sip:${room}@${way.domain || location.hostname}`;
		const code = policy.number || (/^\d+$/.test(room) ? room : '');
		const text = !way ? '' : way.number && code ? t('dialInBoth', { number: way.number, code, address }) : t('dialInAddress', { address });
		$('dial-in').hidden = !text;
		if ($('dial-in').textContent !== text)
			$('dial-in').textContent = text;
	}
}

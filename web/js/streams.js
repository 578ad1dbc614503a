// Who watches a room without being in it: the address of the page for that, and the
// servers that hosts have it sent to.
import { confirm } from './dialogs.js';
import { icon } from './icons.js';
import { changes, read, t, told } from './words.js';

const $ = (id) => document.getElementById(id);
const STATES = { connecting: 'streamConnecting', live: 'streamLive', retrying: 'streamRetrying', failed: 'streamFailed' };

export class Streams {
	#account; #signIn; #notice; #session = null; #error = null;

	// notice(message): what is told to the person.
	constructor(account, signIn, notice) {
		this.#account = account;
		this.#signIn = signIn;
		this.#notice = notice;
		$('stream-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#start();
		});
		$('stream-copy').onclick = () => this.#copy();
		$('stream-sign-in').onclick = () => this.#signIn.open();
		account.addEventListener('change', () => this.#showAccount());
		changes.addEventListener('change', () => this.#say(this.#error));
	}

	open() {
		$('stream-form').reset();
		$('stream-watch').value = new URL(`watch/${encodeURIComponent(this.#session.room)}`, document.baseURI).href;
		this.#say(null);
		this.#showAccount();
		$('streams').showModal();
		$('streams-title').focus();
	}

	show(session) {
		this.#session = session;
		$('menu-streams').hidden = !session.isHost;
		const all = session.isHost ? [...session.pushes.values()] : [];
		$('on-air').hidden = !all.some((p) => p.state === 'live');
		$('no-streams').hidden = all.length > 0;
		const looks = JSON.stringify([all, document.documentElement.lang]);
		if ($('stream-list').looks === looks)
			return;
		$('stream-list').looks = looks;
		const focused = document.activeElement?.closest?.('#stream-list li')?.dataset.push;
		$('stream-list').replaceChildren(...all.map((p) => this.#row(p)));
		if (focused)
			($('stream-list').querySelector(`[data-push="${focused}"] button`) ?? $('streams-title')).focus();
	}

	// What was so before is not told once more.
	pushed({ push, state, to, text }) {
		const { pushes } = this.#session, before = pushes.get(push)?.state;
		if (state === 'ended')
			pushes.delete(push);
		else
			pushes.set(push, { push, state, to, text: text ?? '' });
		const key = { live: 'streamLiveNow', retrying: before === 'live' && 'streamRetriesNow', failed: 'streamFailedNow' }[state];
		if (key && before && before !== state)
			this.#notice({ key, values: { to, why: text ?? '' } });
		this.show(this.#session);
	}

	#row({ push, state, to, text }) {
		const li = document.createElement('li');
		const who = document.createElement('span'), address = document.createElement('span'), now = document.createElement('small');
		const stop = document.createElement('button');
		const failed = state === 'failed', act = t(failed ? 'streamForget' : 'streamStop');
		li.dataset.push = push;
		who.className = 'where';
		address.textContent = to;
		now.textContent = failed && text ? `${t('streamFailed')}: ${text}` : t(STATES[state] ?? 'streamConnecting');
		who.append(address, now);
		stop.className = 'secondary';
		stop.type = 'button';
		stop.textContent = act;
		stop.setAttribute('aria-label', `${act}: ${to}`);
		stop.onclick = () => this.#stop(push, to, failed);
		li.append(icon('onAir'), who, stop);
		return li;
	}

	#path(push) { return `rooms/${encodeURIComponent(this.#session.room)}/pushes${push ? `/${push}` : ''}`; }

	async #start() {
		const url = $('stream-to').value.trim();
		if (!url)
			return $('stream-to').focus();
		this.#say(null);
		$('stream-start').disabled = true;
		try {
			const { id, state, to, text } = await this.#account.ask('POST', this.#path(), { url });
			$('stream-to').value = '';
			this.pushed({ push: id, state, to, text });
		} catch (e) {
			this.#refused(e);
		} finally {
			$('stream-start').disabled = false;
		}
	}

	async #stop(push, to, failed) {
		if (!failed && !await confirm({ title: 'streamStopTitle', text: 'streamStopAsk', yes: 'streamStop', values: { to } }))
			return;
		try {
			await this.#account.ask('DELETE', this.#path(push));
			if (failed) // nobody tells of it
				this.pushed({ push, state: 'ended' });
		} catch (e) {
			this.#refused(e);
		}
	}

	#refused(e) {
		if (['token_invalid', 'token_expired', 'unauthorized'].includes(e.code))
			this.#account.forget();
		this.#say(e.code === 'not_allowed' ? { key: 'streamNotAllowed' } : told(e.code, e.message));
	}

	async #copy() {
		$('stream-watch').select();
		if (await navigator.clipboard?.writeText($('stream-watch').value).then(() => true, () => false)) {
			$('streams').close();
			this.#notice({ key: 'streamCopied' });
		}
	}

	#showAccount() {
		const out = !this.#account.user;
		$('stream-out').hidden = !out;
		$('stream-servers').hidden = out;
	}

	#say(message) {
		this.#error = message;
		$('stream-error').textContent = read(message);
	}
}

// Tokens of programs: made, shown once, listed, revoked.
import { confirm } from './dialogs.js';
import { language, read, t, told } from './words.js';

const $ = (id) => document.getElementById(id);

const SCOPES = ['rooms:read', 'rooms:write', 'recordings:read', 'recordings:write', 'users:read', 'users:write', 'stats:read',
	'calls:read', 'calls:dial', 'playback', 'broadcast', 'server:read', 'server:write', 'join'];
const key = (scope) => `scope_${scope.replace(':', '_')}`;
const when = (ms) => ms === null ? t('tokenNever') : new Date(ms).toLocaleString(language(), { dateStyle: 'medium', timeStyle: 'short' });

export class TokenList {
	#account; #failed; #done; #tokens = []; #error = null;

	constructor(account, failed, done) {
		this.#account = account;
		this.#failed = failed;
		this.#done = done;
		$('token-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#make();
		});
		$('token-copy').onclick = () => this.#copy();
		for (const scope of SCOPES) {
			const label = document.createElement('label'), box = document.createElement('input'), word = document.createElement('span');
			label.className = 'check';
			box.type = 'checkbox';
			box.value = scope;
			word.dataset.t = key(scope);
			word.textContent = t(key(scope));
			label.append(box, word);
			$('token-scopes').append(label);
		}
	}

	async start() {
		this.clear();
		try {
			this.#tokens = await this.#account.all('tokens');
		} catch (e) {
			this.#failed(e);
		}
		this.draw();
	}

	// Where the browser gives no clipboard (no https), it is selected to be copied by hand.
	async #copy() {
		getSelection().selectAllChildren($('token-text'));
		if (await navigator.clipboard?.writeText($('token-text').textContent).then(() => true, () => false))
			this.#done({ key: 'tokenCopied' });
	}

	async #make() {
		const scopes = [...$('token-scopes').querySelectorAll('input:checked')].map((i) => i.value);
		const days = $('token-days').valueAsNumber;
		this.#say(scopes.length ? null : { key: 'tokenNoScope' });
		if (!scopes.length)
			return;
		try {
			const made = await this.#account.ask('POST', 'tokens', { name: $('token-name').value.trim(), scopes, ...(days > 0 && { expires_days: days }) });
			$('token-form').reset();
			this.#tokens.push(made);
			this.draw();
			$('token-text').textContent = made.token;
			$('token-made').hidden = false;
		} catch (e) {
			this.#say(told(e.code, e.message));
		}
	}

	async #revoke(token) {
		if (!await confirm({ title: 'tokenRevoke', text: 'tokenRevokeAsk', yes: 'tokenRevoke', values: { name: token.name } }))
			return;
		try {
			await this.#account.ask('DELETE', `tokens/${token.id}`);
			this.#tokens = this.#tokens.filter((x) => x !== token);
			this.draw();
		} catch (e) {
			this.#failed(e);
		}
	}

	#say(message) {
		this.#error = message;
		$('token-error').textContent = read(message);
	}

	clear() {
		$('token-made').hidden = true;
		$('token-text').textContent = '';
		this.#tokens = [];
	}

	draw() {
		const head = document.createElement('tr');
		for (const word of ['tokenName', 'tokenOwner', 'tokenScopes', 'tokenExpires', 'tokenUsed', 'tokenRevoke']) {
			const th = document.createElement('th');
			th.scope = 'col';
			th.textContent = t(word);
			head.append(th);
		}
		const rows = this.#tokens.map((token) => {
			const tr = document.createElement('tr'), button = document.createElement('button'), name = document.createElement('th');
			name.scope = 'row';
			name.textContent = token.name;
			const cells = [token.user, token.scopes.join(', '), when(token.expires_at), when(token.used_ms)].map((text, i) => {
				const td = document.createElement('td');
				td.textContent = text;
				td.classList.toggle('scopes', i === 1);
				return td;
			});
			const last = document.createElement('td');
			button.type = 'button';
			button.className = 'secondary';
			button.textContent = t('tokenRevoke');
			button.setAttribute('aria-label', t('tokenRevokeThis', { name: token.name }));
			button.onclick = () => this.#revoke(token);
			last.append(button);
			tr.append(name, ...cells, last);
			return tr;
		});
		const top = document.createElement('thead'), body = document.createElement('tbody');
		top.append(head);
		body.append(...rows);
		$('token-list').replaceChildren(top, body);
		$('token-list').parentElement.hidden = !rows.length;
		$('no-tokens').hidden = rows.length > 0;
		this.#say(this.#error);
	}
}

// Accounts: made, changed, deleted by administrators.
import { button, changed, narrowed, row, why } from './admin_parts.js';
import { confirm } from './dialogs.js';
import { language, read, t } from './words.js';

const $ = (id) => document.getElementById(id);
const ROLES = { admin: 'roleAdmin', host: 'roleHost', participant: 'roleParticipant' };
const path = (name) => `users/${encodeURIComponent(name)}`;

export class Users {
	#account; #failed; #done; #rows = null; #form = $('user-form'); #was = null; #error = null;

	constructor(account, failed, done) {
		this.#account = account;
		this.#failed = failed;
		this.#done = done;
		$('users-find').addEventListener('input', () => this.draw());
		$('user-add').onclick = () => this.#open(null);
		this.#form.addEventListener('submit', (e) => {
			e.preventDefault();
			this.#save();
		});
	}

	async start() {
		try {
			this.#rows = await this.#account.all('users');
		} catch (e) {
			this.#failed(e);
		}
		this.draw();
	}

	clear() { this.#rows = null; }

	draw() {
		if (!this.#rows)
			return;
		const shown = narrowed($('users-find'), this.#rows, (u) => `${u.name} ${u.display_name}`);
		$('user-list').replaceChildren(...shown.map((u) => {
			const own = u.name === this.#account.user?.name;
			const since = new Date(u.created_ms).toLocaleDateString(language(), { dateStyle: 'medium' });
			return row(u.name, [u.display_name === u.name ? '' : u.display_name,
				[t(ROLES[u.role]), t('userSince', { date: since }), own && t('you')].filter(Boolean).join(' · ')],
			button('edit', 'change', u.name, () => this.#open(u)),
			...own ? [] : [button('bin', 'deleteRecording', u.name, () => this.#remove(u))]);
		}));
		this.#say(this.#error);
	}

	#open(user) {
		const { elements } = this.#form;
		this.#was = user;
		this.#form.reset();
		this.#say(null);
		$('user-dialog-title').textContent = user ? user.name : t('userAdd');
		elements.name.closest('label').hidden = elements.name.disabled = !!user;
		elements.role.value = user?.role ?? 'participant';
		elements.display_name.value = user && user.display_name !== user.name ? user.display_name : '';
		elements.password.required = !user;
		$('user-password-hint').hidden = !user;
		$('user-dialog').showModal();
		(user ? elements.display_name : elements.name).focus();
	}

	async #save() {
		const { elements } = this.#form, was = this.#was;
		const name = was?.name ?? elements.name.value.trim();
		const now = { role: elements.role.value, display_name: elements.display_name.value.trim() };
		const body = was ? changed(now, { role: was.role, display_name: was.display_name === was.name ? '' : was.display_name }) : { ...now, name };
		if (elements.password.value)
			body.password = elements.password.value;
		this.#say(null);
		$('user-save').disabled = true;
		try {
			await this.#account.ask(was ? 'PUT' : 'POST', was ? path(name) : 'users', body);
			$('user-dialog').close();
			this.#done({ key: 'adminSaved', values: { name } });
			await this.start();
		} catch (e) {
			this.#say(why(e));
		} finally {
			$('user-save').disabled = false;
		}
	}

	async #remove({ name }) {
		if (!await confirm({ title: 'userDelete', text: 'userDeleteAsk', yes: 'deleteRecording', values: { name } }))
			return;
		try {
			await this.#account.ask('DELETE', path(name));
			this.#done({ key: 'adminDeleted', values: { name } });
		} catch (e) {
			this.#failed(e);
		}
		await this.start();
	}

	#say(message) {
		this.#error = message;
		$('user-error').textContent = read(message);
	}
}

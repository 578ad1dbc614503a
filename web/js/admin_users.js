// Accounts: made, changed, deleted by administrators.
import { NamedList } from './admin_named.js';
import { changed, narrowed, row } from './admin_parts.js';
import { language, t } from './words.js';

const $ = (id) => document.getElementById(id);
const ROLES = { admin: 'roleAdmin', host: 'roleHost', participant: 'roleParticipant' };
const shownName = (user) => user.display_name === user.name ? '' : user.display_name;

export class Users extends NamedList {
	constructor(...who) {
		super('user', { add: 'userAdd', remove: 'userDelete', ask: 'userDeleteAsk' }, ...who);
		$('users-find').addEventListener('input', () => this.draw());
	}

	drawRows() {
		const shown = narrowed($('users-find'), this.rows, (u) => `${u.name} ${u.display_name}`);
		$('user-list').replaceChildren(...shown.map((u) => {
			const own = u.name === this.account.user?.name;
			const since = new Date(u.created_ms).toLocaleDateString(language(), { dateStyle: 'medium' });
			return row(u.name, [shownName(u), [t(ROLES[u.role]), t('userSince', { date: since }), own && t('you')].filter(Boolean).join(' · ')],
				this.changeButton(u), ...own ? [] : [this.removeButton(u)]);
		}));
	}

	fill(user) {
		const { elements } = this.form;
		elements.role.value = user?.role ?? 'participant';
		elements.display_name.value = user ? shownName(user) : '';
		elements.password.required = !user;
		$('user-password-hint').hidden = !user;
		return elements.display_name;
	}

	async write(user, name) {
		const { elements } = this.form;
		const now = { role: elements.role.value, display_name: elements.display_name.value.trim() };
		const body = user ? changed(now, { role: user.role, display_name: shownName(user) }) : { ...now, name };
		if (elements.password.value)
			body.password = elements.password.value;
		await this.account.ask(user ? 'PUT' : 'POST', user ? this.path(name) : 'users', body);
	}
}

// One's own password.
import { told, read } from './words.js';

const $ = (id) => document.getElementById(id);

export class OwnPassword {
	#account; #done; #error = null;

	constructor(account, done) {
		this.#account = account;
		this.#done = done;
		$('own-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#save();
		});
	}

	async #save() {
		const { old_password, password, again } = $('own-form').elements;
		if (password.value !== again.value)
			return this.#say({ key: 'passwordsDiffer' });
		this.#say(null);
		try {
			await this.#account.changePassword(old_password.value, password.value);
			$('own-form').reset();
			this.#done({ key: 'passwordChanged' });
		} catch (e) {
			this.#say(e.code === 'sign_in_wrong' ? { key: 'passwordWrong' } : told(e.code, e.message));
		}
	}

	draw() { this.#say(this.#error); }

	#say(message) {
		this.#error = message;
		$('own-error').textContent = read(message);
	}
}

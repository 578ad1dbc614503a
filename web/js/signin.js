// The dialog that asks for name and password.
import { changes, read, told } from './words.js';

const $ = (id) => document.getElementById(id);

export class SignIn {
	#account; #error = null; #done = () => {};

	constructor(account) {
		this.#account = account;
		$('account-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#submit();
		});
		changes.addEventListener('change', () => this.#say(this.#error));
	}

	// done: called when somebody has signed in; why: a message, if it is not by wish.
	open(done = () => {}, why = null) {
		this.#done = done;
		$('password').value = '';
		this.#say(why);
		$('account').showModal();
		$($('user').value ? 'password' : 'user').focus();
	}

	async #submit() {
		$('account-go').disabled = true;
		this.#say(null);
		try {
			await this.#account.signIn($('user').value.trim(), $('password').value);
			$('account').close();
			this.#done();
		} catch (e) {
			this.#say(['unreachable', 'rate_limited'].includes(e.code) ? told(e.code, e.message) : { key: 'signInWrong' });
			$('password').select();
		} finally {
			$('account-go').disabled = false;
		}
	}

	#say(message) {
		this.#error = message;
		$('account-error').textContent = read(message);
	}
}

// A list of things that have names, and the dialog in which one is made or changed. What
// they are is of those who extend it: drawRows() shows the rows, fill(it) the dialog, write(it)
// sends what the dialog says.
import { button, why } from './admin_parts.js';
import { confirm } from './dialogs.js';
import { read, t } from './words.js';

const $ = (id) => document.getElementById(id);

export class NamedList {
	rows = null; #failed; #done; #words; #kind; #was = null; #error = null;

	// kind: what its elements begin with, and in the plural its address; words: add, remove, ask.
	constructor(kind, words, account, failed, done) {
		this.account = account;
		this.form = $(`${kind}-form`);
		this.#kind = kind;
		this.#words = words;
		this.#failed = failed;
		this.#done = done;
		$(`${kind}-add`).onclick = () => this.#open(null);
		this.form.addEventListener('submit', (e) => {
			e.preventDefault();
			this.#save();
		});
	}

	path(name) { return `${this.#kind}s/${encodeURIComponent(name)}`; }

	async start() {
		try {
			this.rows = await this.account.all(`${this.#kind}s`);
		} catch (e) {
			this.#failed(e);
		}
		this.draw();
	}

	clear() { this.rows = null; }

	// Also when the language has changed.
	draw() {
		if (!this.rows)
			return;
		this.drawRows();
		this.#say(this.#error);
	}

	changeButton(it) { return button('edit', 'change', it.name, () => this.#open(it)); }

	removeButton(it) { return button('bin', 'deleteRecording', it.name, () => this.#remove(it)); }

	#open(it) {
		const { elements } = this.form;
		this.#was = it;
		this.form.reset();
		this.#say(null);
		$(`${this.#kind}-dialog-title`).textContent = it ? it.name : t(this.#words.add);
		elements.name.closest('label').hidden = elements.name.disabled = !!it;
		const first = this.fill(it);
		$(`${this.#kind}-dialog`).showModal();
		(it ? first : elements.name).focus();
	}

	async #save() {
		const save = this.form.querySelector('[type=submit]');
		const name = this.#was?.name ?? this.form.elements.name.value.trim();
		this.#say(null);
		save.disabled = true;
		try {
			const refused = await this.write(this.#was, name);
			if (refused)
				return this.#say(refused);
			$(`${this.#kind}-dialog`).close();
			this.#done({ key: 'adminSaved', values: { name } });
			await this.start();
		} catch (e) {
			this.#say(why(e));
		} finally {
			save.disabled = false;
		}
	}

	async #remove({ name }) {
		if (!await confirm({ title: this.#words.remove, text: this.#words.ask, yes: 'deleteRecording', values: { name } }))
			return;
		try {
			await this.account.ask('DELETE', this.path(name));
			this.#done({ key: 'adminDeleted', values: { name } });
		} catch (e) {
			this.#failed(e);
		}
		await this.start();
	}

	#say(message) {
		this.#error = message;
		$(`${this.#kind}-error`).textContent = read(message);
	}
}

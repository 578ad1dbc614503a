// Templates: settings that rooms take over, by wish or by their name.
import { button, row, why } from './admin_parts.js';
import { RuleFields } from './admin_rules.js';
import { confirm } from './dialogs.js';
import { read, t } from './words.js';

const $ = (id) => document.getElementById(id);
const WORDS = { members_only: 'membersOnly', lobby: 'useLobby', locked: 'lockedChip', stereo: 'stereoSound' };
const RECORD = { hosts: 'recordHosts', all: 'recordAll', nobody: 'recordNobody', auto: 'recordAuto' };
const path = (name) => `templates/${encodeURIComponent(name)}`;

// What is different with it, in words.
function summary(s) {
	const words = Object.keys(WORDS).filter((k) => s[k]).map((k) => t(WORDS[k]));
	if (s.unmute === false)
		words.push(t('muteOnly'));
	if (s.max_participants)
		words.push(t('atMost', { n: s.max_participants }));
	if (s.record)
		words.push(`${t('whoRecords')}: ${t(RECORD[s.record])}`);
	return words.join(' · ');
}

export class Templates {
	#account; #failed; #done; #rows = null; #rules; #form = $('template-form'); #was = null; #error = null;

	constructor(account, failed, done) {
		this.#account = account;
		this.#failed = failed;
		this.#done = done;
		this.#rules = new RuleFields(this.#form);
		$('template-add').onclick = () => this.#open(null);
		this.#form.addEventListener('submit', (e) => {
			e.preventDefault();
			this.#save();
		});
	}

	async start() {
		try {
			this.#rows = await this.#account.all('templates');
		} catch (e) {
			this.#failed(e);
		}
		this.draw();
	}

	clear() { this.#rows = null; }

	draw() {
		if (!this.#rows)
			return;
		$('template-list').replaceChildren(...this.#rows.map((x) => row(x.name,
			[x.settings.title, x.pattern ? t('patternIs', { pattern: x.pattern }) : '', summary(x.settings)],
			button('edit', 'change', x.name, () => this.#open(x)),
			button('bin', 'deleteRecording', x.name, () => this.#remove(x)))));
		$('no-templates').hidden = this.#rows.length > 0;
		this.#say(this.#error);
	}

	#open(template) {
		const { elements } = this.#form;
		this.#was = template;
		this.#form.reset();
		this.#say(null);
		$('template-dialog-title').textContent = template ? template.name : t('templateAdd');
		elements.name.closest('label').hidden = $('template-name-hint').hidden = elements.name.disabled = !!template;
		elements.pattern.value = template?.pattern ?? '';
		this.#rules.set(template?.settings ?? {});
		$('template-dialog').showModal();
		(template ? elements.pattern : elements.name).focus();
	}

	async #save() {
		const { elements } = this.#form;
		const name = this.#was?.name ?? elements.name.value.trim();
		this.#say(null);
		if (!this.#was && this.#rows.some((x) => x.name === name))
			return this.#say({ key: 'templateExists', values: { name } });
		try {
			await this.#account.ask('PUT', path(name), { pattern: elements.pattern.value.trim(), settings: this.#rules.get() });
			$('template-dialog').close();
			this.#done({ key: 'adminSaved', values: { name } });
			await this.start();
		} catch (e) {
			this.#say(why(e));
		}
	}

	async #remove({ name }) {
		if (!await confirm({ title: 'templateDelete', text: 'templateDeleteAsk', yes: 'deleteRecording', values: { name } }))
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
		$('template-error').textContent = read(message);
	}
}

// Templates: settings that rooms take over, by wish or by their name.
import { NamedList } from './admin_named.js';
import { row } from './admin_parts.js';
import { RuleFields } from './admin_rules.js';
import { t } from './words.js';

const $ = (id) => document.getElementById(id);
const WORDS = { members_only: 'membersOnly', lobby: 'useLobby', locked: 'lockedChip', stereo: 'stereoSound' };
const RECORD = { hosts: 'recordHosts', all: 'recordAll', nobody: 'recordNobody', auto: 'recordAuto' };

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

export class Templates extends NamedList {
	#rules;

	constructor(...who) {
		super('template', { add: 'templateAdd', remove: 'templateDelete', ask: 'templateDeleteAsk' }, ...who);
		this.#rules = new RuleFields(this.form);
	}

	drawRows() {
		$('template-list').replaceChildren(...this.rows.map((x) => row(x.name,
			[x.settings.title, x.pattern ? t('patternIs', { pattern: x.pattern }) : '', summary(x.settings)],
			this.changeButton(x), this.removeButton(x))));
		$('no-templates').hidden = this.rows.length > 0;
	}

	fill(template) {
		const { pattern } = this.form.elements;
		$('template-name-hint').hidden = !!template;
		pattern.value = template?.pattern ?? '';
		this.#rules.set(template?.settings ?? {});
		return pattern;
	}

	async write(template, name) {
		if (!template && this.rows.some((x) => x.name === name))
			return { key: 'templateExists', values: { name } };
		await this.account.ask('PUT', this.path(name), { pattern: this.form.elements.pattern.value.trim(), settings: this.#rules.get() });
		return null;
	}
}

// The settings that rooms and templates have in common, as fields of a form. Nothing
// chosen is as the server is configured.
import { dressAll } from './words.js';

const SWITCHES = ['members_only', 'lobby', 'locked', 'unmute', 'stereo'];
const NUMBERS = ['max_participants', 'auto_people'];

export class RuleFields {
	#form;

	constructor(form) {
		this.#form = form;
		const place = form.querySelector('.rules');
		place.append(document.importNode(document.getElementById('rules-fields').content, true));
		dressAll(place);
		form.elements.record.addEventListener('change', () => this.#show());
	}

	#show() {
		const { record, auto_people } = this.#form.elements;
		auto_people.closest('label').hidden = record.value !== 'auto';
	}

	set(rules) {
		const { elements } = this.#form;
		elements.title.value = rules.title ?? '';
		elements.record.value = rules.record ?? '';
		for (const name of SWITCHES)
			elements[name].checked = rules[name] ?? name === 'unmute';
		for (const name of NUMBERS)
			elements[name].value = rules[name] || '';
		this.#show();
	}

	get() {
		const { elements } = this.#form;
		return {
			title: elements.title.value.trim(),
			...(elements.record.value && { record: elements.record.value }),
			...Object.fromEntries(SWITCHES.map((name) => [name, elements[name].checked])),
			...Object.fromEntries(NUMBERS.map((name) => [name, elements[name].valueAsNumber || 0])),
		};
	}
}

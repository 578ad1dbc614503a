// What a person reads, in the language chosen: by key, from en.js or ko.js. An
// element names its words in data attributes: data-t (its text), data-label (its
// name, where it has an icon only), data-hint (its placeholder), data-icon.
import { icon, labelled } from './icons.js';
import { recall, remember } from './store.js';

export const LANGUAGES = { en: 'English', ko: '한국어' };
export const changes = new EventTarget(); // `change`: the language is another one
let words = {};

export const language = () => document.documentElement.lang;

// The language chosen here before, or the browser's.
export function preferred() {
	const wanted = [recall('language'), ...(navigator.languages ?? [navigator.language ?? ''])];
	return wanted.map((l) => l.slice(0, 2).toLowerCase()).find((l) => Object.hasOwn(LANGUAGES, l)) ?? 'en';
}

export async function speak(lang) {
	words = (await import(`./${lang}.js`)).default;
	document.documentElement.lang = lang;
	dressAll(document);
	changes.dispatchEvent(new Event('change'));
}

export function choose(lang) {
	remember('language', lang);
	return speak(lang);
}

export const known = (key) => Object.hasOwn(words, key);

export function t(key, values = {}) {
	return (words[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

// A message is {key, values} or, from elsewhere, {text}.
export const read = (message) => message ? message.text ?? t(message.key, message.values) : '';

// What a code of the server means; its own sentence when the code is a new one.
export const told = (code, text) => known(`code_${code}`) ? { key: `code_${code}` } : { text: text || code };

export const clock = (ms) => new Date(ms).toLocaleTimeString(language(), { hour: '2-digit', minute: '2-digit' });

// Gives an element its words and its icon.
export function dress(element) {
	const { t: text, label, hint, icon: name } = element.dataset;
	if (text && name)
		labelled(element, name, t(text));
	else if (text)
		element.textContent = t(text);
	else if (name)
		element.replaceChildren(icon(name));
	if (hint)
		element.placeholder = t(hint);
	if (label) {
		element.setAttribute('aria-label', t(label));
		if (name)
			element.title = t(label);
	}
}

// The same with another icon or other words, if they are not there already.
export function redress(element, changed) {
	if (Object.entries(changed).every(([k, v]) => element.dataset[k] === v))
		return;
	Object.assign(element.dataset, changed);
	dress(element);
}

export function dressAll(root) {
	for (const e of root.querySelectorAll('[data-t], [data-label], [data-hint], [data-icon]'))
		dress(e);
}

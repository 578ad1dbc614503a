// What the parts of the page of administrators have in common: rows of a list with
// buttons, and words for what the server refuses.
import { dress, t, told } from './words.js';

export function element(tag, cls, ...children) {
	const e = document.createElement(tag);
	if (cls)
		e.className = cls;
	e.append(...children);
	return e;
}

// A button with an icon and a word; name: what it acts on, for those who only hear it.
export function button(icon, key, name, press, cls = 'secondary') {
	const b = element('button', cls);
	b.type = 'button';
	Object.assign(b.dataset, { icon, t: key });
	dress(b);
	b.setAttribute('aria-label', `${t(key)}: ${name}`);
	b.onclick = press;
	return b;
}

// One line of a list: what it is called, what there is to know, what can be done.
export function row(title, facts, ...acts) {
	const words = element('div', 'words', typeof title === 'string' ? element('b', '', title) : title);
	for (const fact of facts.filter(Boolean))
		words.append(typeof fact === 'string' ? element('p', 'dim', fact) : fact);
	return element('li', '', words, element('div', 'acts', ...acts));
}

// What somebody types narrows a long list; shown only where it is one.
export const LONG = 8;
export function narrowed(input, rows, textOf) {
	input.hidden = rows.length <= LONG;
	const wanted = input.hidden ? '' : input.value.trim().toLocaleLowerCase();
	return wanted ? rows.filter((r) => textOf(r).toLocaleLowerCase().includes(wanted)) : rows;
}

const MEANT = { not_found: 'adminGone', room_unknown: 'adminGone', not_allowed: 'adminNotAllowed', name_invalid: 'adminNameInvalid' };

// A refusal as a message. In a page of lists some codes mean something else than in a room.
export const why = (e) => Object.hasOwn(MEANT, e.code) ? { key: MEANT[e.code] } : told(e.code, e.message);

export const zoneHere = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

// Only what is another one now.
export const changed = (now, before) => Object.fromEntries(Object.entries(now).filter(([k, v]) => v !== before[k]));

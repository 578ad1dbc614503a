// Keyboard shortcuts of the room: single letters, not while somebody types, and
// the space bar held to talk while muted.
import { anyOpen } from './dialogs.js';
import { changes, t } from './words.js';

const TYPING = 'input, textarea, select, [contenteditable]';
const PRESSED_BY_SPACE = `${TYPING}, button, a, summary, [role=tab]`;
const LISTED = { M: 'keyMute', V: 'keyCamera', H: 'keyHand', C: 'keyChat', P: 'keyPeople', F: 'keyFull', '?': 'keyHelp' };

// The letter of the key whatever the input method (a Korean keyboard says ㅡ).
function letter(e) {
	if (/^[a-z]$/i.test(e.key))
		return e.key.toUpperCase();
	return e.key === '?' ? '?' : e.code.startsWith('Key') ? e.code.slice(3) : '';
}

// actions: by letter; talk(true, false): hold and release. Only while active().
export function listen(actions, talk, active) {
	let talking = false;
	const release = () => {
		if (talking)
			talk(false);
		talking = false;
	};
	addEventListener('keydown', (e) => {
		if (!active() || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || anyOpen())
			return;
		if (e.code === 'Space' && talking)
			return e.preventDefault();
		if (e.code === 'Space' && !e.repeat && !e.target.closest?.(PRESSED_BY_SPACE)) {
			e.preventDefault();
			talking = talk(true);
			return;
		}
		const action = !e.repeat && !e.target.closest?.(TYPING) && actions[letter(e)];
		if (!action)
			return;
		e.preventDefault();
		action();
	});
	addEventListener('keyup', (e) => {
		if (e.code === 'Space')
			release();
	});
	addEventListener('blur', release);
}

// The list of them, for the help.
export function list(body) {
	const show = () => {
		const rows = [...Object.entries(LISTED), [t('space'), 'keySpace'], ['Esc', 'keyEscape']];
		body.replaceChildren(...rows.map(([key, words]) => {
			const tr = document.createElement('tr'), th = document.createElement('th'), td = document.createElement('td');
			const kbd = document.createElement('kbd');
			kbd.textContent = key;
			th.scope = 'row';
			th.append(kbd);
			td.textContent = t(words);
			tr.append(th, td);
			return tr;
		}));
	};
	changes.addEventListener('change', show);
	show();
}

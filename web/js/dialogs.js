// What all dialogs have in common: <dialog> keeps the focus inside and gives it
// back; a button of class `shut`, Escape, or a press beside it closes it.
import { redress, t } from './words.js';

const $ = (id) => document.getElementById(id);

export function prepare() {
	for (const dialog of document.querySelectorAll('dialog')) {
		dialog.addEventListener('click', (e) => {
			const box = dialog.getBoundingClientRect();
			const beside = e.target === dialog && e.detail
				&& (e.clientX < box.left || e.clientX > box.right || e.clientY < box.top || e.clientY > box.bottom);
			if (beside || e.target.closest('.shut'))
				dialog.close();
		});
	}
}

export const anyOpen = () => !!document.querySelector('dialog[open]');

export function closeAll() {
	for (const dialog of document.querySelectorAll('dialog[open]'))
		dialog.close();
}

// Asks before something that cannot be taken back; keys of the words.
export function confirm({ title, text, yes, values }) {
	const dialog = $('confirm');
	$('confirm-title').textContent = t(title, values);
	$('confirm-text').textContent = t(text, values);
	redress($('confirm-yes'), { t: yes });
	return new Promise((resolve) => {
		let answer = false;
		$('confirm-yes').onclick = () => {
			answer = true;
			dialog.close();
		};
		dialog.addEventListener('close', () => resolve(answer), { once: true });
		dialog.showModal();
		$('confirm-no').focus();
	});
}

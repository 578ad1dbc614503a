// The settings dialog: devices, sound as it is, a smaller picture, one without oneself or none, language, colours.
import { bindSelect } from './devices.js';
import { recall, remember } from './store.js';
import { LANGUAGES, changes, choose, language, t } from './words.js';

const $ = (id) => document.getElementById(id);

// What one wants to get, as it is remembered now.
const wishes = { saver: 'saver', 'hide-self': 'hideSelf', 'sound-only': 'soundOnly' };
export function show() {
	for (const [id, key] of Object.entries(wishes))
		$(id).checked = recall(key) === 'yes';
}

// changed(kind): another device is open now. wished(): one wants to get something else.
export function prepare(devices, changed, wished) {
	bindSelect($('room-mic'), devices, 'audio', changed);
	bindSelect($('room-camera'), devices, 'video', changed);
	bindSelect($('room-speaker'), devices, 'output');
	const problem = () => { $('device-note').textContent = devices.problem && t(devices.problem); };
	devices.addEventListener('change', problem);
	changes.addEventListener('change', problem);
	$('original').checked = devices.original;
	$('original').onchange = async () => {
		await devices.setOriginal($('original').checked);
		changed('audio');
	};
	show();
	for (const [id, key] of Object.entries(wishes))
		$(id).onchange = () => {
			remember(key, $(id).checked ? 'yes' : '');
			wished();
		};
	$('picture-on').onclick = () => $('sound-only').click();
	$('room-language').replaceChildren(...Object.entries(LANGUAGES).map(([id, name]) => Object.assign(new Option(name, id), { lang: id })));
	$('room-language').onchange = () => choose($('room-language').value);
	$('theme').value = recall('theme') || 'auto';
	$('theme').onchange = () => {
		const { value } = $('theme');
		remember('theme', value);
		if (value === 'auto')
			delete document.documentElement.dataset.theme;
		else
			document.documentElement.dataset.theme = value;
	};
}

export function open() {
	$('room-language').value = language();
	$('settings').showModal();
}

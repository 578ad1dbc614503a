// The settings dialog: devices, sound as it is, a smaller picture, one without oneself or none, language, colours.
import { bindSelect } from './devices.js';
import { recall, remember } from './store.js';
import { LANGUAGES, changes, choose, language, t } from './words.js';

const $ = (id) => document.getElementById(id);

// What one wants to get, as it is remembered now.
const wishes = { saver: 'saver', 'hide-self': 'hideSelf', 'sound-only': 'soundOnly' };
export function show(session) {
	for (const [id, key] of Object.entries(wishes))
		$(id).checked = recall(key) === 'yes';
	const views = session?.choosable ?? [], choice = $('view-choice');
	const words = views.length ? [['', t('viewByRule')], ...views.map((v) => [v, v === 'main' ? t('viewMain') : v])] : [];
	$('view-line').hidden = !words.length;
	if (JSON.stringify(words) !== JSON.stringify([...choice.options].map((o) => [o.value, o.text])))
		choice.replaceChildren(...words.map(([v, text]) => new Option(text, v)));
	choice.value = views.includes(session?.view) ? session.view : '';
}

// changed(kind): another device is open now. wished(view): one wants to get something else; view: of that name.
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
	$('view-choice').onchange = () => wished($('view-choice').value);
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

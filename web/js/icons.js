// Stroke icons of 24x24, drawn in the text's colour.
const NS = 'http://www.w3.org/2000/svg';
const MIC = 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3z M5.5 11a6.5 6.5 0 0 0 13 0 M12 17.5V21';
const CAM = 'M4.5 7h9a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 3 15.5v-7A1.5 1.5 0 0 1 4.5 7z M15 11l6-3.5v9L15 13';
const SLASH = ' M4 4l16 16';
const SCREEN = 'M4.5 4.5h15A1.5 1.5 0 0 1 21 6v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 15V6a1.5 1.5 0 0 1 1.5-1.5z M8 20.5h8';
const BARS = ['M5 20v-3', 'M10 20v-7', 'M15 20V9', 'M20 20V5'];
const paths = {
	mic: MIC,
	micOff: MIC + SLASH,
	cam: CAM,
	camOff: CAM + SLASH,
	screen: `${SCREEN} M12 13.5v-6 M9.3 10L12 7.3l2.7 2.7`,
	screenOff: `${SCREEN} M9.5 8l5 5 M14.5 8l-5 5`,
	hand: 'M8 12.5V6a1.4 1.4 0 0 1 2.8 0v5 M10.8 11V4.6a1.4 1.4 0 0 1 2.8 0V11 M13.6 11V6a1.4 1.4 0 0 1 2.8 0v7.5 M16.4 10.2a1.4 1.4 0 0 1 2.8 0v4.3c0 4-2.7 6.5-6.2 6.5-2.8 0-4.3-1.2-5.7-3.5L4.9 13.4a1.4 1.4 0 0 1 2.4-1.4L8 13',
	record: 'M4 12a8 8 0 1 0 16 0a8 8 0 1 0-16 0 M9 12a3 3 0 1 0 6 0a3 3 0 1 0-6 0',
	chat: 'M5 4.5h14A1.5 1.5 0 0 1 20.5 6v9A1.5 1.5 0 0 1 19 16.5h-7L7 20.5v-4H5A1.5 1.5 0 0 1 3.5 15V6A1.5 1.5 0 0 1 5 4.5z M8 9h8 M8 12.3h5',
	people: 'M6 8.5a3 3 0 1 0 6 0a3 3 0 1 0-6 0 M3 19c0-3.5 2.5-5.5 6-5.5s6 2 6 5.5 M15.5 5.8a3 3 0 0 1 0 5.4 M17.5 13.9c2.1.7 3.5 2.5 3.5 5.1',
	person: 'M8.5 8a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0 M5 20c0-4 3-6 7-6s7 2 7 6',
	more: 'M5 12h.01 M12 12h.01 M19 12h.01',
	leave: 'M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8 M10 12h11 M17 8l4 4-4 4',
	pause: 'M8 5v14 M16 5v14',
	film: 'M4.5 5h15A1.5 1.5 0 0 1 21 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5v-11A1.5 1.5 0 0 1 4.5 5z M10 9v6l5-3z',
	search: 'M4.5 10.5a6 6 0 1 0 12 0a6 6 0 1 0-12 0 M15 15l5 5',
	bin: 'M5 7h14 M9.5 7V4.5h5V7 M7 7l1 13h8l1-13 M10.5 11v5.5 M13.5 11v5.5',
	download: 'M12 4v10.5 M7.5 10.5L12 15l4.5-4.5 M5 20h14',
	back: 'M20 12H5 M11 6l-6 6 6 6',
	play: 'M7 4.5l12 7.5-12 7.5z',
	speaker: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z M15.5 9a4.2 4.2 0 0 1 0 6 M18 6.5a7.7 7.7 0 0 1 0 11',
	speakerOff: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z M15.5 9.5l5 5 M20.5 9.5l-5 5',
	link: 'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1 M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1',
	invite: 'M6.5 8a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0 M3 20c0-4 3-6 7-6 1.5 0 2.9.3 4 .9 M18 14v6 M15 17h6',
	full: 'M4 9V5a1 1 0 0 1 1-1h4 M15 4h4a1 1 0 0 1 1 1v4 M20 15v4a1 1 0 0 1-1 1h-4 M9 20H5a1 1 0 0 1-1-1v-4',
	settings: 'M4 7h9 M17 7h3 M13 7a2 2 0 1 0 4 0a2 2 0 1 0-4 0 M4 17h3 M11 17h9 M7 17a2 2 0 1 0 4 0a2 2 0 1 0-4 0',
	shield: 'M12 3l7 2.5v5.5c0 4.7-2.9 8.2-7 10-4.1-1.8-7-5.3-7-10V5.5z M9 12l2.2 2.2L15.3 10',
	lock: 'M6.5 11h11A1.5 1.5 0 0 1 19 12.5v6a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 18.5v-6A1.5 1.5 0 0 1 6.5 11z M8 11V8a4 4 0 0 1 8 0v3',
	grid: 'M4.5 5h6v6h-6z M13.5 5h6v6h-6z M4.5 14h6v6h-6z M13.5 14h6v6h-6z',
	help: 'M4 12a8 8 0 1 0 16 0a8 8 0 1 0-16 0 M9.8 9.8a2.3 2.3 0 1 1 3.4 2c-.8.5-1.2 1-1.2 1.9 M12 16.5h.01',
	close: 'M6 6l12 12 M18 6L6 18',
	check: 'M5 12.5l4.5 4.5L19 7.5',
	send: 'M4 11.5l16-7-5.5 16-3.5-6.5z M11 14l9-9.5',
	remove: 'M6.5 8a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0 M3 20c0-4 3-6 7-6 1.5 0 2.9.3 4 .9 M16 15l5 5 M21 15l-5 5',
	globe: 'M4 12a8 8 0 1 0 16 0a8 8 0 1 0-16 0 M4 12h16 M12 4c2.5 2.3 3.5 5 3.5 8s-1 5.7-3.5 8c-2.5-2.3-3.5-5-3.5-8s1-5.7 3.5-8z',
	add: 'M12 5v14 M5 12h14',
	clock: 'M4 12a8 8 0 1 0 16 0a8 8 0 1 0-16 0 M12 7.5V12l3 2',
	onAir: 'M10 12a2 2 0 1 0 4 0a2 2 0 1 0-4 0 M8 8a5.7 5.7 0 0 0 0 8 M16 8a5.7 5.7 0 0 1 0 8 M5.2 5.2a9.6 9.6 0 0 0 0 13.6 M18.8 5.2a9.6 9.6 0 0 1 0 13.6',
	stop: 'M6 6h12v12H6z',
	back: 'M15 5l-7 7 7 7',
	next: 'M9 5l7 7-7 7',
	loop: 'M4 12a6 6 0 0 1 6-6h9m-3-3l3 3-3 3M20 12a6 6 0 0 1-6 6H5m3 3l-3-3 3-3',
	phone: 'M5 4.5h3.5l1.7 4.3-2.2 1.6a12 12 0 0 0 5.6 5.6l1.6-2.2 4.3 1.7V19a1.5 1.5 0 0 1-1.6 1.5A16 16 0 0 1 3.5 6.1 1.5 1.5 0 0 1 5 4.5z',
	edit: 'M5 19l1-4L16 5l3 3L9 18z M14 7l3 3',
	warn: 'M12 4.5L3.5 19.5h17z M12 10.5v4 M12 17h.01',
	bars0: '', bars1: BARS[0], bars2: BARS.slice(0, 2).join(' '), bars3: BARS.slice(0, 3).join(' '), bars4: BARS.join(' '),
};

// With a title it is an image that is read out; without, an ornament.
export function icon(name, title) {
	const svg = document.createElementNS(NS, 'svg');
	svg.setAttribute('viewBox', '0 0 24 24');
	svg.setAttribute('class', `icon i-${name}`);
	svg.setAttribute('role', 'img');
	svg.setAttribute(title ? 'aria-label' : 'aria-hidden', title ?? 'true');
	if (name.startsWith('bars'))
		svg.append(path(BARS.join(' '), 'ghost'));
	svg.append(path(paths[name]));
	return svg;
}

function path(d, cls = '') {
	const p = document.createElementNS(NS, 'path');
	p.setAttribute('d', d);
	if (cls)
		p.setAttribute('class', cls);
	return p;
}

export function labelled(button, name, text) {
	const label = document.createElement('span');
	label.textContent = text;
	button.replaceChildren(icon(name), label);
}

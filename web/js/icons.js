// Stroke icons of 24x24, drawn in the text's colour.
const NS = 'http://www.w3.org/2000/svg';
const MIC = 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3z M5.5 11a6.5 6.5 0 0 0 13 0 M12 17.5V21';
const CAM = 'M4.5 7h9a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 3 15.5v-7A1.5 1.5 0 0 1 4.5 7z M15 11l6-3.5v9L15 13';
const SLASH = ' M4 4l16 16';
const paths = {
	mic: MIC,
	micOff: MIC + SLASH,
	cam: CAM,
	camOff: CAM + SLASH,
	record: 'M4 12a8 8 0 1 0 16 0a8 8 0 1 0-16 0 M9 12a3 3 0 1 0 6 0a3 3 0 1 0-6 0',
	people: 'M6 8.5a3 3 0 1 0 6 0a3 3 0 1 0-6 0 M3 19c0-3.5 2.5-5.5 6-5.5s6 2 6 5.5 M15.5 5.8a3 3 0 0 1 0 5.4 M17.5 13.9c2.1.7 3.5 2.5 3.5 5.1',
	leave: 'M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8 M10 12h11 M17 8l4 4-4 4',
	play: 'M7 4.5l12 7.5-12 7.5z',
	link: 'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1 M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1',
};

// With a title it is an image that is read out; without, an ornament.
export function icon(name, title) {
	const svg = document.createElementNS(NS, 'svg');
	const path = document.createElementNS(NS, 'path');
	svg.setAttribute('viewBox', '0 0 24 24');
	svg.setAttribute('class', `icon ${name}`);
	svg.setAttribute('role', 'img');
	svg.setAttribute(title ? 'aria-label' : 'aria-hidden', title ?? 'true');
	path.setAttribute('d', paths[name]);
	svg.append(path);
	return svg;
}

export function labelled(button, name, text) {
	const label = document.createElement('span');
	label.textContent = text;
	button.replaceChildren(icon(name), label);
}

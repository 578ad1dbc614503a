// Stroke icons of 24x24, drawn in the text's colour.
const paths = {
	mic: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11a7 7 0 0 0 14 0M12 18v3',
	micOff: 'M9 9v2a3 3 0 0 0 5 2M15 10V6a3 3 0 0 0-5.7-1.3M5 11a7 7 0 0 0 11 5.7M19 11a7 7 0 0 1-.6 2.8M12 18v3M4 4l16 16',
	cam: 'M4 7h10a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1zM15 11l6-3v8l-6-3',
	camOff: 'M8 7h6a1 1 0 0 1 1 1v5M15 11l6-3v8l-3-1.5M14 17H4a1 1 0 0 1-1-1V8c0-.4.3-.8.7-1M3 3l18 18',
	record: 'M12 12m-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0M12 12m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0',
	leave: 'M3 14c0-2 4-4 9-4s9 2 9 4v1.6c0 .6-.5 1-1.1.9l-3.6-.7a1 1 0 0 1-.8-1V13c-2.200-.6-4.800-.6-7 0v1.800a1 1 0 0 1-.8 1l-3.600.7A1 1 0 0 1 3 15.600z',
};

export function icon(name) {
	const ns = 'http://www.w3.org/2000/svg';
	const svg = document.createElementNS(ns, 'svg');
	const path = document.createElementNS(ns, 'path');
	svg.setAttribute('viewBox', '0 0 24 24');
	svg.setAttribute('aria-hidden', 'true');
	svg.setAttribute('fill', 'none');
	svg.setAttribute('stroke', 'currentColor');
	svg.setAttribute('stroke-width', '1.8');
	svg.setAttribute('stroke-linecap', 'round');
	svg.setAttribute('stroke-linejoin', 'round');
	path.setAttribute('d', paths[name]);
	svg.append(path);
	return svg;
}

export function labelled(button, name, text) {
	const label = document.createElement('span');
	label.textContent = text;
	button.replaceChildren(icon(name), label);
}

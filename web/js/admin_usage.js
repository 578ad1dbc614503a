// How much rooms were used: charts, and the same in tables.
import { language, t } from './words.js';

const $ = (id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 480, HEIGHT = 190, LEFT = 44, RIGHT = 8, TOP = 12, BOTTOM = 32;
const DAY_MS = 86400000;

const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
// A day of this time zone as 2026-11-21.
const iso = (ms) => new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit' }).format(ms);
const short = (day) => new Date(`${day}T12:00:00`).toLocaleDateString(language(), { month: 'numeric', day: 'numeric' });
const long = (day) => new Date(`${day}T12:00:00`).toLocaleDateString(language(), { dateStyle: 'medium' });
const number = (n, digits = 0) => n.toLocaleString(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
const score = (s) => s === null ? '–' : number(s, 1);

function shape(name, attributes, text) {
	const e = document.createElementNS(SVG, name);
	for (const [k, v] of Object.entries(attributes))
		e.setAttribute(k, v);
	if (text !== undefined)
		e.textContent = text;
	return e;
}

// The next larger of 1, 2, 5, 10, 20, …: a line that is easy to read.
function ceiling(most) {
	if (most <= 2)
		return 2; // half of it is a number of people too
	const unit = 10 ** Math.floor(Math.log10(most));
	return [1, 2, 5, 10].map((f) => f * unit).find((v) => v >= most);
}

// Bars, a value a day; null: nothing is known. max: of the axis.
function bars(title, days, values, { max = ceiling(Math.max(...values.map((v) => v ?? 0))), low = -Infinity, say = (v) => number(v) } = {}) {
	const figure = document.createElement('figure');
	const caption = document.createElement('figcaption');
	const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' });
	const wide = (WIDTH - LEFT - RIGHT) / days.length, high = HEIGHT - TOP - BOTTOM;
	const known = values.map((v, i) => ({ v, i })).filter(({ v }) => v !== null);
	const most = known.reduce((a, b) => b.v > (a?.v ?? -1) ? b : a, null);
	caption.textContent = title;
	svg.append(shape('title', {}, most ? t('usageChart', { title, most: say(most.v), day: long(days[most.i]) }) : title));
	for (const f of [0, 0.5, 1]) {
		const y = TOP + high * (1 - f);
		svg.append(shape('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }));
		svg.append(shape('text', { x: LEFT - 6, y: y + 4, 'text-anchor': 'end' }, number(max * f, max < 10 && max * f % 1 ? 1 : 0)));
	}
	for (const { v, i } of known) {
		const h = Math.min(v / max, 1) * high;
		const bar = shape('rect', { x: LEFT + i * wide + wide * 0.12, y: TOP + high - h, width: wide * 0.76, height: h, ...(v < low && { class: 'low' }) });
		bar.append(shape('title', {}, `${long(days[i])}: ${say(v)}`));
		svg.append(bar);
	}
	const step = Math.ceil(days.length / (innerWidth < 736 ? 5 : 8));
	days.forEach((day, i) => {
		if (i % step === 0)
			svg.append(shape('text', { x: LEFT + (i + 0.5) * wide, y: HEIGHT - 8, 'text-anchor': 'middle' }, short(day)));
	});
	figure.append(caption, svg);
	return figure;
}

function table(element, head, rows) {
	const line = (cells, kinds) => {
		const tr = document.createElement('tr');
		cells.forEach((text, i) => {
			const cell = document.createElement(kinds(i) ? 'th' : 'td');
			if (kinds(i))
				cell.scope = kinds(i);
			cell.textContent = text;
			tr.append(cell);
		});
		return tr;
	};
	const top = document.createElement('thead'), body = document.createElement('tbody');
	top.append(line(head, () => 'col'));
	body.append(...rows.map((r) => line(r, (i) => i === 0 && 'row')));
	element.replaceChildren(...element.querySelectorAll('caption'), top, body);
}

export class Usage {
	#account; #failed; #data = null;

	constructor(account, failed) {
		this.#account = account;
		this.#failed = failed;
		$('usage-to').value = iso(Date.now());
		$('usage-from').value = iso(Date.now() - 29 * DAY_MS);
		$('usage-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.start();
		});
	}

	async start() {
		if (this.#account.user?.role !== 'admin')
			return;
		const query = new URLSearchParams({ from: $('usage-from').value, to: $('usage-to').value, zone: zone() });
		const room = $('usage-room').value.trim();
		if (room)
			query.set('room', room);
		try {
			this.#data = await this.#account.ask('GET', `statistics?${query}`);
			this.draw();
		} catch (e) {
			this.#failed(e);
		}
	}

	clear() { this.#data = null; }

	draw() {
		if (!this.#data)
			return;
		const { days, rooms, total } = this.#data;
		const names = days.map((d) => d.day);
		const head = ['usageSessions', 'usageParticipants', 'usagePeak', 'usageMinutes', 'usageScore', 'usagePoor'].map((key) => t(key));
		const cells = (u) => [number(u.sessions), number(u.participants), number(u.peak), number(u.minutes), score(u.score), number(u.poor)];
		$('no-usage').hidden = total.sessions + total.participants > 0;
		$('usage-zone').textContent = t('usageZone', { zone: this.#data.zone });
		$('usage-total').replaceChildren(...head.map((word, i) => {
			const box = document.createElement('div'), dt = document.createElement('dt'), dd = document.createElement('dd');
			dt.textContent = word;
			dd.textContent = cells(total)[i];
			box.append(dt, dd);
			return box;
		}));
		$('usage-charts').replaceChildren(
			bars(t('usageParticipants'), names, days.map((d) => d.participants)),
			bars(t('usagePeak'), names, days.map((d) => d.peak)),
			bars(t('usageMinutes'), names, days.map((d) => d.minutes)),
			bars(t('usageScore'), names, days.map((d) => d.score), { max: 5, low: 3, say: score }));
		table($('usage-days'), [t('usageDay'), ...head], days.map((d) => [long(d.day), ...cells(d)]).reverse());
		table($('usage-rooms'), [t('room'), ...head], rooms.map((r) => [r.room, ...cells(r)]));
	}
}

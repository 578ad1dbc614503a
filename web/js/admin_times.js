// When rooms open and when they are recorded: their schedules, of one room or of all.
import { button, row, why, zoneHere } from './admin_parts.js';
import { confirm } from './dialogs.js';
import { changes, language, read, t } from './words.js';

const $ = (id) => document.getElementById(id);
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const MONDAY_MS = Date.UTC(2026, 0, 5); // a Monday
const DAY_MS = 86400000;
const ROOMS_ASKED = 50; // of hosts: one question each

const dayName = (i, style) => new Date(MONDAY_MS + i * DAY_MS).toLocaleDateString(language(), { weekday: style, timeZone: 'UTC' });
const date = (iso) => new Date(`${iso}T12:00:00`).toLocaleDateString(language(), { dateStyle: 'medium' });
const path = (room, id = '') => `rooms/${encodeURIComponent(room)}/schedules${id && `/${id}`}`;
// 2026-11-21 here
const today = () => new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit' }).format(Date.now());

function until(start, minutes) {
	const [h, m] = start.split(':').map(Number), end = (h * 60 + m + minutes) % 1440;
	return `${String(Math.floor(end / 60)).padStart(2, '0')}:${String(end % 60).padStart(2, '0')}`;
}

// When, in words.
function when(s) {
	const times = `${s.start}–${until(s.start, s.minutes)}`;
	const days = s.repeat === 'once' ? date(s.from) : s.repeat === 'daily' ? t('timeDaily') :
		DAYS.map((d, i) => s.weekdays.includes(d) && dayName(i, 'short')).filter(Boolean).join(', ');
	return `${days}, ${times}`;
}

function span(s) {
	const zone = s.zone === zoneHere() ? '' : s.zone;
	const days = s.repeat === 'once' ? '' : s.to ? t('timeFromTo', { from: date(s.from), to: date(s.to) }) : t('timeFrom', { date: date(s.from) });
	return [days, zone].filter(Boolean).join(' · ');
}

function state(s) {
	if (!s.enabled)
		return t('timeOff');
	if (s.now)
		return t(s.action === 'record' ? 'timeRecordsNow' : 'timeOpenNow');
	return s.next_ms === null ? t('timeOver') : t('timeNext', { date: new Date(s.next_ms).toLocaleString(language(), { dateStyle: 'medium', timeStyle: 'short' }) });
}

export class Times {
	#account; #failed; #done; #rows = null; #rooms = []; #room = ''; #form = $('time-form'); #was = null; #error = null;

	constructor(account, failed, done) {
		this.#account = account;
		this.#failed = failed;
		this.#done = done;
		this.#drawDays();
		$('zones').replaceChildren(...(Intl.supportedValuesOf?.('timeZone') ?? [zoneHere()]).map((z) => new Option('', z)));
		$('times-room').onchange = () => { location.hash = `#/times/${encodeURIComponent($('times-room').value)}`; };
		$('time-add').onclick = () => this.#open(null);
		this.#form.elements.repeat.addEventListener('change', () => this.#show());
		this.#form.addEventListener('submit', (e) => {
			e.preventDefault();
			this.#save();
		});
		changes.addEventListener('change', () => this.#drawDays());
	}

	// room: whose alone; '': of all.
	async start(room = '') {
		this.#room = room;
		try {
			this.#rooms = (await this.#account.all('rooms')).map((r) => r.name).sort((a, b) => a.localeCompare(b));
			this.#rows = await this.#ask();
		} catch (e) {
			this.#failed(e);
		}
		this.draw();
	}

	async #ask() {
		if (this.#room)
			return this.#account.all(path(this.#room), 'schedules');
		if (this.#account.user.role === 'admin')
			return this.#account.all('schedules');
		const all = await Promise.all(this.#rooms.slice(0, ROOMS_ASKED).map((r) => this.#account.all(path(r), 'schedules')));
		return all.flat();
	}

	clear() { this.#rows = null; }

	draw() {
		if (!this.#rows)
			return;
		const later = (s) => s.now ? 0 : s.enabled && s.next_ms !== null ? s.next_ms : Infinity;
		const names = this.#rooms.includes(this.#room) || !this.#room ? this.#rooms : [this.#room, ...this.#rooms];
		$('times-room').replaceChildren(new Option(t('usageAllRooms'), ''), ...names.map((r) => new Option(r, r)));
		$('times-room').value = this.#room;
		$('time-list').replaceChildren(...[...this.#rows].sort((a, b) => later(a) - later(b) || a.room.localeCompare(b.room)).map((s) => this.#row(s)));
		$('no-times').hidden = this.#rows.length > 0 || !this.#rooms.length;
		$('no-times-rooms').hidden = this.#rooms.length > 0;
		$('time-add').disabled = !this.#rooms.length;
		this.#say(this.#error);
	}

	#row(s) {
		const name = `${s.room}, ${when(s)}`;
		const li = row(`${s.room}: ${t(s.action === 'record' ? 'timeRecord' : 'timeOpen')}`, [s.title, when(s), span(s), state(s)],
			button('edit', 'change', name, () => this.#open(s)),
			button('bin', 'deleteRecording', name, () => this.#remove(s)));
		li.classList.toggle('off', !s.enabled);
		return li;
	}

	/* --- the dialog ------------------------------------------------------------------ */

	#drawDays() {
		const chosen = new Set(this.#days());
		$('time-days').replaceChildren($('time-days').firstElementChild, ...DAYS.map((day, i) => {
			const label = document.createElement('label'), box = document.createElement('input'), word = document.createElement('span');
			label.className = 'check';
			Object.assign(box, { type: 'checkbox', value: day, checked: chosen.has(day) });
			word.textContent = dayName(i, 'long');
			label.append(box, word);
			return label;
		}));
	}

	#days() { return [...$('time-days').querySelectorAll('input:checked')].map((i) => i.value); }

	#show() {
		const { repeat, from, to } = this.#form.elements;
		$('time-days').hidden = repeat.value !== 'weekly';
		to.closest('label').hidden = repeat.value === 'once';
		from.previousElementSibling.textContent = t(repeat.value === 'once' ? 'usageDay' : 'usageFrom');
	}

	#open(s) {
		const { elements } = this.#form;
		this.#was = s;
		this.#form.reset();
		this.#say(null);
		$('time-dialog-title').textContent = t(s ? 'timeChange' : 'timeAdd');
		elements.room.replaceChildren(...(s ? [s.room] : this.#rooms).map((r) => new Option(r, r)));
		elements.room.value = s?.room ?? (this.#room || this.#rooms[0]);
		elements.room.disabled = !!s;
		elements.action.value = s?.action ?? 'open';
		elements.repeat.value = s?.repeat ?? 'weekly';
		elements.title.value = s?.title ?? '';
		elements.from.value = s?.from ?? today();
		elements.to.value = s?.to ?? '';
		elements.start.value = s?.start ?? '09:00';
		elements.minutes.value = s?.minutes ?? 60;
		elements.zone.value = s?.zone ?? zoneHere();
		elements.enabled.checked = s?.enabled ?? true;
		for (const box of $('time-days').querySelectorAll('input'))
			box.checked = !!s?.weekdays.includes(box.value);
		this.#show();
		$('time-dialog').showModal();
		elements.action.focus();
	}

	async #save() {
		const { elements } = this.#form, weekly = elements.repeat.value === 'weekly';
		const body = {
			title: elements.title.value.trim(), action: elements.action.value, zone: elements.zone.value.trim(), repeat: elements.repeat.value,
			...(weekly && { weekdays: this.#days() }), from: elements.from.value,
			...(elements.repeat.value !== 'once' && elements.to.value && { to: elements.to.value }),
			start: elements.start.value.slice(0, 5), minutes: elements.minutes.valueAsNumber, enabled: elements.enabled.checked,
		};
		const wrong = weekly && !body.weekdays.length ? 'timeNoDays' : body.to && body.to < body.from ? 'timeBackwards' : '';
		if (wrong)
			return this.#say({ key: wrong });
		this.#say(null);
		$('time-save').disabled = true;
		try {
			const room = elements.room.value;
			await this.#account.ask(this.#was ? 'PUT' : 'POST', path(room, this.#was?.id), body);
			$('time-dialog').close();
			this.#done({ key: 'adminSaved', values: { name: room } });
			await this.start(this.#room);
		} catch (e) {
			this.#say(why(e));
		} finally {
			$('time-save').disabled = false;
		}
	}

	async #remove(s) {
		if (!await confirm({ title: 'timeDelete', text: 'timeDeleteAsk', yes: 'deleteRecording', values: { name: `${s.room}, ${when(s)}` } }))
			return;
		try {
			await this.#account.ask('DELETE', path(s.room, s.id));
			this.#done({ key: 'adminDeleted', values: { name: s.room } });
		} catch (e) {
			this.#failed(e);
		}
		await this.start(this.#room);
	}

	#say(message) {
		this.#error = message;
		$('time-error').textContent = read(message);
	}
}

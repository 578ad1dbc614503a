// Registered rooms: for hosts their own, for administrators all. Made, changed, deleted.
import { button, changed, element, narrowed, row, why } from './admin_parts.js';
import { RuleFields } from './admin_rules.js';
import { confirm } from './dialogs.js';
import { read, t } from './words.js';

const $ = (id) => document.getElementById(id);
const RECORD = { hosts: 'recordHosts', all: 'recordAll', nobody: 'recordNobody', auto: 'recordAuto' };
const MARKS = { members_only: 'membersOnly', lobby: 'useLobby', locked: 'lockedChip' };
const PINS = ['guest_pin', 'host_pin'];
const path = (name) => `rooms/${encodeURIComponent(name)}`;

function link(key, href, name) {
	const a = element('a', '', t(key));
	a.href = href;
	a.setAttribute('aria-label', `${t(key)}: ${name}`);
	return a;
}

export class Rooms {
	#account; #failed; #done; #rooms = null; #templates = []; #rules; #form = $('room-form'); #was = null; #kept = {}; #error = null;

	constructor(account, failed, done) {
		this.#account = account;
		this.#failed = failed;
		this.#done = done;
		this.#rules = new RuleFields(this.#form);
		$('rooms-find').addEventListener('input', () => this.draw());
		$('room-add').onclick = () => this.#open(null);
		this.#form.addEventListener('submit', (e) => {
			e.preventDefault();
			this.#save();
		});
		this.#form.elements.template.addEventListener('change', () => this.#take());
	}

	async start() {
		try {
			this.#rooms = await this.#account.all('rooms');
			this.#rooms.sort((a, b) => a.name.localeCompare(b.name));
		} catch (e) {
			this.#failed(e);
		}
		this.draw();
	}

	clear() { this.#rooms = null; }

	draw() {
		if (!this.#rooms)
			return;
		const shown = narrowed($('rooms-find'), this.#rooms, (r) => `${r.name} ${r.title} ${r.owner ?? ''}`);
		$('room-list').replaceChildren(...shown.map((r) => this.#row(r)));
		$('no-rooms').hidden = this.#rooms.length > 0;
		this.#say(this.#error);
	}

	#row(r) {
		const name = link('enterRoom', `./?room=${encodeURIComponent(r.name)}`, r.name);
		name.textContent = r.name;
		const marks = Object.keys(MARKS).filter((m) => r[m]).map((m) => t(MARKS[m]));
		if (PINS.some((p) => r[p]))
			marks.push(t('pinShort'));
		const ways = element('p', 'ways', link('watch', `watch/${encodeURIComponent(r.name)}`, r.name),
			link('recordings', `recordings.html?room=${encodeURIComponent(r.name)}`, r.name));
		return row(name, [
			r.title,
			[r.owner ? t('ownerIs', { name: r.owner }) : t('ownerNobody'), r.people && t('peopleNow', { n: r.people })].filter(Boolean).join(' · '),
			[`${t('whoRecords')}: ${t(RECORD[r.record] ?? 'recordAll')}`, ...marks].join(' · '),
			ways,
		], button('clock', 'timesTitle', r.name, () => { location.hash = `#/times/${encodeURIComponent(r.name)}`; }),
		button('edit', 'change', r.name, () => this.#open(r)),
		button('bin', 'deleteRecording', r.name, () => this.#remove(r)));
	}

	/* --- the dialog ------------------------------------------------------------------ */

	async #open(room) {
		const { elements } = this.#form, admin = this.#account.user?.role === 'admin';
		this.#was = room;
		this.#kept = {};
		this.#form.reset();
		this.#say(null);
		$('room-dialog-title').textContent = room ? room.name : t('roomAdd');
		elements.name.closest('label').hidden = $('room-name-hint').hidden = !!room;
		elements.name.disabled = !!room;
		elements.owner.closest('label').hidden = !admin;
		elements.keep_days.closest('label').hidden = !admin;
		for (const pin of PINS) {
			elements[pin].placeholder = room?.[pin] ? '••••••' : '';
			elements[`no_${pin}`].closest('label').hidden = !room?.[pin];
		}
		$('room-no-pins').hidden = !room?.guest_pin && !room?.host_pin;
		this.#rules.set(room ?? {});
		elements.number.value = room?.number ?? '';
		elements.owner.value = (room ? room.owner : this.#account.user?.name) ?? '';
		$('room-dialog').showModal();
		(room ? elements.title : elements.name).focus();
		await Promise.all([this.#offer(admin), room && this.#recordings(room)]).catch((e) => this.#say(why(e)));
	}

	// Templates to take settings of, and who may own it.
	async #offer(admin) {
		const [templates, users] = await Promise.all([
			this.#account.user?.role === 'participant' ? [] : this.#account.all('templates'),
			admin ? this.#account.all('users') : []]);
		this.#templates = templates;
		this.#form.elements.template.closest('label').hidden = !templates.length;
		this.#form.elements.template.replaceChildren(new Option(t('templateNone'), ''), ...templates.map((x) => new Option(x.name, x.name)));
		$('owners').replaceChildren(...users.map((u) => new Option('', u.name)));
	}

	async #recordings(room) {
		const rules = this.#kept = await this.#account.ask('GET', `${path(room.name)}/recording-rules`);
		this.#form.elements.viewers.value = rules.viewers;
		this.#form.elements.keep_days.value = rules.keep_days < 0 ? '' : rules.keep_days;
	}

	// What the template says is shown, so that nobody has to guess.
	#take() {
		const chosen = this.#templates.find((x) => x.name === this.#form.elements.template.value);
		if (chosen)
			this.#rules.set({ ...this.#rules.get(), ...chosen.settings });
	}

	#wish() {
		const { elements } = this.#form, was = this.#was;
		const body = { ...this.#rules.get(), number: elements.number.value.trim() };
		if (this.#account.user?.role === 'admin')
			body.owner = elements.owner.value.trim() || null;
		const wish = changed(body, was ? { ...was, number: was.number ?? '' } : { title: '', number: '', owner: this.#account.user?.name });
		for (const pin of PINS)
			if (elements[pin].value || elements[`no_${pin}`].checked)
				wish[pin] = elements[pin].value.trim();
		return wish;
	}

	#recordingWish() {
		const { viewers, keep_days } = this.#form.elements;
		const before = { viewers: '', keep_days: -1, ...this.#kept };
		const now = { viewers: viewers.value };
		if (this.#account.user?.role === 'admin')
			now.keep_days = Number.isNaN(keep_days.valueAsNumber) ? -1 : keep_days.valueAsNumber;
		return changed(now, before);
	}

	async #save() {
		const name = this.#was?.name ?? this.#form.elements.name.value.trim();
		this.#say(null);
		if (!this.#was && this.#rooms.some((r) => r.name === name))
			return this.#say({ key: 'roomExists', values: { name } });
		$('room-save').disabled = true;
		try {
			await this.#account.ask('PUT', path(name), this.#wish());
			const rules = this.#recordingWish();
			if (Object.keys(rules).length)
				await this.#account.ask('PUT', `${path(name)}/recording-rules`, rules);
			$('room-dialog').close();
			this.#done({ key: 'adminSaved', values: { name } });
			await this.start();
		} catch (e) {
			this.#say(why(e));
		} finally {
			$('room-save').disabled = false;
		}
	}

	async #remove(room) {
		if (!await confirm({ title: 'roomDelete', text: 'roomDeleteAsk', yes: 'deleteRecording', values: { name: room.name } }))
			return;
		try {
			await this.#account.ask('DELETE', path(room.name));
			this.#done({ key: 'adminDeleted', values: { name: room.name } });
		} catch (e) {
			this.#failed(e);
		}
		await this.start();
	}

	#say(message) {
		this.#error = message;
		$('room-error').textContent = read(message);
	}
}

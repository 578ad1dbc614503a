// The dialog in which hosts choose how the room's picture is laid out.
import { t } from './words.js';

const $ = (id) => document.getElementById(id);
const OVERLAYS = { clock: 'layout-clock', recording_time: 'layout-recording' };

export class LayoutDialog {
	#session = null;

	constructor() {
		$('layout-form').addEventListener('submit', () => this.#save());
	}

	begin(session) { this.#session = session; }

	open() {
		const now = this.#session.layout;
		$('layout-kind').value = now.layout ?? 'grid';
		// One with regions is for programs to make; it is kept while it is chosen.
		$('layout-custom').hidden = now.layout !== 'custom';
		this.#listPeople(now.pin?.[0]);
		$('layout-crop').checked = now.fit === 'crop';
		$('layout-hide').checked = !!now.hide_no_video;
		$('layout-banner').value = now.overlays?.banner ?? '';
		for (const [member, id] of Object.entries(OVERLAYS))
			$(id).checked = !!now.overlays?.[member];
		$('layout').showModal();
	}

	#listPeople(pinned) {
		const nobody = new Option(t('pinNobody'), '');
		const people = [...this.#session.people.values()].map(({ leg, name }) => new Option(name, leg));
		$('layout-pin').replaceChildren(nobody, ...people);
		$('layout-pin').value = this.#session.people.has(pinned) ? pinned : '';
	}

	// Only what is another one now is sent.
	#save() {
		const now = this.#session.layout;
		const changed = {}, overlays = {};
		const pin = $('layout-pin').value ? [Number($('layout-pin').value)] : [];
		const fit = $('layout-crop').checked ? 'crop' : 'fit';
		if ($('layout-kind').value !== (now.layout ?? 'grid'))
			changed.layout = $('layout-kind').value;
		if ((pin[0] ?? null) !== (now.pin?.[0] ?? null))
			changed.pin = pin;
		if (fit !== (now.fit ?? 'fit'))
			changed.fit = fit;
		if ($('layout-hide').checked !== !!now.hide_no_video)
			changed.hide_no_video = $('layout-hide').checked;
		if ($('layout-banner').value.trim() !== (now.overlays?.banner ?? ''))
			overlays.banner = $('layout-banner').value.trim();
		for (const [member, id] of Object.entries(OVERLAYS))
			if ($(id).checked !== !!now.overlays?.[member])
				overlays[member] = $(id).checked;
		if (Object.keys(overlays).length)
			changed.overlays = overlays;
		if (Object.keys(changed).length)
			this.#session.arrange(changed);
	}
}

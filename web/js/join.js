// The join page: who, where, and with which devices.
import { bindSelect, meter } from './devices.js';
import { recall, remember } from './store.js';
import { words } from './words.js';

const $ = (id) => document.getElementById(id);

export class JoinPage {
	#devices; #measured = null; #stopMeter = () => {};

	// onJoin(room, name) is called when the devices are settled too.
	constructor(devices, onJoin) {
		this.#devices = devices;
		bindSelect($('mic'), devices, 'audio');
		bindSelect($('camera'), devices, 'video');
		devices.addEventListener('change', () => this.#show());
		$('room').value = new URLSearchParams(location.search).get('room') ?? '';
		$('name').value = recall('name');
		$('join-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#submit(onJoin);
		});
	}

	open(error = '') {
		$('join').hidden = false;
		$('join-error').textContent = error;
		this.waiting = '';
		document.title = 'mcu';
		this.#devices.openMissing();
		const first = ['name', 'room'].find((id) => !$(id).value);
		$(first ?? 'join-button').focus();
	}

	close() {
		$('join').hidden = true;
		this.#show();
	}

	// What the button says while it cannot be pressed; '' when it can.
	set waiting(text) {
		$('join-button').disabled = !!text;
		$('join-button').textContent = text || 'Join';
	}

	async #submit(onJoin) {
		if ($('join-button').disabled)
			return;
		const room = $('room').value.trim(), name = $('name').value.trim();
		for (const id of ['name', 'room'])
			$(id).value = $(id).value.trim();
		if (!$('join-form').reportValidity())
			return;
		remember('name', name);
		$('join-error').textContent = '';
		this.waiting = words.waiting;
		await this.#devices.settled;
		this.waiting = words.joining;
		onJoin(room, name);
	}

	#show() {
		const { tracks, busy, problem } = this.#devices;
		const open = !$('join').hidden;
		const video = open ? tracks.video : null, audio = open ? tracks.audio : null;
		if ($('preview').srcObject?.getTracks()[0] !== video) {
			$('preview').srcObject = video && new MediaStream([video]);
			if (video)
				$('preview').play().catch(() => {});
		}
		$('preview-note').textContent = busy ? words.asking : problem || (video ? '' : words.cameraOff);
		$('preview-note').classList.toggle('over', !!video);
		$('level').parentElement.hidden = !audio;
		if (this.#measured === audio)
			return;
		this.#stopMeter();
		this.#measured = audio;
		this.#stopMeter = audio ? meter(audio, (v) => { $('level').style.transform = `scaleX(${v})`; }) : () => {};
	}
}

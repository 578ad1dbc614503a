// The join page: who, where, and with which devices; before the door, waiting.
import { bindSelect, meter } from './devices.js';
import { recall, remember } from './store.js';
import { LANGUAGES, changes, choose, language, read, redress, t } from './words.js';

const $ = (id) => document.getElementById(id);
const PIN_CODES = ['pin_required', 'pin_wrong'];
const TOKEN_CODES = ['token_invalid', 'token_expired'];

export class JoinPage {
	#devices; #account; #signIn; #onJoin; #measured = null; #stopMeter = () => {};
	#error = null; #invite = '';

	// onJoin({room, name, pin, token}) is called when the devices are settled too,
	// onCancel() when a person will not wait any longer.
	constructor(devices, account, signIn, { onJoin, onCancel }) {
		this.#devices = devices;
		this.#account = account;
		this.#signIn = signIn;
		this.#onJoin = onJoin;
		bindSelect($('mic'), devices, 'audio');
		bindSelect($('camera'), devices, 'video');
		bindSelect($('speaker'), devices, 'output');
		devices.addEventListener('change', () => this.#show());
		changes.addEventListener('change', () => this.#show());
		account.addEventListener('change', () => this.#showAccount());
		const asked = new URLSearchParams(location.search);
		$('room').value = asked.get('room') ?? '';
		this.#invite = asked.get('invite') ?? '';
		$('name').value = recall('name');
		$('devices').open = innerWidth > 736; // a phone's screen is small
		$('join-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#submit();
		});
		$('room').addEventListener('input', () => this.#askPin(false)); // another room, another PIN
		$('sign-in').onclick = () => signIn.open();
		$('sign-out').onclick = () => account.signOut();
		$('language').onclick = () => choose(this.#other());
		$('lobby-leave').onclick = onCancel;
		this.#showAccount();
	}

	// error: a message, with the code of the refusal if there was one.
	open(error = null) {
		$('join').hidden = false;
		this.lobby = false;
		this.waiting = '';
		document.title = 'mcu';
		this.#devices.openMissing();
		this.#refused(error);
	}

	close() {
		$('join').hidden = true;
		this.#show();
	}

	// The door is shut until a host opens it.
	set lobby(yes) {
		$('fields').hidden = yes;
		$('lobby').hidden = !yes;
		if (yes)
			$('lobby-title').focus();
	}

	// The key of what the button says while it cannot be pressed; '' when it can.
	set waiting(key) {
		$('join-button').disabled = !!key;
		redress($('join-button'), { t: key || 'join' });
	}

	// What was entered stays; what is missing is asked for.
	#refused(error) {
		const code = error?.code;
		this.#error = error;
		if (TOKEN_CODES.includes(code)) {
			if (this.#invite) {
				this.#invite = '';
				this.#error = { key: 'inviteSpent' };
			} else {
				this.#account.forget();
			}
		}
		if (PIN_CODES.includes(code))
			this.#askPin(true);
		this.#show();
		const first = ['name', 'room'].find((id) => !$(id).value);
		if (PIN_CODES.includes(code))
			$('pin').select();
		else
			$(first ?? 'join-button').focus();
		if ((code === 'members_only' || TOKEN_CODES.includes(code)) && this.#account.available && !this.#account.user)
			this.#signIn.open(() => this.#submit(), this.#error);
	}

	#askPin(yes) {
		$('pin-field').hidden = !yes;
		$('pin').required = yes;
		if (!yes)
			$('pin').value = '';
	}

	async #submit() {
		if ($('join-button').disabled)
			return;
		for (const id of ['name', 'room', 'pin'])
			$(id).value = $(id).value.trim();
		if (!$('join-form').reportValidity())
			return;
		const who = {
			room: $('room').value, name: $('name').value, pin: $('pin').value,
			token: this.#invite || this.#account.token,
		};
		remember('name', who.name);
		this.#error = null;
		this.#show();
		this.waiting = 'waitingDevices';
		await this.#devices.settled;
		this.waiting = 'joining';
		this.#onJoin(who);
	}

	#other() { return Object.keys(LANGUAGES).find((l) => l !== language()); }

	#showAccount() {
		const { available, user, name } = this.#account;
		$('whoami').hidden = $('sign-out').hidden = !user;
		$('recordings-link').hidden = !user;
		$('admin-link').hidden = !user;
		redress($('admin-link'), { t: user?.role === 'admin' ? 'adminLink' : user?.role === 'host' ? 'adminLinkHost' : 'adminLinkOwn' });
		$('sign-in').hidden = !!user || !available;
		$('whoami').textContent = user ? t('signedInAs', { name }) : '';
		if (user && !$('name').value)
			$('name').value = name;
	}

	#show() {
		const { tracks, busy, problem } = this.#devices;
		const open = !$('join').hidden;
		const video = open ? tracks.video : null, audio = open ? tracks.audio : null;
		if ($('preview').srcObject?.getTracks()[0] !== (video ?? undefined)) {
			$('preview').srcObject = video && new MediaStream([video]);
			if (video)
				$('preview').play().catch(() => {});
		}
		const note = busy ? 'asking' : problem || (video ? '' : 'cameraIsOff');
		$('preview-note').textContent = note && t(note);
		$('preview-note').classList.toggle('over', !!video);
		$('join-error').textContent = read(this.#error);
		$('invited').hidden = !this.#invite;
		const other = this.#other();
		redress($('language'), { t: 'otherLanguage' });
		$('language').lang = other;
		this.#showAccount();
		this.#showLevel(audio);
	}

	#showLevel(audio) {
		$('level').parentElement.hidden = !audio;
		if (this.#measured === audio)
			return;
		this.#stopMeter();
		this.#measured = audio;
		this.#stopMeter = audio ? meter(audio, (v) => { $('level').style.transform = `scaleX(${v})`; }) : () => {};
	}
}

// The dialogs of those who run a room: its policy, and links that let people in.
import { changes, read, told } from './words.js';

const $ = (id) => document.getElementById(id);
const SWITCHES = { locked: 'policy-locked', lobby: 'policy-lobby', unmute: 'policy-unmute' };
const PINS = { guest_pin: 'guest-pin', host_pin: 'host-pin' };

export class HostDialogs {
	#account; #signIn; #session = null; #error = null; #notice;

	// notice(message): what is told to the person.
	constructor(account, signIn, notice) {
		this.#account = account;
		this.#signIn = signIn;
		this.#notice = notice;
		$('policy-form').addEventListener('submit', () => this.#save());
		$('invite-form').addEventListener('submit', (e) => {
			e.preventDefault();
			this.#make();
		});
		$('invite-copy').onclick = () => this.#copy();
		account.addEventListener('change', () => this.#showInvite());
		changes.addEventListener('change', () => this.#say(this.#error));
	}

	begin(session) { this.#session = session; }

	policy() {
		const { policy } = this.#session;
		for (const [member, id] of Object.entries(SWITCHES))
			$(id).checked = member === 'unmute' ? policy.unmute !== false : !!policy[member];
		$('policy-record').value = policy.record ?? 'all';
		for (const [member, id] of Object.entries(PINS)) {
			$(`policy-${id}`).value = '';
			$(`policy-${id}`).placeholder = policy[member] ? '••••••' : '';
			$(`remove-${id}`).checked = false;
			$(`remove-${id}`).closest('label').hidden = !policy[member];
		}
		$('pin-removal').hidden = !policy.guest_pin && !policy.host_pin;
		$('policy').showModal();
	}

	// Only what is another one now is sent.
	#save() {
		const { policy } = this.#session;
		const changed = {};
		for (const [member, id] of Object.entries(SWITCHES)) {
			const before = member === 'unmute' ? policy.unmute !== false : !!policy[member];
			if ($(id).checked !== before)
				changed[member] = $(id).checked;
		}
		if ($('policy-record').value !== (policy.record ?? 'all'))
			changed.record = $('policy-record').value;
		for (const [member, id] of Object.entries(PINS)) {
			const pin = $(`policy-${id}`).value.trim();
			if (pin || $(`remove-${id}`).checked)
				changed[member] = pin;
		}
		if (Object.keys(changed).length)
			this.#session.change(changed);
	}

	/* --- invitations ---------------------------------------------------------------- */

	invite() {
		$('invite-result').hidden = $('invite-copy').hidden = true;
		this.#say(null);
		this.#showInvite();
		$('invite').showModal();
	}

	#showInvite() { $('invite-signin').hidden = !!this.#account.user; }

	async #make() {
		if (!this.#account.user)
			return this.#signIn.open();
		$('invite-make').disabled = true;
		this.#say(null);
		try {
			$('invite-link').value = await this.#account.invite(this.#session.room, $('invite-role').value, Number($('invite-expiry').value));
			$('invite-result').hidden = false;
			$('invite-copy').hidden = !navigator.clipboard;
			$('invite-link').focus();
			$('invite-link').select();
		} catch (e) {
			this.#say(['403', 'forbidden', 'not_allowed', '404', 'room_unknown'].includes(e.code) ? { key: 'inviteNotYours' } : told(e.code, e.message));
		} finally {
			$('invite-make').disabled = false;
		}
	}

	async #copy() {
		await navigator.clipboard.writeText($('invite-link').value).then(
			() => {
				$('invite').close();
				this.#notice({ key: 'inviteCopied' });
			}, () => $('invite-link').select());
	}

	#say(message) {
		this.#error = message;
		$('invite-error').textContent = read(message);
	}
}

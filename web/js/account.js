// Who somebody is: signing in by the REST interface, and what a signed-in person
// may do there. The token lives as long as the tab.
import { held, hold } from './store.js';

export class Refusal extends Error {
	constructor(code, text) {
		super(text);
		this.code = code;
	}
}

// Event `change`: who is signed in.
export class Account extends EventTarget {
	available = false; // the server knows users
	dialIn = null; // how telephones reach the server
	user = null;
	#token = held('token');

	get token() { return this.#token ?? undefined; }
	get name() { return this.user?.display_name || this.user?.name || ''; }

	async start() {
		const server = await this.#ask('GET', 'server').catch(() => ({}));
		this.available = !!server.sign_in;
		this.dialIn = server.dial_in ?? null;
		if (this.#token)
			await this.#ask('GET', 'me').then((me) => { this.user = me.user ?? me; }, (e) => {
				if (e instanceof Refusal && e.code !== 'unreachable')
					this.#keep(null);
			});
		this.#changed();
	}

	async signIn(name, password) {
		const { token, user } = await this.#ask('POST', 'login', { name, password });
		this.#keep(token);
		this.user = user;
		this.#changed();
	}

	// All other sign-ins end; this one goes on with the token that comes back.
	async changePassword(old_password, password) {
		const { token } = await this.#ask('PUT', 'me/password', { old_password, password });
		this.#keep(token);
	}

	signOut() {
		this.#ask('POST', 'logout').catch(() => {});
		this.forget();
	}

	// The token is not worth anything any more.
	forget() {
		this.#keep(null);
		this.user = null;
		this.#changed();
	}

	// The address of a link that lets people in.
	async invite(room, role, seconds) {
		const { url } = await this.#ask('POST', `rooms/${encodeURIComponent(room)}/invitations`,
			{ role, ...(seconds && { expires_s: seconds }) });
		return new URL(url, document.baseURI).href;
	}

	// Of the REST interface, as who is signed in. Throws a Refusal.
	ask(method, path, body) { return this.#ask(method, path, body); }

	// All rows of a list by name, page by page. member: what they are called; absent: as the path.
	async all(path, member = path) {
		const rows = [];
		let next = '';
		do {
			const page = await this.#ask('GET', `${path}${next && `?after=${encodeURIComponent(next)}`}`);
			rows.push(...page[member] ?? []);
			({ next } = page);
		} while (next);
		return rows;
	}

	#keep(token) {
		this.#token = token;
		hold('token', token);
	}

	async #ask(method, path, body) {
		const reply = await fetch(new URL(`api/v1/${path}`, document.baseURI), {
			method, credentials: 'omit', cache: 'no-store',
			headers: { ...(body && { 'Content-Type': 'application/json' }), ...(this.#token && { Authorization: `Bearer ${this.#token}` }) },
			...(body && { body: JSON.stringify(body) }),
		}).catch(() => { throw new Refusal('unreachable', ''); });
		const answer = await reply.json().catch(() => ({}));
		if (reply.ok)
			return answer;
		const error = answer.error ?? answer;
		throw new Refusal(reply.status === 429 ? 'rate_limited' : error.code ?? String(reply.status), error.text ?? error.message ?? '');
	}

	#changed() { this.dispatchEvent(new Event('change')); }
}

// The signaling connection: requests with answers, and events.

const TIMEOUT_MS = 10000;

export class ServerError extends Error {
	constructor(message) {
		super(message.text);
		this.code = message.code;
		this.fatal = !!message.fatal;
	}
}

export class Signal extends EventTarget {
	#socket; #next = 1; #waiting = new Map();
	bye = null; // the server's last word, if there was one

	static open(url = new URL('ws', document.baseURI)) {
		url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
		return new Promise((resolve, reject) => {
			const socket = new WebSocket(url, 'mcu.v1');
			socket.onopen = () => resolve(new Signal(socket));
			socket.onerror = () => reject(new Error('unreachable'));
		});
	}

	constructor(socket) {
		super();
		this.#socket = socket;
		socket.onerror = null;
		socket.onmessage = (e) => this.#receive(JSON.parse(e.data));
		socket.onclose = () => {
			for (const w of this.#waiting.values())
				w.reject(new Error('closed'));
			this.#waiting.clear();
			this.dispatchEvent(new CustomEvent('closed'));
		};
	}

	send(type, members = {}) {
		if (this.#socket.readyState === WebSocket.OPEN)
			this.#socket.send(JSON.stringify({ type, ...members }));
	}

	request(type, members = {}) {
		const id = String(this.#next++);
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#waiting.delete(id);
				reject(new Error('timeout'));
			}, TIMEOUT_MS);
			const settle = (fn) => (v) => { clearTimeout(timer); fn(v); };
			this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
			this.send(type, { id, ...members });
		});
	}

	close() { this.#socket.close(1000); }

	#receive(m) {
		if (m.type === 'bye' || (m.type === 'error' && m.fatal))
			this.bye = m;
		const waiting = m.id !== undefined && this.#waiting.get(m.id);
		if (waiting) {
			this.#waiting.delete(m.id);
			if (m.type === 'error')
				waiting.reject(new ServerError(m));
			else
				waiting.resolve(m);
			return;
		}
		this.dispatchEvent(new CustomEvent(m.type, { detail: m }));
	}
}

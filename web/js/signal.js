// The signaling connection: requests with answers, and events.

const OPEN_MS = 8000;
const ANSWER_MS = 10000;

export class ServerError extends Error {
	constructor(message) {
		super(message.text);
		this.code = message.code;
	}
}

export class Signal extends EventTarget {
	#socket; #next = 1; #waiting = new Map();
	farewell = {}; // the server's last words: code of a fatal error, reason, text

	static open(url = new URL('ws', document.baseURI)) {
		url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
		return new Promise((resolve, reject) => {
			const socket = new WebSocket(url, 'mcu.v1');
			const timer = setTimeout(() => socket.close(), OPEN_MS);
			socket.onopen = () => { clearTimeout(timer); resolve(new Signal(socket)); };
			socket.onclose = () => { clearTimeout(timer); reject(new Error('unreachable')); };
		});
	}

	constructor(socket) {
		super();
		this.#socket = socket;
		socket.onmessage = (e) => this.#receive(JSON.parse(e.data));
		socket.onclose = () => this.#closed();
	}

	send(type, members = {}) {
		if (this.#socket.readyState === WebSocket.OPEN)
			this.#socket.send(JSON.stringify({ type, ...members }));
	}

	request(type, members = {}, ms = ANSWER_MS) {
		const id = String(this.#next++);
		return new Promise((resolve, reject) => {
			if (this.#socket.readyState !== WebSocket.OPEN)
				return reject(new Error('closed'));
			const timer = setTimeout(() => {
				this.#waiting.delete(id);
				reject(new Error('timeout'));
			}, ms);
			const settle = (fn) => (v) => { clearTimeout(timer); fn(v); };
			this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject), timer });
			this.send(type, { id, ...members });
		});
	}

	// No event comes after this.
	close() {
		this.#socket.onmessage = null;
		this.#socket.onclose = null;
		this.#socket.close(1000);
		this.#abandon();
	}

	#closed() {
		this.#abandon();
		this.dispatchEvent(new CustomEvent('closed'));
	}

	#abandon() {
		for (const w of this.#waiting.values())
			w.reject(new Error('closed'));
		this.#waiting.clear();
	}

	#receive(m) {
		if (m.type === 'bye')
			Object.assign(this.farewell, { reason: m.reason, text: m.text || this.farewell.text });
		else if (m.type === 'error' && m.fatal)
			Object.assign(this.farewell, { code: m.code, text: m.text });
		const waiting = m.id !== undefined && this.#waiting.get(m.id);
		if (waiting && m.type === 'lobby') // a person decides: that may take its time
			clearTimeout(waiting.timer);
		if (!waiting || m.type === 'lobby')
			return this.dispatchEvent(new CustomEvent(m.type, { detail: m }));
		this.#waiting.delete(m.id);
		if (m.type === 'error')
			waiting.reject(new ServerError(m));
		else
			waiting.resolve(m);
	}
}

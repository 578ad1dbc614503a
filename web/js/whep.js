// Watches a room by WebRTC (WHEP, signaling/WHIP.md).
const CONNECT_MS = 8000;

// The error of a server that answers: code and text.
export class Refused extends Error {
	constructor(code, text) {
		super(text);
		this.code = code;
	}
}

export class WhepPlayer extends EventTarget {
	#pc = null;
	#session = null;
	#headers;

	constructor(video, url, token) {
		super();
		this.video = video;
		this.url = url;
		this.#headers = token ? { Authorization: `Bearer ${token}` } : {};
	}

	// Resolves when it plays; rejects when it does not within a while. Event `lost` later on.
	async start() {
		const pc = this.#pc = new RTCPeerConnection();
		const stream = new MediaStream();
		pc.addTransceiver('video', { direction: 'recvonly' });
		pc.addTransceiver('audio', { direction: 'recvonly' });
		pc.ontrack = ({ track }) => stream.addTrack(track);
		await pc.setLocalDescription();
		await this.#gathered();
		const reply = await fetch(this.url, {
			method: 'POST', credentials: 'omit', body: pc.localDescription.sdp,
			headers: { 'Content-Type': 'application/sdp', ...this.#headers },
		});
		if (reply.status !== 201) {
			const { code = String(reply.status), text = '' } = await reply.json().catch(() => ({}));
			throw new Refused(code, text);
		}
		this.#session = new URL(reply.headers.get('Location'), reply.url).href;
		await pc.setRemoteDescription({ type: 'answer', sdp: await reply.text() });
		this.video.srcObject = stream;
		await this.#connected();
		pc.onconnectionstatechange = () => pc.connectionState === 'failed' && this.dispatchEvent(new Event('lost'));
	}

	stop() {
		this.#pc?.close();
		if (this.#session)
			fetch(this.#session, { method: 'DELETE', headers: this.#headers, keepalive: true }).catch(() => {});
		this.#session = null;
		this.video.srcObject = null;
	}

	#gathered() {
		const pc = this.#pc;
		return new Promise((resolve) => {
			setTimeout(resolve, 500);
			pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && resolve();
		});
	}

	#connected() {
		const pc = this.#pc;
		return new Promise((resolve, reject) => {
			setTimeout(() => reject(new Error('timeout')), CONNECT_MS);
			pc.onconnectionstatechange = () => {
				if (pc.connectionState === 'connected')
					resolve();
				else if (pc.connectionState === 'failed')
					reject(new Error('failed'));
			};
		});
	}
}

// The one media connection: microphone and camera up, the mix and the view down.

// Events: `state` with the connection's state as detail.
export class Media extends EventTarget {
	#signal; #pc; #transceivers = {}; #uplink; #offering = false; #limiting = Promise.resolve();
	stream = new MediaStream();

	constructor(signal, iceServers, tracks) {
		super();
		this.#signal = signal;
		const pc = this.#pc = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' });
		for (const kind of ['audio', 'video'])
			this.#transceivers[kind] = pc.addTransceiver(tracks[kind] ?? kind, {
				direction: tracks[kind] ? 'sendrecv' : 'recvonly', sendEncodings: [{}],
			});
		pc.ontrack = (e) => this.stream.addTrack(e.track);
		pc.onicecandidate = (e) => signal.send('ice', {
			candidate: e.candidate?.candidate ?? '', mid: e.candidate?.sdpMid ?? undefined,
		});
		pc.onconnectionstatechange = () => this.dispatchEvent(new CustomEvent('state', { detail: pc.connectionState }));
		signal.addEventListener('ice', (e) => this.#candidate(e.detail));
		signal.addEventListener('offer', (e) => this.#answer(e.detail.sdp));
		signal.addEventListener('uplink', (e) => {
			this.#uplink = e.detail.video;
			this.#limit();
		});
	}

	async negotiate() {
		this.#offering = true;
		try {
			await this.#pc.setLocalDescription();
			const { sdp } = await this.#signal.request('offer', { sdp: this.#pc.localDescription.sdp });
			await this.#pc.setRemoteDescription({ type: 'answer', sdp });
		} finally {
			this.#offering = false;
		}
		this.#limit();
	}

	// Sends another track, or none for the time being (null).
	async send(kind, track) {
		const transceiver = this.#transceivers[kind];
		await transceiver.sender.replaceTrack(track);
		if (track && transceiver.direction === 'recvonly') {
			transceiver.direction = 'sendrecv';
			await this.negotiate();
		}
		this.#limit();
	}

	close() { this.#pc.close(); }

	// An offer of the server that meets one of ours gives way; it comes again.
	async #answer(sdp) {
		if (this.#offering)
			return;
		try {
			await this.#pc.setRemoteDescription({ type: 'offer', sdp });
			await this.#pc.setLocalDescription();
			this.#signal.send('answer', { sdp: this.#pc.localDescription.sdp });
		} catch (e) {
			console.warn('offer not taken:', e.message);
		}
	}

	async #candidate({ candidate, mid }) {
		try {
			await this.#pc.addIceCandidate(candidate ? { candidate, sdpMid: mid ?? '0' } : undefined);
		} catch (e) {
			console.warn('candidate not taken:', candidate, e.message);
		}
	}

	#limit() {
		this.#limiting = this.#limiting.then(() => this.#setLimits());
	}

	// The camera sends what its tile shows, not more: the picture is fitted into it.
	async #setLimits() {
		const { sender } = this.#transceivers.video;
		const parameters = sender.getParameters();
		const encoding = parameters.encodings?.[0];
		if (!this.#uplink || !sender.track || !encoding)
			return;
		const { width, height, fps, max_kbps: kbps, visible } = this.#uplink;
		const { width: w = 0, height: h = 0 } = sender.track.getSettings();
		encoding.active = visible;
		if (visible && w && h && width && height) {
			encoding.scaleResolutionDownBy = Math.max(1, w / width, h / height);
			encoding.maxBitrate = kbps * 1000;
			encoding.maxFramerate = fps;
		}
		try {
			await sender.setParameters(parameters);
		} catch (e) {
			console.warn('uplink not changed:', e.message);
		}
	}
}

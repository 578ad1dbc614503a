// The one media connection: microphone and camera up, the mix and the view down.

export class Media extends EventTarget {
	#signal; #audio; #video;
	stream = new MediaStream();

	constructor(signal, iceServers, audioTrack, videoTrack) {
		super();
		this.#signal = signal;
		const pc = this.pc = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' });
		this.#audio = pc.addTransceiver(audioTrack ?? 'audio', { direction: audioTrack ? 'sendrecv' : 'recvonly' });
		this.#video = pc.addTransceiver(videoTrack ?? 'video', { direction: videoTrack ? 'sendrecv' : 'recvonly' });
		pc.ontrack = (e) => this.stream.addTrack(e.track);
		pc.onicecandidate = (e) => signal.send('ice', {
			candidate: e.candidate?.candidate ?? '', mid: e.candidate?.sdpMid ?? undefined,
		});
		pc.onconnectionstatechange = () => this.dispatchEvent(new CustomEvent('state', { detail: pc.connectionState }));
		signal.addEventListener('ice', (e) => this.#candidate(e.detail));
		signal.addEventListener('offer', (e) => this.#answer(e.detail.sdp));
		signal.addEventListener('uplink', (e) => this.#uplink(e.detail.video));
	}

	async negotiate() {
		await this.pc.setLocalDescription();
		const { sdp } = await this.#signal.request('offer', { sdp: this.pc.localDescription.sdp });
		await this.pc.setRemoteDescription({ type: 'answer', sdp });
	}

	close() { this.pc.close(); }

	async #answer(sdp) {
		await this.pc.setRemoteDescription({ type: 'offer', sdp });
		await this.pc.setLocalDescription();
		this.#signal.send('answer', { sdp: this.pc.localDescription.sdp });
	}

	async #candidate({ candidate, mid }) {
		try {
			await this.pc.addIceCandidate(candidate ? { candidate, sdpMid: mid ?? '0' } : undefined);
		} catch (e) {
			console.warn('candidate not taken:', candidate, e.message);
		}
	}

	// The camera sends what its tile shows, not more.
	async #uplink({ width, height, fps, max_kbps: kbps, visible }) {
		const track = this.#video.sender.track;
		const parameters = this.#video.sender.getParameters();
		const encoding = parameters.encodings?.[0];
		if (!track || !encoding)
			return;
		const { width: w = 0, height: h = 0 } = track.getSettings();
		encoding.active = visible;
		if (visible && w && h) {
			encoding.scaleResolutionDownBy = Math.max(1, Math.min(w / width, h / height));
			encoding.maxBitrate = kbps * 1000;
			encoding.maxFramerate = fps;
		}
		try {
			await this.#video.sender.setParameters(parameters);
		} catch (e) {
			console.warn('uplink not changed:', e.message);
		}
	}
}

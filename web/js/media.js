// The one media connection: microphone, camera and shared screen up, the mix and the
// view down.

// Events: `state` with the connection's state as detail.
export class Media extends EventTarget {
	#signal; #pc; #transceivers = {}; #uplink = {}; #stereo;
	#offering = false; // our offer is out: the server's gives way
	#turns = Promise.resolve(); // offers and answers, one after the other
	#limiting = Promise.resolve();
	stream = new MediaStream();

	constructor(signal, iceServers, tracks, stereo) {
		super();
		this.#signal = signal;
		this.#stereo = stereo;
		const pc = this.#pc = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' });
		for (const kind of ['audio', 'video'])
			this.#transceivers[kind] = pc.addTransceiver(tracks[kind] ?? kind, {
				direction: tracks[kind] ? 'sendrecv' : 'recvonly', sendEncodings: [{}],
			});
		if (tracks.content)
			this.#addContent(tracks.content);
		pc.ontrack = (e) => this.stream.addTrack(e.track);
		pc.onicecandidate = (e) => signal.send('ice', {
			candidate: e.candidate?.candidate ?? '', mid: e.candidate?.sdpMid ?? undefined,
		});
		pc.onconnectionstatechange = () => this.dispatchEvent(new CustomEvent('state', { detail: pc.connectionState }));
		signal.addEventListener('ice', (e) => this.#candidate(e.detail));
		signal.addEventListener('offer', (e) => this.#offered(e.detail.sdp));
		signal.addEventListener('uplink', (e) => {
			this.#uplink = e.detail;
			this.#limit();
		});
	}

	get state() { return this.#pc.connectionState; }

	negotiate() { return this.#turn(() => this.#offer()); }

	// Other addresses, the same session (ICE restart).
	restart() {
		this.#pc.restartIce();
		return this.negotiate();
	}

	// Sends another track, or none for the time being (null).
	async send(kind, track) {
		const transceiver = this.#transceivers[kind];
		if (!transceiver) {
			if (!track)
				return;
			this.#addContent(track);
			return this.negotiate();
		}
		await transceiver.sender.replaceTrack(track);
		const direction = kind === 'content' ? (track ? 'sendonly' : 'inactive') : track ? 'sendrecv' : transceiver.direction;
		if (direction !== transceiver.direction) {
			transceiver.direction = direction;
			await this.negotiate();
		}
		this.#limit();
	}

	// A second section of pictures is content to the server.
	#addContent(track) {
		this.#transceivers.content = this.#pc.addTransceiver(track, { direction: 'sendonly', sendEncodings: [{ priority: 'high' }] });
	}

	close() { this.#pc.close(); }

	#turn(fn) {
		const turn = this.#turns.then(fn);
		this.#turns = turn.catch(() => {});
		return turn;
	}

	async #offer() {
		this.#offering = true;
		try {
			await this.#describe(await this.#pc.createOffer());
			const { sdp } = await this.#signal.request('offer', { sdp: this.#pc.localDescription.sdp });
			await this.#pc.setRemoteDescription({ type: 'answer', sdp });
		} catch (e) {
			if (this.#pc.signalingState === 'have-local-offer')
				await this.#pc.setLocalDescription({ type: 'rollback' }).catch(() => {});
			throw e;
		} finally {
			this.#offering = false;
		}
		this.#limit();
	}

	// An offer of the server that meets one of ours gives way; it comes again.
	#offered(sdp) {
		if (this.#offering)
			return;
		this.#turn(async () => {
			await this.#pc.setRemoteDescription({ type: 'offer', sdp });
			await this.#describe(await this.#pc.createAnswer());
			this.#signal.send('answer', { sdp: this.#pc.localDescription.sdp });
		}).catch((e) => console.warn('offer not taken:', e.message));
	}

	#describe({ type, sdp }) {
		return this.#pc.setLocalDescription({ type, sdp: withOpus(sdp, this.#stereo) });
	}

	async #candidate({ candidate, mid }) {
		try {
			await this.#pc.addIceCandidate(candidate ? { candidate, sdpMid: mid ?? '0' } : undefined);
		} catch (e) {
			console.warn('candidate not taken:', candidate, e.message);
		}
	}

	#limit() {
		for (const kind of ['video', 'content'])
			this.#limiting = this.#limiting.then(() => this.#setLimits(kind));
	}

	// Camera and screen send what their tiles show, not more: a picture is fitted into
	// its tile. When the line is too thin, a face moves on and a text stays sharp.
	async #setLimits(kind) {
		const sender = this.#transceivers[kind]?.sender;
		const parameters = sender?.getParameters();
		const encoding = parameters?.encodings?.[0];
		if (!this.#uplink[kind] || !sender?.track || !encoding)
			return;
		const { width, height, fps, max_kbps: kbps, visible } = this.#uplink[kind];
		const { width: w = 0, height: h = 0 } = sender.track.getSettings();
		parameters.degradationPreference = kind === 'content' ? 'maintain-resolution' : 'balanced';
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

// Opus with in-band error correction and, in stereo rooms, two channels both ways.
export function withOpus(sdp, stereo) {
	const id = sdp.match(/^a=rtpmap:(\d+) opus\//im)?.[1];
	if (!id)
		return sdp;
	const wanted = ['useinbandfec=1', ...(stereo ? ['stereo=1', 'sprop-stereo=1'] : [])];
	return sdp.replace(new RegExp(`^(a=fmtp:${id} )(.*)$`, 'm'), (all, head, list) => {
		const given = list.trim().split(/\s*;\s*/).filter((p) => !wanted.some((w) => w.split('=')[0] === p.split('=')[0]));
		return head + [...given, ...wanted].join(';');
	});
}

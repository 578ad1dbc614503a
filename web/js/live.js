// Plays a live stream (HLS) in a video element: by the browser itself where it can, by
// hls.js where the page has it (window.Hls), and otherwise with Media Source Extensions:
// part by part, as they come.
import { begin, parseIndex, parseMedia } from './playlist.js';

const TYPE = 'application/vnd.apple.mpegurl';
const KEEP_S = 20;      // of what has been played
const TOLERATED_S = 3;  // further behind than it has to be: it jumps
const AGAIN_MS = 1000;

class Gone extends Error {}

// Events: `playing` (once), `gone` (it has ended, or cannot be got), `failed` (never
// will it play here).
export class LivePlayer extends EventTarget {
	#video;
	#url;
	#stopped = new AbortController();
	#source = null;
	#buffer = null;
	#map = null;
	#last = null;   // the piece appended last
	#hls = null;
	hold = 0;       // seconds that it stays behind

	constructor(video, url) {
		super();
		this.#video = video;
		this.#url = new URL(url, document.baseURI).href;
		video.addEventListener('playing', () => this.#tell('playing'), { once: true, signal: this.#stopped.signal });
	}

	start() {
		const Source = window.ManagedMediaSource ?? window.MediaSource;
		if (window.Hls?.isSupported())
			this.#withHlsJs(window.Hls);
		else if (Source)
			this.#run(Source).catch((e) => {
				if (!this.#stopped.signal.aborted)
					this.#tell(e instanceof Gone ? 'gone' : 'failed', e);
			});
		else if (this.#video.canPlayType(TYPE))
			this.#natively();
		else
			this.#tell('failed');
	}

	stop() {
		this.#stopped.abort();
		this.#hls?.destroy();
		this.#video.removeAttribute('src');
		this.#video.srcObject = null;
		this.#video.load();
	}

	#tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }

	#natively() {
		this.#video.addEventListener('error', () => this.#tell('gone'), { signal: this.#stopped.signal });
		this.#video.src = this.#url;
	}

	#withHlsJs(Hls) {
		this.#hls = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.1 });
		this.#hls.on(Hls.Events.ERROR, (event, data) => data.fatal && this.#tell('gone', data));
		this.#hls.loadSource(this.#url);
		this.#hls.attachMedia(this.#video);
	}

	async #get(url, as) {
		const reply = await fetch(url, { signal: this.#stopped.signal, credentials: 'omit' });
		if (!reply.ok)
			throw new Gone(String(reply.status));
		return reply[as]();
	}

	async #run(Source) {
		const index = parseIndex(await this.#get(this.#url, 'text'), this.#url);
		const mime = `video/mp4; codecs="${index?.codecs}"`;
		if (!index || !Source.isTypeSupported(mime))
			throw new Error(mime);
		await this.#open(Source, mime);
		let p = parseMedia(await this.#get(index.uri, 'text'), index.uri), next = begin(p);
		for (;;) {
			this.hold = p.hold;
			for (const piece of p.pieces.slice(next))
				await this.#append(piece);
			if (p.ended)
				throw new Gone('ended');
			p = await this.#reload(index.uri, p);
			next = p.pieces.findIndex((x) => x.id === this.#last) + 1;
			if (!next)
				next = this.#catchUp(p);
		}
	}

	async #open(Source, mime) {
		this.#source = new Source();
		if (Source === window.ManagedMediaSource)
			this.#video.disableRemotePlayback = true;
		const opened = new Promise((resolve) => { this.#source.addEventListener('sourceopen', resolve, { once: true }); });
		this.#video.src = URL.createObjectURL(this.#source);
		await opened;
		URL.revokeObjectURL(this.#video.src);
		this.#buffer = this.#source.addSourceBuffer(mime);
	}

	// The playlist with the part that comes next, as soon as it is there.
	async #reload(uri, p) {
		const url = new URL(uri);
		url.searchParams.set('_HLS_msn', p.msn);
		url.searchParams.set('_HLS_part', p.part);
		for (let tries = 0; ; tries++)
			try {
				return parseMedia(await this.#get(url, 'text'), uri);
			} catch (e) {
				if (this.#stopped.signal.aborted || tries >= 3 || e.message === '404' || e.message === '401' || e.message === '403')
					throw e instanceof Gone ? e : new Gone(e.message);
				await new Promise((r) => setTimeout(r, AGAIN_MS));
			}
	}

	// We were away for so long that what we wait for has left the playlist; or what was parts
	// is told as a segment by now.
	#catchUp(p) {
		const segment = String(this.#last).split('.')[0];
		const after = p.pieces.findIndex((x) => Number(x.id.split('.')[0]) > Number(segment));
		return after < 0 ? begin(p) : after;
	}

	async #append(piece) {
		if (piece.map !== this.#map) {
			await this.#feed(await this.#get(piece.map, 'arrayBuffer'));
			this.#map = piece.map;
		}
		await this.#feed(await this.#get(piece.uri, 'arrayBuffer'));
		this.#last = piece.id;
		await this.#keepUp();
	}

	#feed(data) { return this.#do(() => this.#buffer.appendBuffer(data)); }

	#do(what) {
		return new Promise((resolve, reject) => {
			const end = new AbortController();
			this.#buffer.addEventListener('updateend', () => { end.abort(); resolve(); }, { signal: end.signal });
			this.#buffer.addEventListener('error', () => { end.abort(); reject(new Error('buffer')); }, { signal: end.signal });
			what();
		});
	}

	// Where it should be: so many seconds behind what has come.
	async #keepUp() {
		const v = this.#video, ranges = v.buffered;
		if (!ranges.length)
			return;
		const start = ranges.start(ranges.length - 1), end = ranges.end(ranges.length - 1);
		const wanted = Math.max(start, end - this.hold), behind = end - v.currentTime;
		if (v.currentTime < start || behind > this.hold + TOLERATED_S)
			v.currentTime = wanted;
		v.playbackRate = behind > this.hold + 0.25 ? 1.08 : 1;
		if (v.paused && !v.dataset.paused && end - start >= Math.min(this.hold, 0.5))
			v.play().catch(() => {});
		if (v.currentTime - ranges.start(0) > 2 * KEEP_S)
			await this.#do(() => this.#buffer.remove(0, v.currentTime - KEEP_S));
	}
}

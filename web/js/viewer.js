// The page of those who only watch a room: by WebRTC where that gets through, and as a
// stream over HTTP otherwise. /watch/ROOM; "?by=hls": as a stream in any case.
import { LivePlayer } from './live.js';
import { held, recall } from './store.js';
import { Refused, WhepPlayer } from './whep.js';
import { changes, choose, language, preferred, read, speak, t, told } from './words.js';

const AGAIN_MS = 3000;
// With these it begins later.
const WAITED = ['room_unknown', 'unreachable', 'room_not_open', 'room_closed', 'room_full', 'server_full', 'busy'];
const room = decodeURIComponent(location.pathname.split('/').filter(Boolean).at(-1) ?? '');
const streamOnly = new URLSearchParams(location.search).get('by') === 'hls';
const byId = (id) => document.getElementById(id);
const video = byId('video');
const token = held('token') ?? undefined;
let pin = '';
let waiting = ''; // the code of the last refusal
let player = null;
let message = null;

// What is said again stays as it is, so that nobody hears it every few seconds.
function say(what) {
	message = what;
	if (byId('state').textContent !== read(what))
		byId('state').textContent = read(what);
}

function later() {
	document.body.dataset.idle = '';
	player?.stop();
	player = null;
	setTimeout(go, AGAIN_MS);
}

async function play() {
	delete document.body.dataset.idle;
	video.muted = false;
	await video.play().catch(() => {
		video.muted = true;
		return video.play().catch(() => {});
	});
	byId('sound').hidden = !video.muted;
}

// Asks for what only its owner can say, or waits.
function refused({ code, text }) {
	document.body.dataset.idle = '';
	const asksPin = code === 'pin_required' || code === 'pin_wrong';
	byId('pin-form').hidden = !asksPin;
	if (WAITED.includes(code)) {
		say(code === 'room_unknown' ? { key: 'watchWaits' } : told(code, text));
		later();
	} else {
		say(told(code, text));
		if (asksPin)
			byId('pin').focus();
	}
}

async function byWebRtc() {
	if (streamOnly || !window.RTCPeerConnection)
		return false;
	const p = player = new WhepPlayer(video, `/whep/${encodeURIComponent(room)}${pin && `?pin=${encodeURIComponent(pin)}`}`, token);
	try {
		await p.start();
	} catch (e) {
		p.stop();
		if (e instanceof Refused)
			console.info('WHEP:', e.code);
		return false;
	}
	p.addEventListener('lost', later);
	say({ key: 'watchNow' });
	document.body.dataset.by = 'webrtc';
	play();
	return true;
}

function asStream(url) {
	const p = player = new LivePlayer(video, url);
	p.addEventListener('playing', () => {
		say({ key: 'watchBehind' });
		document.body.dataset.by = 'hls';
	});
	p.addEventListener('gone', () => {
		waiting = 'room_unknown';
		say({ key: 'watchWaits' });
		later();
	});
	p.addEventListener('failed', () => {
		document.body.dataset.idle = '';
		say({ key: 'watchCannot' });
	});
	p.start();
	play();
}

async function go() {
	if (!WAITED.includes(waiting))
		say({ key: 'watchConnects' });
	const reply = await fetch(`/api/v1/rooms/${encodeURIComponent(room)}/watch`, {
		method: 'POST', credentials: 'omit', cache: 'no-store', body: JSON.stringify(pin ? { pin } : {}),
		headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
	}).catch(() => null);
	const answer = await reply?.json().catch(() => ({})) ?? { code: 'unreachable' };
	waiting = answer.hls ? '' : answer.code;
	if (!answer.hls && answer.code !== 'stream_off') {
		refused(answer);
		return;
	}
	byId('pin-form').hidden = true;
	if (await byWebRtc())
		return;
	if (answer.hls)
		asStream(answer.hls);
	else
		refused(answer);
}

byId('pin-form').addEventListener('submit', (e) => {
	e.preventDefault();
	pin = byId('pin').value;
	go();
});
byId('sound').addEventListener('click', () => {
	video.muted = false;
	video.play();
});
video.addEventListener('volumechange', () => { byId('sound').hidden = !video.muted; });
byId('language').addEventListener('click', () => choose(other()));
const other = () => language() === 'en' ? 'ko' : 'en';
changes.addEventListener('change', () => {
	byId('state').textContent = read(message);
	byId('language').lang = other();
	document.title = `${room} – ${t('watch')}`;
});
addEventListener('pagehide', () => player?.stop());

const theme = recall('theme');
if (theme && theme !== 'auto')
	document.documentElement.dataset.theme = theme;
byId('title').textContent = room;
byId('enter').href = `/?room=${encodeURIComponent(room)}`;
await speak(preferred());
go();

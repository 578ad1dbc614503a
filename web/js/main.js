// The page: join form, then the room, then the join form again.
import { Devices } from './devices.js';
import { JoinPage } from './join.js';
import { RoomPage } from './room.js';
import { Session } from './session.js';
import { words } from './words.js';

const unsupported = document.getElementById('unsupported');

function start() {
	const devices = new Devices();
	const room = new RoomPage(devices);
	let session = null;
	let away = false;

	const join = new JoinPage(devices, (roomName, name) => {
		const s = session = new Session(roomName, name, devices);
		s.addEventListener('change', () => {
			if (s.state !== 'connecting' || s.shown)
				return;
			s.shown = true;
			history.replaceState(null, '', `?room=${encodeURIComponent(roomName)}`);
			join.close();
			room.open(s);
		});
		s.addEventListener('ended', ({ detail: text }) => {
			session = null;
			room.close();
			if (!away)
				join.open(text);
		});
		s.join();
	});

	addEventListener('pagehide', () => {
		away = true;
		session?.leave();
		devices.close();
	});
	// Back from the browser's cache: the devices were closed.
	addEventListener('pageshow', (e) => {
		away = false;
		if (e.persisted)
			join.open();
	});
	join.open();
}

if (window.RTCPeerConnection && window.WebSocket) {
	unsupported.remove();
	start();
} else {
	unsupported.textContent = words.unsupported;
	unsupported.classList.remove('late');
}

// The page: join form, then the room, then the join form again. A reload comes
// back into the room.
import { Account } from './account.js';
import { Devices } from './devices.js';
import * as dialogs from './dialogs.js';
import { JoinPage } from './join.js';
import { RoomPage } from './room.js';
import { Session, interrupted } from './session.js';
import { SignIn } from './signin.js';
import { recall } from './store.js';
import { preferred, read, speak } from './words.js';

const unsupported = document.getElementById('unsupported');

function start() {
	const devices = new Devices();
	const account = new Account();
	const signIn = new SignIn(account);
	const room = new RoomPage(devices, account, signIn);
	let session = null;

	const show = (s) => {
		s.shown = true;
		history.replaceState(null, '', `?room=${encodeURIComponent(s.room)}`);
		join.close();
		room.open(s);
	};
	const enter = ({ room: where, name, ...how }) => {
		const s = session = new Session(where, name, devices, how);
		s.addEventListener('change', () => {
			if (s.shown || s !== session)
				return;
			if (s.state === 'lobby')
				join.lobby = true;
			if (s.state === 'connecting')
				show(s);
		});
		s.addEventListener('ended', ({ detail: message }) => {
			session = null;
			room.close();
			dialogs.closeAll();
			join.open(read(message) ? message : null);
		});
		if (how.resume)
			show(s);
		s.join();
	};
	const join = new JoinPage(devices, account, signIn, { onJoin: enter, onCancel: () => session?.leave() });

	addEventListener('pagehide', () => {
		session?.suspend();
		session = null;
		devices.close();
	});
	// Back from the browser's cache: the devices were closed.
	addEventListener('pageshow', (e) => {
		if (!e.persisted)
			return;
		room.close();
		dialogs.closeAll();
		join.open();
	});
	dialogs.prepare();
	account.start();
	const stay = interrupted();
	if (stay)
		devices.open(stay.muted.video ? ['audio'] : ['audio', 'video']).then(() => enter(stay));
	else
		join.open();
}

const theme = recall('theme');
if (theme && theme !== 'auto')
	document.documentElement.dataset.theme = theme;
await speak(preferred());
if (window.RTCPeerConnection && window.WebSocket && window.HTMLDialogElement) {
	unsupported.remove();
	start();
} else {
	unsupported.replaceChildren(read({ key: 'unsupported' }));
	unsupported.classList.remove('late');
}

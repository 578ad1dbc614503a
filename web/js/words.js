// What a person reads: for every failure what happened and what to do.

export const words = {
	asking: 'The browser asks whether this page may use your camera and microphone.',
	cameraOff: 'Your camera is off.',
	insecure: 'Browsers give camera and microphone only to https pages and to localhost. Open this page by its https address, or join to watch and listen.',
	unsupported: 'This browser cannot take part (WebRTC is missing). Use a current Chromium, Firefox or Safari.',
	connecting: 'Connecting …',
	interrupted: 'The connection is interrupted. Reconnecting …',
	reconnecting: 'The connection to the server was lost. Reconnecting …',
	restarting: 'The server is being restarted. This page will bring you back into the room …',
	gone: 'The server cannot be reached. Check your network, or try again later.',
	stayedAway: 'The server did not come back. Check your network, or join again later.',
	noMedia: 'The browser and the server could not agree on how to send picture and sound.',
	unstable: 'Your connection is unstable',
	alone: 'You are the only one here so far.',
	blocked: 'Click to see and hear the conference',
	waiting: 'Waiting for camera and microphone …',
	joining: 'Joining …',
};

// Ways a session may end, by the protocol's `bye` reason or error code.
export const endings = {
	kicked: 'You were removed from the room.',
	replaced: 'You have joined this room from somewhere else.',
	shutting_down: 'The server is being stopped. Try again in a while.',
	connect_timeout: 'The media connection could not be made. A firewall may block UDP between you and the server.',
	connection_lost: 'The media connection was lost.',
	room_full: 'The room is full.',
	server_full: 'The server is full. Try again later.',
	room_unknown: 'There is no room of this name. Check the spelling.',
	room_name_invalid: 'A room name has letters, digits and . _ - only, 64 at most.',
	name_invalid: 'Please enter a name of at most 64 characters.',
	no_common_codec: 'This browser offers no format of sound or picture that the server knows. Use a current Chromium, Firefox or Safari.',
};

const absent = {
	audio: 'No microphone was found. You can watch and listen.',
	video: 'No camera was found. You can join with sound only.',
	both: 'No camera or microphone was found. You can watch and listen.',
};
const refused = {
	audio: 'The browser does not let this page use the microphone. Allow it at the address bar, or join to watch and listen.',
	video: 'The browser does not let this page use the camera. Allow it at the address bar, or join with sound only.',
	both: 'The browser does not let this page use camera and microphone. Allow it at the address bar, or join to watch and listen.',
};
const busy = {
	audio: 'The microphone does not start; another program may be using it. Close that, or join to watch and listen.',
	video: 'The camera does not start; another program may be using it. Close that, or join with sound only.',
	both: 'Camera and microphone do not start; another program may be using them. Close that, or join to watch and listen.',
};
export const unplugged = {
	audio: 'The microphone is gone. Plug it in again, or choose another one.',
	video: 'The camera is gone. Plug it in again, or choose another one.',
};

// Why a device could not be opened; kind is audio, video or both.
export function deviceFailure(kind, error) {
	switch (error.name) {
	case 'NotAllowedError': case 'SecurityError': return refused[kind];
	case 'NotFoundError': case 'OverconstrainedError': return absent[kind];
	default: return busy[kind];
	}
}

export function connectionWords({ score, uplink, downlink }) {
	if (score >= 3)
		return `Connection ${score >= 4 ? 'good' : 'fair'} (${score.toFixed(1)} of 5)`;
	const worst = (member) => Math.max(uplink[member], downlink[member]);
	const loss = worst('loss'), jitter = worst('jitter_ms'), delay = worst('rtt_ms');
	const why = [loss > 0.02 && `${(loss * 100).toFixed(0)} % loss`, jitter > 30 && `${jitter.toFixed(0)} ms jitter`,
		delay > 150 && `${delay.toFixed(0)} ms delay`].filter(Boolean).join(', ');
	return `${words.unstable}${why && `: ${why}`}.`;
}

// What a person reads: for every failure what happened and what to do.

export const words = {
	noCamera: 'No camera was found. You can join with sound only.',
	noMicrophone: 'No microphone was found. You can listen and watch.',
	noDevices: 'No camera or microphone was found. You can watch and listen.',
	denied: 'The browser was not allowed to use the camera and microphone. Allow it at the address bar and reload, or join to watch and listen.',
	busy: 'The camera or microphone is in use by another program. Close that and reload, or join without.',
	insecure: 'Browsers give camera and microphone only to https pages and to localhost. Open this page by its https address, or join to watch and listen.',
	unsupported: 'This browser cannot take part (WebRTC is missing). Use a current Chromium, Firefox or Safari.',
	connecting: 'Connecting …',
	reconnecting: 'The connection to the server was lost. Reconnecting …',
	gone: 'The server cannot be reached. Check your network, or try again later.',
	unstable: 'Your connection is unstable',
	alone: 'You are the only one here so far.',
};

// Ways a session may end, by the protocol's `bye` reason and error code.
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
};

export function mediaFailure(e) {
	switch (e?.name) {
	case 'NotAllowedError': case 'SecurityError': return words.denied;
	case 'NotFoundError': case 'OverconstrainedError': return words.noDevices;
	case 'NotReadableError': case 'AbortError': return words.busy;
	default: return window.isSecureContext ? words.noDevices : words.insecure;
	}
}

// Stands between a page and the server's WebSocket: what the page sent, words put
// into the server's mouth, and changes to what it says. For states that are hard
// to provoke, such as a bad line or a host who takes his time.

// answer(message, wire): what the page sends; true keeps it from the server.
// alter(message): what the server sends; returns what the page gets, or null.
export async function wire(person, { answer = () => false, alter = (m) => m } = {}) {
	const w = { sent: [], tell: null, forward: null };
	await person.page.routeWebSocket(/\/ws$/, (page) => {
		const server = page.connectToServer();
		w.tell = (m) => page.send(JSON.stringify(m));
		w.forward = (m) => server.send(JSON.stringify(m));
		page.onMessage((text) => {
			const m = JSON.parse(text);
			w.sent.push(m);
			if (!answer(m, w))
				server.send(text);
		});
		server.onMessage((text) => {
			const m = alter(JSON.parse(text), w);
			if (m)
				page.send(JSON.stringify(m));
		});
	});
	w.last = (type) => w.sent.findLast((m) => m.type === type);
	return w;
}

export const HOST = { role: 'host', room_policy: { locked: false, lobby: true, guest_pin: false, host_pin: false, record: 'all', unmute: true, stereo: false } };

// Makes a host of whoever gets this.
export function asHost(more = {}) {
	let leg;
	return (m) => {
		if (m.type === 'welcome') {
			leg = m.leg;
			return { ...m, ...HOST, ...more };
		}
		if (m.type === 'joined' && m.participant.leg === leg)
			return { ...m, participant: { ...m.participant, role: more.role ?? HOST.role } };
		return m;
	};
}

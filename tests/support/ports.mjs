// Ports for programs that are told theirs. Those that the kernel gives away by itself
// (32768 and more) may be somebody else's before the program has started; these come
// from where only tests look, and media (20000 to 29999) does not go.
import dgram from 'node:dgram';
import net from 'node:net';

const FIRST = 10000, LAST = 19998;
let next = FIRST + 2 * Math.floor((Math.random() * (LAST - FIRST)) / 2); // even

function bindsTcp(port, host) {
	return new Promise((resolve) => {
		const s = net.createServer();
		s.once('error', () => resolve(false));
		s.listen(port, host, () => s.close(() => resolve(true)));
	});
}

function bindsUdp(port, host) {
	return new Promise((resolve) => {
		const s = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
		s.once('error', () => resolve(false));
		s.bind(port, host, () => s.close(() => resolve(true)));
	});
}

// One that nobody has by TCP or UDP, and neither the one above it; even.
export async function freePort(host = '127.0.0.1') {
	for (let tries = 0; tries < (LAST - FIRST) / 2; tries++) {
		const port = next;
		next = next >= LAST ? FIRST : next + 2;
		const free = [port, port + 1].flatMap((p) => [bindsTcp(p, host), bindsUdp(p, host)]);
		if ((await Promise.all(free)).every(Boolean))
			return port;
	}
	throw new Error(`no port from ${FIRST} to ${LAST} is free`);
}

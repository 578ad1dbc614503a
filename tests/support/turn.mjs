// coturn on the loopback: a relay for those who cannot reach the server.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';

import { freePort } from './ports.mjs';
import { tie, until } from './server.mjs';

export const USER = 'guest', PASSWORD = 'secret';

// A STUN binding request (RFC 8489), and whether anything comes back.
function answersStun(port) {
	const request = Buffer.concat([Buffer.from('000100002112a442', 'hex'), Buffer.alloc(12, 7)]);
	return new Promise((resolve) => {
		const s = createSocket('udp4');
		const end = (v) => { clearTimeout(timer); s.close(); resolve(v); };
		const timer = setTimeout(() => end(false), 200);
		s.on('message', () => end(true));
		s.on('error', () => end(false));
		s.send(request, port, '127.0.0.1');
	});
}

// A TURN server on the loopback; stop() ends it.
export async function startTurn() {
	const port = await freePort();
	const p = spawn('turnserver', ['-n', '--no-cli', '--no-tls', '--no-dtls', '-L', '127.0.0.1', '-E', '127.0.0.1', '-p', String(port),
		'--allow-loopback-peers', '--lt-cred-mech', '-u', `${USER}:${PASSWORD}`, '-r', 'mcu.test', '--log-file', 'stdout', '--simple-log',
		'--pidfile', '/dev/null', '--min-port', '49500', '--max-port', '49600'], { stdio: ['ignore', 'pipe', 'pipe'] });
	tie(p);
	const turn = { port, stop: () => p.kill() };
	p.stdout.resume();
	p.stderr.resume();
	await until('the TURN server to answer', () => answersStun(port)).catch((e) => { turn.stop(); throw e; });
	return turn;
}

// tests/support/whip_client.py as a participant: GStreamer by WHIP or WHEP.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { tie, until } from './server.mjs';
import { COLOURS, TONES } from './bots.mjs';

const script = fileURLToPath(new URL('whip_client.py', import.meta.url));
const hex = (rgb) => rgb.map((v) => v.toString(16).padStart(2, '0')).join('').toUpperCase();

export class Whip {
	events = [];
	log = '';

	// The i-th sender's colour and tone, into a room.
	static publish(server, room, i, options = {}) {
		return new Whip(['publish', Whip.url(server, 'whip', room, options),
			'--rgb', hex(COLOURS[i]), '--hz', TONES[i]], options);
	}

	// What is at these places of the picture, and every sender's tone.
	static view(server, room, places, options = {}) {
		return new Whip(['view', Whip.url(server, 'whep', room, options),
			...places.flatMap(([x, y]) => ['--at', `${x},${y}`]), ...TONES.flatMap((hz) => ['--hz', hz])], options);
	}

	static url(server, what, room, { name }) {
		return `http://127.0.0.1:${server.port}/${what}/${room}${name ? `?name=${encodeURIComponent(name)}` : ''}`;
	}

	// content: the colour of a second picture.
	constructor(args, { token, codec, trickle, content }) {
		const more = [...(content ? ['--content', hex(content)] : []), ...(token ? ['--token', token] : []), ...(codec ? ['--codec', codec] : []), ...(trickle ? ['--trickle'] : [])];
		// Debian's Python has GStreamer's bindings; another one on the path may not.
		this.process = spawn('/usr/bin/python3', [script, ...args.map(String), ...more], { stdio: ['pipe', 'pipe', 'pipe'] });
		tie(this.process);
		this.process.stderr.on('data', (d) => { this.log += d; });
		createInterface({ input: this.process.stdout }).on('line', (l) => this.events.push(JSON.parse(l)));
		this.exited = new Promise((resolve) => { this.process.once('exit', resolve); });
	}

	last(event) {
		return this.events.findLast((e) => e.event === event);
	}

	async heard(event, ms = 20000) {
		return until(`"${event}" of a WHIP client`, () => this.last(event), ms)
			.catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(this.events)} ${this.log}`); });
	}

	say(command) {
		this.process.stdin.write(`${command}\n`);
	}

	// Ends the session and the process; what the server said to it.
	async stop() {
		this.say('stop');
		const e = await this.heard('deleted');
		await this.exited;
		return [e.status, e.again];
	}
}

// SIPp with a scenario of tests/sip/, one call as a rule. The media is a Phone's
// (phone.mjs): the scenario says [audio_port] and [video_port] in its SDP. Where a
// scenario waits for a MESSAGE, go() lets it go on: no step of it has to guess how
// long something takes.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { freePort } from './ports.mjs';
import { tie, until } from './server.mjs';
import { within } from './variant.mjs';

const scenarios = fileURLToPath(new URL('../sip', import.meta.url));

// Whether somebody has bound the port.
function listens(port, tcp) {
	const at = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
	const socket = tcp ? 'tcp' : 'udp';
	return [socket, `${socket}6`].some((table) => readFileSync(`/proc/net/${table}`, 'latin1').split('\n')
		.some((line) => line.trim().split(/ +/)[1]?.concat(' ').endsWith(at)));
}

export class Sipp {
	// scenario: name without .xml; to: 'host:port' of the server, null for one that is
	// called; user: of the request's URI; keys: for [NAME] in the scenario; calls, args: more.
	static async start(scenario, { to = null, user = 'room', phone, keys = {}, args = [], calls = 1, tcp = false, host = '127.0.0.1' } = {}) {
		const s = new Sipp();
		s.folder = await mkdtemp(join(tmpdir(), 'mcu-sipp-'));
		s.file = join(s.folder, 'messages');
		s.host = host;
		s.port = await freePort(host);
		s.callId = `${scenario}-${process.pid}-${s.port}@test`;
		const all = { audio_port: phone?.audio.port ?? 9, video_port: phone?.video?.port ?? 9, ...keys };
		const command = [...(to ? [to] : []), '-sf', join(scenarios, `${scenario}.xml`), '-i', host, '-p', s.port, '-s', user,
			'-m', calls, '-nostdin', '-timeout_error', '-cid_str', calls === 1 ? s.callId : '%u-%p@test', '-t', tcp ? 't1' : 'u1',
			'-trace_msg', '-message_file', s.file, '-message_overwrite', 'false', '-trace_err', '-error_file', join(s.folder, 'errors'),
			'-timeout', `${within(180000) / 1000}s`, '-recv_timeout', within(20000),
			...Object.entries(all).flatMap(([k, v]) => ['-key', k, v]), ...args];
		s.process = spawn('sipp', command.map(String), { cwd: s.folder, stdio: ['ignore', 'ignore', 'pipe'] });
		tie(s.process);
		s.log = '';
		s.process.stderr.on('data', (d) => { s.log += d; });
		s.exited = new Promise((resolve) => {
			s.process.once('exit', (code, signal) => resolve(signal ?? code));
			s.process.once('error', (e) => resolve(e.message));
		});
		s.exited.then((code) => { s.code = code; });
		await until('SIPp to listen', () => s.code !== undefined || listens(s.port, tcp));
		return s;
	}

	#read(name) {
		try {
			return readFileSync(name, 'latin1');
		} catch {
			return '';
		}
	}

	// All messages in order: {sent, first: the first line, text}.
	messages() {
		return this.#read(this.file).split(/^-{20,}[^\n]*\n/m).slice(1).map((part) => {
			const at = part.indexOf('\n\n');
			const text = part.slice(at + 2).replace(/^\n+/, '').replaceAll('\r', '');
			return { sent: /message sent/.test(part.slice(0, at)), first: text.split('\n')[0], text };
		});
	}

	// The n-th message received whose first line and text match, once it is there.
	received(first, { text = /^/, n = 0, ms = 20000 } = {}) {
		return until(`SIPp to get ${first}`, () => {
			const m = this.messages().filter((one) => !one.sent && first.test(one.first) && text.test(one.text))[n];
			if (!m && this.code !== undefined)
				throw new Error(`SIPp ended with ${this.code} before it got ${first}: ${this.complaint()}`);
			return m;
		}, ms);
	}

	// The n-th SDP received.
	async sdp(n = 0) {
		const m = await this.received(/^/, { text: /\nv=0\n/, n });
		return m.text.slice(m.text.indexOf('\nv=0\n') + 1);
	}

	// Lets a scenario go on that waits for a MESSAGE.
	go() {
		const lines = [`MESSAGE sip:go@${this.host}:${this.port} SIP/2.0`, `Via: SIP/2.0/UDP ${this.host}:9;branch=z9hG4bKgo${Math.random()}`,
			'From: <sip:test@test>;tag=go', 'To: <sip:go@test>', `Call-ID: ${this.callId}`, 'CSeq: 1 MESSAGE', 'Content-Length: 0', '', ''];
		const s = dgram.createSocket(this.host.includes(':') ? 'udp6' : 'udp4');
		s.send(lines.join('\r\n'), this.port, this.host, () => s.close());
	}

	complaint() {
		return `${this.#read(join(this.folder, 'errors'))}\n${this.log}\n${this.messages().map((m) => `${m.sent ? '>' : '<'} ${m.text}`).join('\n')}`;
	}

	// Waits for the end, which must be a good one.
	async fine() {
		const code = await this.exited;
		assert.equal(code, 0, this.complaint());
		rmSync(this.folder, { recursive: true, force: true });
	}

	async kill() {
		this.process.kill('SIGKILL');
		await this.exited;
		rmSync(this.folder, { recursive: true, force: true });
	}
}

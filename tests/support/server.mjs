// Starts the server under test on free ports with a data folder of its own.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { variant, within } from './variant.mjs';

const top = fileURLToPath(new URL('../..', import.meta.url));
export const bin = resolve(process.env.MCU_BIN ?? join(top, 'build/release/mcu'));
const START_MS = within(30000);
const STOP_MS = within(20000);
// What a sanitizer says of the server, or of a process that it has started.
const FOUND = /^.*(?:ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:)[^]*/m;
const SMALL = { 'video.width': 640, 'video.height': 360, 'video.fps': 15, 'video.bitrate_kbps': 600 };

export class Server {
	// A canvas that two cores can carry beside the bots.
	static small(settings = {}, how = {}) {
		return Server.start({ ...SMALL, ...settings }, how);
	}

	// prefix: a command that runs it, for example in a network namespace.
	static async start(settings = {}, { data, args = [], prefix = [] } = {}) {
		const s = new Server();
		s.prefix = prefix;
		s.ownData = !data;
		s.data = data ?? await mkdtemp(join(tmpdir(), 'mcu-test-'));
		mkdirSync(s.data, { recursive: true });
		const all = {
			'http.port': 0, 'https.port': -1, 'http.address': '127.0.0.1', 'data.path': s.data,
			'http.web_path': join(top, 'web'),
			// 0 and 0: free ones, in sipPort and sipTlsPort
			'rtsp.port': -1, 'rtsp.address': '127.0.0.1',
			'sip.port': -1, 'sip.tls_port': -1, 'sip.address': '127.0.0.1',
			// browsers and bots are on this machine too: what would be given up for them is
			// not what most tests are about
			'overload.degrade': false, 'overload.high_percent': 0, ...settings,
		};
		const set = Object.entries(all).flatMap(([k, v]) => ['--set', `${k}=${v}`]);
		const [command, ...rest] = [...prefix, bin, ...set, ...args];
		s.process = spawn(command, rest, { cwd: s.data, stdio: ['ignore', 'pipe', 'pipe'] });
		tie(s.process);
		s.exited = new Promise((resolve) => {
			s.process.once('exit', (code, signal) => resolve({ code, signal }));
			s.process.once('error', (e) => resolve({ code: e.message }));
		});
		s.log = '';
		s.process.stderr.on('data', (d) => { s.log += d; });
		s.said = new Promise((resolve) => { s.process.stderr.once('close', resolve); });
		await s.#ready();
		return s;
	}

	async #ready() {
		let out = '';
		await new Promise((resolve, reject) => {
			const fail = (why) => reject(new Error(`the server did not start (${why}): ${out}${this.log}`));
			const timer = setTimeout(() => fail('timeout'), START_MS);
			this.process.stdout.on('data', (d) => {
				out += d;
				const m = out.match(/http:\/\/localhost:(\d+)\//);
				if (!m || !/^Ctrl-C/m.test(out))
					return;
				clearTimeout(timer);
				this.port = Number(m[1]);
				this.rtspPort = Number(out.match(/rtsp:\/\/localhost:(\d+)\//)?.[1] ?? -1);
				this.sipPort = Number(out.match(/SIP port (\d+) \(UDP, TCP\)/)?.[1] ?? -1);
				this.sipTlsPort = Number(out.match(/SIP port (\d+) \(TLS\)/)?.[1] ?? -1);
				this.password = out.match(/password (\S+)/)?.[1];
				resolve();
			});
			this.exited.then(({ code }) => fail(`exit ${code}`));
		});
		this.output = () => out;
		this.url = `http://localhost:${this.port}`;
	}

	async #get(path) {
		const url = `http://127.0.0.1:${this.port}${path}`;
		if (!this.prefix.length)
			return (await fetch(url)).text();
		const script = `fetch(${JSON.stringify(url)}).then((r) => r.text()).then((t) => process.stdout.write(t))`;
		const [command, ...rest] = [...this.prefix, process.execPath, '-e', script];
		return (await promisify(execFile)(command, rest)).stdout;
	}

	async metrics() {
		const text = await this.#get('/metrics');
		return new Map(text.split('\n').filter((l) => l && !l.startsWith('#'))
			.map((l) => [l.slice(0, l.lastIndexOf(' ')), Number(l.slice(l.lastIndexOf(' ') + 1))]));
	}

	// Of one room; more: labels besides the room's.
	async value(name, room, more = '') {
		return (await this.metrics()).get(room === undefined ? name : `${name}{room="${room}"${more}}`);
	}

	threads() {
		return readdirSync(`/proc/${this.process.pid}/task`).length;
	}

	files() {
		return readdirSync(`/proc/${this.process.pid}/fd`).length;
	}

	// What an administrator sees.
	async recordings(password = this.password) {
		const r = await fetch(`http://127.0.0.1:${this.port}/api/v1/recordings`,
			{ headers: { Authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` } });
		if (r.status !== 200)
			throw new Error(`the list of recordings: ${r.status} ${await r.text()}`);
		return (await r.json()).recordings;
	}

	// The exit status after SIGINT.
	async stop() {
		this.process.kill('SIGINT');
		const timer = setTimeout(() => this.process.kill('SIGABRT'), STOP_MS);
		const r = await this.exited;
		clearTimeout(timer);
		await this.forget();
		return r;
	}

	// Stops it, and it must have nothing to complain about (leaks and races included).
	async stopFine() {
		const { code, signal } = await this.stop();
		assert.deepEqual({ code, signal }, { code: 0, signal: null }, this.log);
	}

	async kill() {
		this.process.kill('SIGKILL');
		await this.exited;
		await this.forget();
	}

	// However it has ended: nothing that a sanitizer found passes unseen.
	async forget() {
		if (this.ownData)
			await rm(this.data, { recursive: true, force: true });
		if (variant !== 'release') {
			await this.said;
			assert.equal(this.log.match(FOUND)?.[0], undefined);
		}
	}
}

const running = new Set();
const killAll = () => running.forEach((child) => child.kill('SIGKILL'));
process.on('exit', killAll);
// What a failed test has left running would keep its file from ending.
after(() => { setTimeout(killAll, STOP_MS).unref(); });

// A test that ends early leaves nothing running.
export function tie(child) {
	running.add(child);
	child.once('exit', () => running.delete(child));
}

// Polls until fn returns something true, and returns that.
export async function until(what, fn, ms = 15000) {
	const end = Date.now() + within(ms);
	let last;
	for (;;) {
		last = await fn();
		if (last)
			return last;
		if (Date.now() > end)
			throw new Error(`waited ${ms} ms in vain for ${what}`);
		await new Promise((r) => setTimeout(r, 50));
	}
}

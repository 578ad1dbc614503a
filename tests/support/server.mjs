// Starts the server under test on free ports with a data folder of its own.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../..', import.meta.url));
const bin = process.env.MCU_BIN ?? join(top, 'build/release/mcu');
const START_MS = 30000;
const STOP_MS = 30000;

export class Server {
	static async start(settings = {}, { data, args = [] } = {}) {
		const s = new Server();
		s.ownData = !data;
		s.data = data ?? await mkdtemp(join(tmpdir(), 'mcu-test-'));
		const all = {
			'http.port': 0, 'https.port': -1, 'http.address': '127.0.0.1', 'data.path': s.data,
			'http.web_path': join(top, 'web'), ...settings,
		};
		const set = Object.entries(all).flatMap(([k, v]) => ['--set', `${k}=${v}`]);
		s.process = spawn(bin, [...set, ...args], { cwd: s.data, stdio: ['ignore', 'pipe', 'pipe'] });
		s.exited = new Promise((resolve) => s.process.once('exit', (code, signal) => resolve({ code, signal })));
		s.log = '';
		s.process.stderr.on('data', (d) => { s.log += d; });
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
				if (!m)
					return;
				clearTimeout(timer);
				this.port = Number(m[1]);
				this.password = out.match(/password (\S+)/)?.[1];
				resolve();
			});
			this.exited.then(({ code }) => fail(`exit ${code}`));
		});
		this.output = () => out;
		this.url = `http://localhost:${this.port}`;
	}

	async metrics() {
		const text = await (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
		return new Map(text.split('\n').filter((l) => l && !l.startsWith('#'))
			.map((l) => [l.slice(0, l.lastIndexOf(' ')), Number(l.slice(l.lastIndexOf(' ') + 1))]));
	}

	// The exit status after SIGINT.
	async stop() {
		this.process.kill('SIGINT');
		const timer = setTimeout(() => this.process.kill('SIGABRT'), STOP_MS);
		const r = await this.exited;
		clearTimeout(timer);
		if (this.ownData)
			await rm(this.data, { recursive: true, force: true });
		return r;
	}

	async kill() {
		this.process.kill('SIGKILL');
		await this.exited;
	}
}

// Polls until fn returns something true, and returns that.
export async function until(what, fn, ms = 15000) {
	const end = Date.now() + ms;
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

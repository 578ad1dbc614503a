// Processes that benches need: a server of their own, bots, floors; what they cost.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const mcuBin = process.env.MCU_BIN ?? 'build/release/mcu';
const botBin = process.env.BOT_BIN ?? 'build/release/mcu-bot';
export const floorDir = process.env.FLOOR_DIR ?? 'build/release';

const children = new Set();
process.on('exit', () => children.forEach((c) => c.kill('SIGKILL')));
for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => process.exit(130));

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export function median(values) {
	const v = [...values].sort((a, b) => a - b);
	return v[Math.floor((v.length - 1) / 2)];
}

export const spread = (values) => ({ min: Math.min(...values), max: Math.max(...values) });

// Nanoseconds that the threads of a process have run.
export const cpuTimeNs = (pid) => threadTimeNs(pid);

// The same of its threads of this name.
export function threadTimeNs(pid, name) {
	let sum = 0;
	for (const task of readdirSync(`/proc/${pid}/task`)) {
		try {
			if (name && readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim() !== name) continue;
			sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
		} catch {
			// the thread has just ended
		}
	}
	return sum;
}

export function freePort() {
	return new Promise((done, fail) => {
		const s = createServer();
		s.on('error', fail);
		s.listen(0, '127.0.0.1', () => {
			const { port } = s.address();
			s.close(() => done(port));
		});
	});
}

function start(bin, args) {
	const child = spawn(bin, args.map(String), { stdio: ['ignore', 'pipe', 'pipe'] });
	child.text = '';
	child.errors = '';
	child.stdout.on('data', (d) => (child.text += d));
	child.stderr.on('data', (d) => (child.errors += d));
	child.exited = new Promise((done) => {
		child.on('error', (e) => done(e.message));
		child.on('close', (code, signal) => done(signal ?? code));
	});
	children.add(child);
	child.exited.then(() => children.delete(child));
	return child;
}

// The defaults of mcu.yaml, but for where it listens, what it writes, and settings.
// prefix: a command that runs it, for example on one core.
export async function startServer(settings = [], prefix = []) {
	const dir = mkdtempSync(join(tmpdir(), 'mcu-bench-'));
	const port = await freePort();
	const fixed = ['http.address=127.0.0.1', `http.port=${port}`, `https.port=${await freePort()}`,
		'https.address=127.0.0.1', 'sip.port=-1', 'rtsp.port=-1', `data.path=${dir}`, 'log.level=warn'];
	const [bin, ...args] = [...prefix, mcuBin, '--config', 'mcu.yaml', ...[...fixed, ...settings].flatMap((s) => ['--set', s])];
	const child = start(bin, args);
	const url = `http://127.0.0.1:${port}`;
	for (let tries = 0; ; tries++) {
		if (await fetch(`${url}/healthz`).then((r) => r.ok, () => false)) break;
		if (child.exitCode !== null || tries > 200) {
			console.error(`${mcuBin} does not start:\n${child.text}${child.errors}`);
			process.exit(2);
		}
		await sleep(50);
	}
	return {
		url,
		pid: child.pid,
		// The sum of a metric's series; 0 when there is none.
		async metric(name) {
			const text = await (await fetch(`${url}/metrics`)).text();
			const lines = text.split('\n').filter((l) => l.startsWith(`${name} `) || l.startsWith(`${name}{`));
			return lines.reduce((sum, l) => sum + Number(l.slice(l.lastIndexOf(' '))), 0);
		},
		async stop() {
			child.kill('SIGTERM');
			const status = await child.exited;
			if (status !== 0) console.error(`the server ended with ${status}\n${child.errors}`);
			rmSync(dir, { recursive: true, force: true });
		},
	};
}

// Kibibytes that a process holds in memory, and its threads.
export function memoryKib(pid) {
	return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

export const threads = (pid) => readdirSync(`/proc/${pid}/task`).length;

// What a server does in so many seconds: ms of CPU per second, packets sent per second.
export async function loadOf(server, seconds) {
	const start = process.hrtime.bigint(), sent = await server.metric('mcu_net_sent_packets_total');
	const cost = await costOf(server.pid, seconds);
	const packets = (await server.metric('mcu_net_sent_packets_total')) - sent;
	return { cost, packets: (packets * 1e9) / Number(process.hrtime.bigint() - start) };
}

// Milliseconds of CPU per second of a process, over so many seconds.
export async function costOf(pid, seconds) {
	const cpu = cpuTimeNs(pid), start = process.hrtime.bigint();
	await sleep(seconds * 1000);
	return ((cpuTimeNs(pid) - cpu) / Number(process.hrtime.bigint() - start)) * 1000;
}

// ready: all are connected, see and hear. done: its summary. stop() ends it
// before its time and returns that too. program: another that reports as the bot does,
// from the floors' folder.
export function runBot(args, program) {
	const bin = program ? join(floorDir, program) : botBin;
	const child = start(bin, args);
	const ready = new Promise((done) => {
		child.stderr.on('data', () => child.errors.includes('ready\n') && done());
		child.exited.then(done);
	});
	const done = child.exited.then((status) => {
		try {
			return JSON.parse(child.text);
		} catch {
			console.error(`${bin} ${args.join(' ')} ended with ${status}:\n${child.errors}${child.text}`);
			process.exit(2);
		}
	});
	return { pid: child.pid, ready, done, stop: () => (child.kill('SIGTERM'), done) };
}

// Another program beside which CPU is measured; stop() ends it.
export function runProgram(bin, args) {
	const child = start(bin, args);
	return {
		pid: child.pid,
		exited: child.exited,
		isRunning: () => child.exitCode === null,
		errors: () => child.errors,
		signal: (name) => child.kill(name),
		async stop() {
			child.kill('SIGKILL');
			await child.exited;
		},
	};
}

function readFloor(command, status, text, errors) {
	const line = /^floor (\S+) ([\d.]+) \S+(.*)$/m.exec(text ?? '');
	if (status !== 0 || !line) {
		console.error(`${command} failed: ${errors}`);
		process.exit(2);
	}
	return { name: line[1], figure: Number(line[2]), keys: line[3].trim() };
}

// { name, figure, keys } of a floor program's line.
export function runFloor(name, args) {
	const r = spawnSync(join(floorDir, name), args.map(String), { encoding: 'utf8' });
	return readFloor(`${name} ${args.join(' ')}`, r.status, r.stdout, r.stderr ?? r.error);
}

// The same while others run.
export async function floorBeside(name, args) {
	const child = start(join(floorDir, name), args);
	return readFloor(`${name} ${args.join(' ')}`, await child.exited, child.text, child.errors);
}

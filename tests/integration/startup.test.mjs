// What an operator sees: wrong configuration, ports and folders in use, a damaged
// database, the first password, HTTPS, health, metrics.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Bots } from '../support/bots.mjs';
import { Server, bin } from '../support/server.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const limit = { timeout: within(60000) };
let folder;
before(() => { folder = mkdtempSync(join(tmpdir(), 'mcu-start-')); });
after(() => rmSync(folder, { recursive: true }));

// Runs the server until it ends by itself.
function run(...args) {
	return new Promise((resolve) => execFile(bin, args, { cwd: folder, timeout: within(20000) },
		(e, stdout, stderr) => resolve({ code: e ? e.code : 0, stdout, stderr })));
}

const file = (name, text) => {
	writeFileSync(join(folder, name), text);
	return name;
};

// A server that is to end with an error: set over small settings.
const refuse = (data, more = {}) => run(...Object.entries({ 'http.port': 0, 'https.port': -1, 'sip.port': -1, 'data.path': data, ...more })
	.flatMap(([k, v]) => ['--set', `${k}=${v}`]));

describe('configuration', limit, () => {
	test('the file of all defaults is fine, and the one that is shipped is that file', async () => {
		const { code, stdout } = await run('--default-config');
		assert.equal(code, 0);
		assert.equal(stdout, readFileSync(new URL('../../mcu.yaml', import.meta.url), 'utf8'));
		const r = await run('--check-config', '--config', file('all.yaml', stdout));
		assert.deepEqual([r.code, r.stderr], [0, '']);
	});

	for (const [what, text, says] of [
		['an unknown key', 'http:\n  port: 8080\n  prot: 1\n', /bad\.yaml:3\b.*prot.*port/s],
		['an unknown section', 'htpp:\n  port: 8080\n', /bad\.yaml:1\b.*htpp.*http/s],
		['a number out of range', '\nvideo:\n  fps: 500\n', /bad\.yaml:3\b.*fps.*60/s],
		['a word for a number', 'video:\n  width: wide\n', /bad\.yaml:2\b.*width/s],
		['an unknown level', 'log:\n  level: loud\n', /bad\.yaml:2\b.*level.*debug/s],
		['YAML that is none', 'video: [\n', /bad\.yaml:\d+/],
		['no such file', null, /missing\.yaml/],
	])
		test(`${what}: exit 2, and what would be right`, async () => {
			const name = text === null ? 'missing.yaml' : file('bad.yaml', text);
			for (const args of [['--check-config', '--config', name], ['--config', name]]) {
				const r = await run(...args);
				assert.equal(r.code, 2, r.stderr);
				assert.match(r.stderr, says);
			}
		});

	test('an unknown option, a bad --set: exit 2', async () => {
		for (const args of [['--colour'], ['--set', 'video.fps=fast'], ['--set', 'nonsense'], ['--config']])
			assert.equal((await run(...args)).code, 2, args.join(' '));
	});

	test('--version, --help', async () => {
		assert.match((await run('--version')).stdout, /^mcu \S+\n$/);
		assert.match((await run('--help')).stdout, /--check-config/);
	});
});

describe('what is in the way', limit, () => {
	test('a port in use: exit 1, and which', async () => {
		const other = net.createServer();
		await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
		const { port } = other.address();
		const r = await refuse(join(folder, 'port'), { 'http.port': port, 'http.address': '127.0.0.1' });
		other.close();
		assert.equal(r.code, 1, r.stderr);
		assert.match(r.stderr, new RegExp(`mcu: .*${port}.*`));
		assert.match(r.stderr, /in use/);
	});

	test('a second server on the same data: exit 1, the first one goes on', async () => {
		const server = await Server.small();
		const r = await refuse(server.data);
		assert.equal(r.code, 1, r.stderr);
		assert.match(r.stderr, /in use|another/i);
		assert.equal((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status, 200);
		await server.stopFine();
	});

	test('a damaged database: exit 1, and nothing is overwritten', async () => {
		const data = join(folder, 'damaged');
		mkdirSync(data);
		const damage = 'this is no database, it only looks like a file '.repeat(200);
		writeFileSync(join(data, 'mcu.db'), damage);
		const r = await refuse(data);
		assert.equal(r.code, 1, r.stderr);
		assert.match(r.stderr, /mcu\.db/);
		assert.equal(readFileSync(join(data, 'mcu.db'), 'utf8'), damage);
	});

	test('a database damaged in the middle: exit 1', async () => {
		const server = await Server.small({}, { data: join(folder, 'torn') });
		await server.stopFine();
		const path = join(server.data, 'mcu.db');
		const bytes = readFileSync(path);
		bytes.fill(0xa5, 4096);
		writeFileSync(path, bytes);
		const r = await refuse(server.data);
		assert.equal(r.code, 1, r.stderr);
		assert.match(r.stderr, /mcu\.db/);
		assert.deepEqual(readFileSync(path), bytes);
	});

	test('a certificate that is none: exit 1', async () => {
		const data = join(folder, 'certificate');
		mkdirSync(data);
		writeFileSync(join(data, 'certificate.pem'), 'nonsense');
		writeFileSync(join(data, 'key.pem'), 'nonsense');
		const r = await refuse(data);
		assert.equal(r.code, 1, r.stderr);
		assert.match(r.stderr, /certificate\.pem/);
	});

	test('a data folder that cannot be made: exit 1', async () => {
		const r = await refuse(join(folder, file('flat', ''), 'below'));
		assert.equal(r.code, 1, r.stderr);
		assert.match(r.stderr, /below/);
	});
});

describe('a first start and the next', limit, () => {
	test('the password is shown once, files are not for others', async () => {
		const data = join(folder, 'first');
		const first = await Server.small({}, { data });
		assert.match(first.output(), /The administrator is "admin", password \S{12,}\n/);
		assert.equal(first.log.includes(first.password), false, 'the password is in the log');
		for (const name of ['mcu.db', 'key.pem', 'certificate.pem'])
			assert.equal(statSync(join(data, name)).mode & 0o007, 0, name);
		assert.deepEqual(await first.recordings(), []);
		await first.stopFine();

		const second = await Server.small({}, { data });
		assert.doesNotMatch(second.output(), /password/);
		assert.deepEqual(await second.recordings(first.password), []);
		await second.stopFine();
	});

	test('HTTPS with the generated certificate', async () => {
		const probe = net.createServer();
		await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
		const { port } = probe.address();
		await new Promise((resolve) => probe.close(resolve));
		const server = await Server.small({ 'https.port': port, 'https.address': '127.0.0.1' });
		const ca = readFileSync(join(server.data, 'certificate.pem'));
		const get = (path) => new Promise((resolve, reject) => https.get({
			host: '127.0.0.1', port, path, ca, checkServerIdentity: () => undefined, agent: false,
		}, (r) => {
			let body = '';
			r.on('data', (d) => { body += d; });
			r.on('end', () => resolve({ status: r.statusCode, body }));
		}).on('error', reject));
		const page = await get('/');
		assert.equal(page.status, 200);
		assert.match(page.body, /<script type="module"/);
		assert.deepEqual(JSON.parse((await get('/healthz')).body), { status: 'ok' });
		const plain = await new Promise((resolve) => http.get({ host: '127.0.0.1', port, agent: false }, (r) => resolve(r.statusCode))
			.on('error', (e) => resolve(e.code)));
		assert.notEqual(plain, 200);
		await server.stopFine();
	});

	test('/healthz and /metrics', async () => {
		const server = await Server.small();
		const health = await fetch(`http://127.0.0.1:${server.port}/healthz`);
		assert.deepEqual([health.status, health.headers.get('content-type'), await health.json()], [200, 'application/json', { status: 'ok' }]);
		const bots = Bots.start(server, 'r', { senders: 1, viewers: 1, seconds: 600 });
		await bots.ready;
		const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
		const types = text.split('\n').filter((l) => l.startsWith('# TYPE')).map((l) => l.split(' ')[2]);
		assert.deepEqual(types.filter((t, i) => types.indexOf(t) !== i), [], 'families twice');
		const series = text.split('\n').filter((l) => l && !l.startsWith('#')).map((l) => l.slice(0, l.lastIndexOf(' ')));
		assert.deepEqual(series.filter((t, i) => series.indexOf(t) !== i), [], 'series twice');
		for (const line of text.split('\n').filter((l) => l && !l.startsWith('#')))
			assert.match(line, /^[a-z_]+(\{([a-z_]+="(\\.|[^"\\])*",?)+\})? -?[0-9.e+]+$/);
		for (const name of ['mcu_video_encoders{room="r"}', 'mcu_video_decoders{room="r"}', 'mcu_audio_ticks_missed_total',
			'mcu_frame_interval_seconds_count{room="r"}', 'mcu_pool_in_use{pool="pictures"}', 'mcu_mbox_refused_total', 'mcu_egress_packets_total'])
			assert.ok(series.includes(name), name);
		await bots.finish();
		await server.stopFine();
	});

	test('/metrics name the running rooms: not for everybody behind a proxy, unless that is wished', async () => {
		const read = async (server, headers) => (await fetch(`http://127.0.0.1:${server.port}/metrics`, { headers: { 'X-Forwarded-For': '203.0.113.9', ...headers } })).status;
		const server = await Server.small();
		assert.equal(await read(server, {}), 401);
		assert.equal(await read(server, { Authorization: `Basic ${btoa('admin:wrong')}` }), 401);
		assert.equal(await read(server, { Authorization: `Basic ${btoa(`admin:${server.password}`)}` }), 200);
		await server.stopFine();
		const open = await Server.small({ 'http.public_metrics': true });
		assert.equal(await read(open, {}), 200);
		await open.stopFine();
	});

	test('rooms that are not registered are unknown where rooms are not made on demand', async () => {
		const server = await Server.small({ 'room.on_demand': false });
		const s = await Socket.open(server.url);
		const e = await s.ask({ type: 'join', room: 'physics', name: 'n', id: '1' }, 'error');
		assert.deepEqual([e.code, e.fatal, e.id], ['room_unknown', false, '1']);
		const put = (password) => fetch(`http://127.0.0.1:${server.port}/api/v1/rooms/physics`, {
			method: 'PUT', headers: { Authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` },
		});
		assert.equal((await put('wrong')).status, 401);
		assert.equal((await put(server.password)).status, 200);
		assert.equal((await s.join('physics', 'n')).room, 'physics');
		s.destroy();
		await server.stopFine();
	});
});

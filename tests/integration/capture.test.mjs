// An administrator captures a participant's packets: who may, what is in the file,
// and that it ends by time, by request and with the participant.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Bots } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';

let server, bots, legs;

const basic = (user) => ({ authorization: `Basic ${Buffer.from(user).toString('base64')}` });
const ask = (method, path, body, headers = basic(`admin:${server.password}`)) =>
	fetch(server.url + path, { method, headers, body: body && JSON.stringify(body) });
const list = async () => (await (await ask('GET', '/api/v1/captures')).json()).captures;
const begin = async (leg, seconds) => ask('POST', `/api/v1/rooms/tapped/legs/${leg}/capture`, { seconds });

// RTP and RTCP of a pcap file, with who sent it.
function packets(file) {
	assert.equal(file.readUInt32LE(0), 0xa1b23c4d, 'pcap with nanoseconds');
	const all = [];
	for (let at = 24; at < file.length;) {
		const have = file.readUInt32LE(at + 8);
		const ip = file.subarray(at + 16, at + 16 + have);
		assert.equal(ip[0], 0x45);
		assert.equal(ip.readUInt16BE(2), file.readUInt32LE(at + 12));
		const p = ip.subarray(28);
		const rtcp = p[1] >= 192 && p[1] <= 223;
		all.push({
			at: file.readUInt32LE(at) + file.readUInt32LE(at + 4) / 1e9, fromServer: ip[15] === 1, rtcp, version: p[0] >> 6,
			pt: p[1] & (rtcp ? 255 : 127), seq: p.readUInt16BE(2), ssrc: p.readUInt32BE(rtcp ? 4 : 8),
		});
		at += 16 + have;
	}
	return all;
}

describe('captures', { timeout: within(90000) }, () => {
	before(async () => {
		server = await Server.small();
		bots = Bots.start(server, 'tapped', { senders: 2, seconds: 600 });
		await bots.ready;
		legs = [1, 2];
	});

	after(async () => {
		await server.stopFine();
	});

	test('only administrators may', async () => {
		for (const headers of [{}, basic('admin:wrong')]) {
			const r = await ask('POST', '/api/v1/rooms/tapped/legs/1/capture', {}, headers);
			assert.equal(r.status, 401);
		}
		assert.equal((await ask('GET', '/api/v1/captures', null, {})).status, 401);
		assert.deepEqual(await list(), []);
	});

	test('what is wrong is said', async () => {
		const none = await begin(999, 5);
		assert.equal(none.status, 404);
		assert.match((await none.json()).text, /no participant 999 in room "tapped"/);
		const long = await begin(legs[0], 100000);
		assert.equal(long.status, 400);
		assert.match((await long.json()).text, /seconds/);
		assert.equal((await ask('GET', '/api/v1/captures/1')).status, 404);
	});

	test('the file holds the sound and picture of both directions, in plain text', async () => {
		const r = await begin(legs[0], 3);
		assert.equal(r.status, 201);
		const made = await r.json();
		assert.deepEqual([made.room, made.leg, made.running], ['tapped', legs[0], true]);
		const twice = await begin(legs[0], 3);
		assert.deepEqual([twice.status, (await twice.json()).code], [409, 'already_captured']);
		assert.equal((await ask('GET', made.url)).status, 409);
		await until('the capture to end by its time', async () => !(await list())[0].running, within(15000));
		const [info] = await list();
		const file = Buffer.from(await (await ask('GET', made.url)).arrayBuffer());
		assert.equal(file.length, info.bytes);
		const all = packets(file);
		assert.equal(all.length, info.packets);
		assert.deepEqual([info.dropped, info.error], [0, null]);
		assert.ok(all.every((p) => p.version === 2));
		for (const fromServer of [true, false]) {
			const one = all.filter((p) => p.fromServer === fromServer);
			const rtp = one.filter((p) => !p.rtcp);
			assert.ok(one.some((p) => p.rtcp), `RTCP ${fromServer ? 'from' : 'to'} the server`);
			for (const pt of [111, 102]) {
				const stream = rtp.filter((p) => p.pt === pt);
				assert.ok(stream.length > 40, `${stream.length} of payload type ${pt} ${fromServer ? 'from' : 'to'} the server`);
				assert.equal(new Set(stream.map((p) => p.ssrc)).size, 1);
				stream.slice(1).forEach((p, i) => assert.equal(p.seq, (stream[i].seq + 1) & 0xffff));
			}
		}
		const seconds = all.at(-1).at - all[0].at;
		assert.ok(seconds > 1.5 && seconds < within(6000) / 1000, `${seconds} s`);
		assert.ok(Math.abs(all[0].at - Date.now() / 1000) < within(60000) / 1000, 'by the clock on the wall');
	});

	test('DELETE ends it, and then deletes the file', async () => {
		const made = await (await begin(legs[1], 600)).json();
		assert.equal((await ask('DELETE', made.url)).status, 204);
		await until('it to end', async () => !(await list()).find((c) => c.id === made.id).running, within(10000));
		assert.equal((await ask('GET', made.url)).status, 200);
		assert.equal((await ask('DELETE', made.url)).status, 204);
		assert.equal((await ask('GET', made.url)).status, 404);
		assert.equal((await list()).length, 1);
	});

	test('it ends with its participant', async () => {
		const made = await (await begin(legs[0], 600)).json();
		bots.process.kill('SIGTERM');
		await bots.done;
		await until('it to end', async () => !(await list()).find((c) => c.id === made.id).running, within(10000));
	});
});

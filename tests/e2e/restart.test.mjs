// ICE restarts: a page's connection gets new credentials, ports and pair, while
// sound and picture go on over the same DTLS association.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { LOOKS, Person } from './person.mjs';

const SMALL = { 'video.width': 320, 'video.height': 180, 'video.fps': 15, 'video.bitrate_kbps': 300 };

// The page's socket, so that the test can negotiate beside the page.
const keepSocket = () => {
	const Original = window.WebSocket;
	window.WebSocket = class extends Original {
		constructor(...a) {
			super(...a);
			window.socket = this;
		}
	};
};

async function open(server, name, look) {
	const p = await Person.open(server, name, look);
	await p.page.addInitScript(keepSocket);
	await p.join('demo');
	return p;
}

// A new offer from the page's connection; `change` may spoil it on its way. The
// server's answer, or what it says instead.
const negotiate = (p, { restart = false, spoil = false } = {}) => p.page.evaluate(async ([restart, spoil]) => {
	const pc = window.connections.at(-1);
	if (restart)
		pc.restartIce();
	await pc.setLocalDescription();
	const id = `again${Math.random()}`;
	const reply = new Promise((resolve) => {
		const listen = (e) => {
			const m = JSON.parse(e.data);
			if (m.id !== id)
				return;
			window.socket.removeEventListener('message', listen);
			resolve(m);
		};
		window.socket.addEventListener('message', listen);
	});
	const sdp = spoil ? 'v=0\r\nnonsense' : pc.localDescription.sdp;
	window.socket.send(JSON.stringify({ type: 'offer', id, sdp }));
	const m = await reply;
	if (m.type === 'answer')
		await pc.setRemoteDescription({ type: 'answer', sdp: m.sdp });
	else
		await pc.setLocalDescription({ type: 'rollback' });
	return m;
}, [restart, spoil]);

// The pair in use and what came through it.
const state = (p) => p.page.evaluate(async () => {
	const pc = window.connections.at(-1);
	const all = [...(await pc.getStats()).values()];
	const transport = all.find((s) => s.type === 'transport');
	const pair = all.find((s) => s.id === transport.selectedCandidatePairId);
	const inbound = (kind) => all.find((s) => s.type === 'inbound-rtp' && s.kind === kind);
	return {
		local: all.find((s) => s.id === pair.localCandidateId)?.port, remote: all.find((s) => s.id === pair.remoteCandidateId)?.port,
		ice: transport.iceState, dtls: transport.dtlsState, changes: transport.selectedCandidatePairChanges,
		pictures: inbound('video')?.framesDecoded, frozen: inbound('video')?.freezeCount, sounds: inbound('audio')?.packetsReceived,
		sent: all.filter((s) => s.type === 'outbound-rtp').map((s) => s.packetsSent),
		connection: pc.connectionState, ssrcs: [inbound('audio')?.ssrc, inbound('video')?.ssrc],
	};
});

const ufrag = (sdp) => /a=ice-ufrag:(\S+)/.exec(sdp)[1];

describe('ICE restart', { timeout: 120000 }, () => {
	let server, ann, bo;

	before(async () => {
		server = await Server.start(SMALL);
		ann = await open(server, 'Ann', 'red');
		bo = await open(server, 'Bo', 'blue');
		await until('both to see each other', async () => await ann.sees(bo.leg, 'blue') && await bo.sees(ann.leg, 'red'));
	});
	after(async () => {
		await ann?.close();
		await bo?.close();
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
	});

	// Ann hears and sees Bo, and Bo Ann: now, not some time ago.
	async function bothLive() {
		const [a, b] = [await state(ann), await state(bo)];
		await until('new pictures and sound both ways', async () => {
			const [a2, b2] = [await state(ann), await state(bo)];
			return a2.pictures > a.pictures + 2 && b2.pictures > b.pictures + 2 && a2.sounds > a.sounds + 25 && b2.sounds > b.sounds + 25;
		});
		await until('both to see each other', async () => await ann.sees(bo.leg, 'blue') && await bo.sees(ann.leg, 'red'));
		await until('Ann to hear Bo', async () => (await ann.tones([LOOKS.blue.hz]))[0] > -40);
		await until('Bo to hear Ann', async () => (await bo.tones([LOOKS.red.hz]))[0] > -40);
	}

	test('a restart moves to another pair, and media goes on', async () => {
		await bothLive();
		const was = await state(ann), old = ufrag((await negotiate(ann)).sdp);
		const answer = await negotiate(ann, { restart: true });
		assert.equal(answer.type, 'answer', JSON.stringify(answer));
		assert.notEqual(ufrag(answer.sdp), old);
		let now;
		await until('another pair', async () => {
			now = await state(ann);
			return now.local && now.remote && now.local !== was.local && now.remote !== was.remote;
		}, 40000).catch((e) => assert.fail(`${e.message}: ${JSON.stringify([was, now])}`));
		await bothLive();
		const is = await state(ann);
		assert.equal(is.connection, 'connected');
		assert.equal(is.dtls, 'connected');
		assert.deepEqual(is.ssrcs, was.ssrcs, 'the same streams');
		assert.ok(is.frozen - was.frozen <= 1, `froze ${is.frozen - was.frozen} times`);
		assert.equal(server.log.match(/left: /g), null, 'nobody has left');
	});

	test('two restarts at once, on both pages', async () => {
		for (let i = 0; i < 2; i++)
			for (const p of [ann, bo])
				assert.equal((await negotiate(p, { restart: true })).type, 'answer');
		await bothLive();
		for (const p of [ann, bo])
			assert.equal((await state(p)).connection, 'connected');
	});

	test('a restart that fails leaves everything as it was', async () => {
		const was = await state(bo);
		const said = await negotiate(bo, { restart: true, spoil: true });
		assert.deepEqual([said.type, said.code, said.fatal], ['error', 'bad_sdp', false]);
		await bothLive();
		const again = await negotiate(bo, { restart: true }); // and may be tried again
		assert.equal(again.type, 'answer');
		await until('another pair', async () => (await state(bo)).remote !== was.remote);
		await bothLive();
	});
});

// Ways through the network: a TURN server from mcu.yaml that is handed to pages,
// a UDP port range, and the public address of a 1:1 NAT.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { startTurn } from '../support/turn.mjs';
import { LOOKS, Person, launch, media, near } from './person.mjs';

const SMALL = { 'video.width': 320, 'video.height': 180, 'video.fps': 15, 'video.bitrate_kbps': 300 };
const candidates = (p) => p.messages.filter((m) => m.type === 'ice' && m.candidate).map((m) => m.candidate.split(' '));
const KIND = 7, PORT = 5, ADDRESS = 4;

describe('ways through the network', { timeout: 120000 }, () => {
	let browser;

	before(async () => { browser = await launch(media('green'), { flags: ['--autoplay-policy=no-user-gesture-required'] }); });
	after(() => browser.close());

	test('a page that may only use the relay is seen and sees', async () => {
		const turn = await startTurn();
		const server = await Server.start({ ...SMALL,
			'ice.turn': `[{url: "turn:127.0.0.1:${turn.port}?transport=udp", username: guest, credential: secret}]` });
		try {
			const p = await Person.in(browser, server, 'Relayed');
			await p.page.addInitScript(() => {
				const Original = window.RTCPeerConnection;
				window.RTCPeerConnection = class extends Original {
					constructor(c) { super({ ...c, iceTransportPolicy: 'relay' }); window.pc = this; }
				};
			});
			await p.join('demo');
			const [offered] = p.last('welcome').ice_servers;
			assert.deepEqual([offered.urls, offered.username, offered.credential].flat(), [`turn:127.0.0.1:${turn.port}?transport=udp`, 'guest', 'secret']);
			const tiles = await until('a tile', () => p.last('layout')?.tiles.length && p.tiles());
			await until('its own colour', async () => {
				const c = await p.colours(tiles);
				return c && near(c[0], LOOKS.green.rgb);
			});
			const kind = await p.page.evaluate(async () => {
				const all = [...(await window.pc.getStats()).values()];
				const pair = all.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded');
				return all.find((s) => s.id === pair.localCandidateId).candidateType;
			});
			assert.equal(kind, 'relay');
			assert.ok(candidates(p).some((c) => c[KIND] === 'relay'), 'the server has a relayed candidate of its own');
		} finally {
			const { code } = await server.stop();
			turn.stop();
			assert.equal(code, 0, server.log);
		}
	});

	test('media keeps to the configured ports and names the public address', async () => {
		const server = await Server.start({ ...SMALL, 'ice.port_min': 47100, 'ice.port_max': 47139, 'ice.public_address': '203.0.113.7' });
		try {
			const p = await Person.in(browser, server, 'Ports');
			await p.join('demo');
			await until('all candidates', () => p.messages.some((m) => m.type === 'ice' && !m.candidate));
			const all = candidates(p);
			assert.ok(all.length);
			for (const c of all)
				assert.ok(c[PORT] >= 47100 && c[PORT] <= 47139, c.join(' '));
			assert.ok(all.some((c) => c[ADDRESS] === '203.0.113.7'), all.map((c) => c.join(' ')).join('\n'));
		} finally {
			const { code } = await server.stop();
			assert.equal(code, 0, server.log);
		}
	});
});

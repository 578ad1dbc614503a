// Late, re-ordered and lost packets, both ways: what was lost is asked for and
// sent again, key frames are asked for only when that fails, and nobody ever sees
// a picture that was not sent.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Bots, assertHears, assertSees } from '../support/bots.mjs';
import { BOT_ADDRESS, Net, SERVER_ADDRESS, netnsImpossible } from '../support/netns.mjs';
import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';

const FPS = 15, SECONDS = 6, HEARD_DB = -45;
const limit = { timeout: within(90000) };

const counters = async (server) => {
	const m = await server.metrics();
	return (name) => m.get(name) ?? assert.fail(`no ${name} in /metrics`);
};

// That everybody's picture and sound go on, as well as they can.
function assertGoesOn(s, { fps = FPS * 0.8, lostShare = 0.01 } = {}) {
	const senders = new Map(s.participants.map((p, i) => [p.leg, i]));
	for (const [i, p] of s.participants.entries()) {
		const seen = JSON.stringify({ video: p.video, nacks: p.nacks_sent, plis: p.plis_sent });
		assert.equal(p.decode_errors, 0, `${p.name}: ${seen}`);
		assert.ok(p.video.decoded > fps * SECONDS, `${p.name} decoded too little: ${seen}`);
		assert.ok(p.video.lost <= p.video.packets * lostShare, `${p.name} misses too much: ${seen}`);
		assertSees(p, senders);
		assertHears(p, [...senders.values()].filter((k) => k !== i), HEARD_DB);
	}
}

// Requests for key frames are coalesced on both sides: two, and two per second.
const fewKeyRequests = (s, seconds = SECONDS) => {
	for (const p of s.participants)
		assert.ok(p.sent.key_requests <= 2 + 2 * (seconds + 4), `${p.name} was asked ${p.sent.key_requests} times`);
};

describe('in the participants', limit, () => {
	let server;
	before(async () => { server = await Server.small({ 'room.linger_s': 1 }); });
	after(() => server.stopFine());

	test('packets that come late are waited for', async () => {
		const before = await counters(server);
		const s = await Bots.start(server, 'late', { senders: 2, decode: 1, 'late-tx': 50, seconds: SECONDS }).fine();
		const now = await counters(server);
		assertGoesOn(s);
		for (const p of s.participants) {
			assert.ok(p.sent.late_on_purpose > 10);
			// Were they taken for lost, it would be two per second.
			assert.ok(p.sent.key_requests <= SECONDS, `${p.sent.key_requests} key frames asked for`);
		}
		assert.equal(now('mcu_video_decode_errors_total'), before('mcu_video_decode_errors_total'));
	});

	test('5 % of what they send gets lost: the server asks for it', async () => {
		const before = await counters(server);
		const s = await Bots.start(server, 'up', { senders: 2, decode: 1, 'drop-tx': 50, seconds: SECONDS }).fine();
		const now = await counters(server);
		assertGoesOn(s);
		fewKeyRequests(s);
		for (const p of s.participants) {
			assert.ok(p.sent.dropped_on_purpose > 20, `${p.sent.dropped_on_purpose} lost`);
			assert.ok(p.rtcp.nack > 5 && p.sent.retransmitted > p.sent.dropped_on_purpose / 4, JSON.stringify([p.rtcp, p.sent]));
			assert.ok(p.rtcp.worst_reported_loss > 0.01, 'and reports the loss');
		}
		assert.equal(now('mcu_video_decode_errors_total'), before('mcu_video_decode_errors_total'));
	});

	test('5 % of what they receive gets lost: the server sends it again', async () => {
		const before = await counters(server);
		const s = await Bots.start(server, 'down', { senders: 2, viewers: 1, decode: 1, 'drop-rx': 50, nack: true, seconds: SECONDS }).fine();
		const now = await counters(server);
		const senders = s.participants.filter((p) => p.kind === 'sender');
		assertGoesOn({ participants: senders });
		const resent = now('mcu_egress_retransmissions_total') - before('mcu_egress_retransmissions_total');
		const asked = s.participants.reduce((n, p) => n + p.nacks_sent, 0);
		assert.ok(asked > 3 && resent > asked / 2, `${asked} asked for, ${resent} sent again`);
		const keys = now('mcu_video_encoded_keys_total') - before('mcu_video_encoded_keys_total');
		assert.ok(keys <= 3 + 2 * (SECONDS + 4), `${keys} key frames`);
	});
});

const impossible = netnsImpossible();

describe('in the network', { ...limit, skip: impossible ?? false }, () => {
	let net, server;
	before(async () => {
		net = await Net.make();
		server = await Server.small({ 'http.address': '0.0.0.0', 'ice.loopback': false }, { prefix: net.prefix('server') });
	});
	after(async () => {
		await server?.stopFine();
		net?.end();
	});
	const start = (room, options) => Bots.start(server, room, { senders: 2, decode: 1, nack: true, address: BOT_ADDRESS, seconds: SECONDS, ...options },
		{ prefix: net.prefix('bots'), url: `http://${SERVER_ADDRESS}:${server.port}` });

	test('5 % of all UDP packets get lost, both ways', async () => {
		const before = await counters(server);
		net.lose(50);
		// Long enough that chance spares nobody: some 180 packets of a picture to each.
		// And with 30 s of patience for answers to checks (RFC 7675), which libnice does not have.
		const s = await start('lossy', { seconds: 2 * SECONDS, 'mini-senders': true }).fine();
		const lost = net.lost();
		const now = await counters(server);
		net.lose(0);
		assert.ok(lost.every((n) => n > 20), `lost at both sides: ${lost}`);
		assertGoesOn(s);
		fewKeyRequests(s, 2 * SECONDS);
		assert.ok(s.participants.every((p) => p.sent.retransmitted > 0 && p.nacks_sent > 0), JSON.stringify(s.participants.map((p) => [p.sent, p.nacks_sent])));
		assert.ok(now('mcu_egress_retransmissions_total') - before('mcu_egress_retransmissions_total') > 3);
		assert.equal(now('mcu_video_decode_errors_total'), before('mcu_video_decode_errors_total'));
		const keys = now('mcu_video_encoded_keys_total') - before('mcu_video_encoded_keys_total');
		assert.ok(keys <= 3 + 2 * (2 * SECONDS + 4), `${keys} key frames`);
	});

	test('nothing comes through for 3 s: everybody is still there, and it goes on', async () => {
		const bots = start('gap', { 'mini-senders': true, seconds: 600 });
		await bots.ready;
		net.lose(1000);
		const octets = async () => [...(await server.metrics())].filter(([k]) => /^mcu_uplink_octets_total\{room="gap"/.test(k)).map(([, n]) => n);
		const still = async () => { const a = await octets(); await sleep(500); return String(a) === String(await octets()); };
		await until('the media to stop', still);
		await sleep(3000); // the length of the gap
		assert.equal(await server.value('mcu_legs', 'gap'), 2);
		net.lose(0);
		await until('the media to go on', async () => !await still());
		await sleep(SECONDS * 500); // what is heard and seen afterwards
		const s = await bots.finish();
		for (const p of s.participants) {
			assert.equal(p.decode_errors, 0);
			assert.ok(p.video.max_frame_gap_ms > 2500, 'there was a gap');
			assert.ok(p.sent.key_requests <= 8, `asked for ${p.sent.key_requests} key frames`);
		}
		const senders = new Map(s.participants.map((p, i) => [p.leg, i]));
		s.participants.forEach((p, i) => {
			assertSees(p, senders);
			assertHears(p, [1 - i]);
		});
	});
});

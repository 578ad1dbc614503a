// Dozens come and go every second, some without a word, while two stay: those
// notice nothing, and afterwards everything that was taken has been given back.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Bots, TONES, assertUndisturbed, clips, loud } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { SLOWER, within } from '../support/variant.mjs';

const JOINS_PER_S = SLOWER > 1 ? 12 : 32;
const STORM_S = 6;
// Tones of those who stay; the others have the first four.
const OWN = [5, 6];
// Key frames are coalesced: one in this time, however many ask, after a burst of some.
const KEY_EVERY_S = 0.5, KEY_BURST = 2;
let server;

before(async () => { server = await Server.small({ 'room.linger_s': 1, 'limits.connections_per_address': 1000 }); });
after(() => server.stopFine());

const pools = (m) => [...m].filter(([k]) => k.startsWith('mcu_pool_in_use'));

async function assertAtRest(before) {
	await until('everything to be given back', async () => {
		const m = await server.metrics();
		return m.get('mcu_rooms') === 0 && m.get('mcu_net_transports') === 0 && m.get('mcu_ws_sessions') === 0 &&
			m.get('mcu_venc_open') === 0 && m.get('mcu_vdec_open') === 0 && pools(m).every(([, n]) => n === 0);
	}, 40000).catch(async (e) => {
		const m = await server.metrics();
		const left = [...m].filter(([k]) => /^mcu_(rooms|net_transports|ws_sessions|venc_open|vdec_open|pool_in_use)/.test(k));
		throw new Error(`${e.message}: ${JSON.stringify(left)}`);
	});
	await until('the descriptors to be closed', () => server.files() <= before.files)
		.catch((e) => { throw new Error(`${e.message}: ${before.files} before, ${server.files()} now`); });
	assert.equal(server.threads(), before.threads);
}

describe('a storm of joins and leaves', { timeout: within(120000) }, () => {
	let rest;

	before(async () => {
		// Once, so that what is made on first use is there.
		await Bots.start(server, 'first', { senders: 1, seconds: 1 }).fine();
		await until('the first room to close', async () => await server.value('mcu_rooms') === 0);
		await until('its connections to be closed', async () => (await server.metrics()).get('mcu_net_transports') === 0);
		rest = { files: server.files(), threads: server.threads() };
	});

	test('who stays notices nothing', async (t) => {
		const stay = Bots.start(server, 'storm', { senders: 2, viewers: 1, decode: 1, seconds: 600, audio: OWN.map((i) => join(clips, `tone${i}.ogg`)).join() });
		t.after(() => stay.kill());
		await stay.ready;
		const keysBefore = await server.value('mcu_video_encoded_keys_total');
		const began = Date.now();
		const storm = Bots.start(server, 'storm', { storm: JOINS_PER_S, seconds: STORM_S });
		const s = await storm.done;
		const keys = await server.value('mcu_video_encoded_keys_total') - keysBefore;
		const seconds = (Date.now() - began) / 1000;
		assert.equal(s.storm.errors, 0, s.storm.first_error);
		assert.ok(s.storm.joins > JOINS_PER_S * STORM_S * 0.8, `${s.storm.joins} joins`);
		assert.ok(s.storm.connected > s.storm.joins / (4 * SLOWER), `${s.storm.connected} of ${s.storm.joins} were connected`);
		assert.ok(s.storm.saw_pictures > s.storm.joins / (4 * SLOWER), `${s.storm.saw_pictures} of ${s.storm.joins} saw pictures`);
		assert.equal(s.storm.auth_fail, 0);
		assert.ok(keys <= KEY_BURST + 1 + seconds / KEY_EVERY_S, `${keys} key frames in ${seconds} s for ${s.storm.joins} who came`);
		const calm = await stay.finish();
		for (const [i, p] of calm.participants.entries()) {
			assertUndisturbed(p);
			// Longer than 1 s fails above; shorter ones are the machine's, which carries the storm too.
			assert.ok(p.video.freezes <= STORM_S * SLOWER, `${p.name}: ${p.video.freezes} freezes`);
			OWN.forEach((tone, k) => assert.equal(loud(p, tone) > -30, k !== i, `${p.name}: ${TONES[tone]} Hz at ${loud(p, tone)} dB`));
		}
	});

	test('everything is given back', () => assertAtRest(rest));
});

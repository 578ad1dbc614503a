// More work than the machine can do: what rooms give up, in which order, and that
// sound goes on; and who is refused before it comes to that.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { Bots, assertHears } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { SLOWER, within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const limit = { timeout: within(400000) };
// No machine encodes this on one thread.
const HUGE = { 'video.width': 3840, 'video.height': 2160, 'video.fps': 60, 'video.preset': 'medium', 'video.bitrate_kbps': 6000 };
const OFFER = readFileSync(new URL('../signaling/fixtures/chromium-av-sendrecv.sdp', import.meta.url), 'utf8');
const HEAVY = 3, FROZEN = 5;

const levels = (s) => s.messages.filter((m) => m.type === 'overload').map((m) => m.level);

describe('overload', limit, () => {
	let server;
	before(async () => {
		server = await Server.start({ ...HUGE, 'mixer.threads': 1, 'overload.degrade': true, 'room.linger_s': 1 });
	});
	after(() => server.stopFine());

	const level = (room) => server.value('mcu_overload_level', room);

	test('pictures give way, sound goes on, and it all comes back', limit, async () => {
		const sound = Bots.start(server, 'sound', { senders: 2, viewers: 1, 'audio-only': true, decode: 1, seconds: 600 });
		await sound.ready;
		const heavy = [], seen = [];
		for (let i = 0; i < HEAVY; i++) {
			const s = await Socket.open(server.url);
			await s.join(`heavy-${i}`, 'observer');
			seen.push(s);
			heavy.push(Bots.start(server, `heavy-${i}`, { senders: 1, viewers: 1, decode: 0, seconds: 600 }));
		}
		await Promise.all(seen.map((s) => s.next('overload', { ms: 60000 })));
		const missed = await server.value('mcu_audio_ticks_missed_total'), began = Date.now();
		// They are alike and pay alike, about; the one without pictures pays nothing.
		const now = () => Promise.all(seen.map((_, i) => level(`heavy-${i}`)));
		await until('every heavy room to pay', async () => (await now()).every((l) => l >= 1), 60000);
		await until('one of them to be at a third of its pictures', async () => (await now()).some((l) => l >= 3), 60000);
		assert.equal(await level('sound'), 0);
		const m = await server.metrics();
		assert.ok(m.get('mcu_overload_transitions_total') >= HEAVY + 2);
		assert.ok(m.get('mcu_room_video_jobs_late_total{room="heavy-0"}') > 0);
		// Who comes now is told at once.
		const late = await Socket.open(server.url);
		await late.join('heavy-0', 'late');
		const told = await late.next('overload');
		assert.ok(told.level >= 1 && told.level <= FROZEN, JSON.stringify(told));
		assert.match(told.text, /^The server/);
		late.destroy();
		// One step after the other, each way.
		for (const all of seen.map(levels))
			all.forEach((l, i) => assert.equal(Math.abs(l - (all[i - 1] ?? 0)), 1, `${all}`));
		const ticks = (Date.now() - began) / 20;
		const more = await server.value('mcu_audio_ticks_missed_total') - missed;
		if (SLOWER === 1) // the sanitizers' locks know no priorities
			assert.ok(more <= ticks / 50, `${more} of ${ticks} audio ticks were missed`);
		const heard = await sound.finish();
		for (const p of heard.participants) {
			// a bot that gets no processor loses packets by itself, but not many
			assert.ok(p.audio.lost <= p.audio.packets / 50, `${p.name} lost ${p.audio.lost} of ${p.audio.packets}`);
			assert.ok(p.audio.max_gap_ms < within(1000), `${p.name}: ${p.audio.max_gap_ms} ms without sound`);
		}
		assertHears(heard.participants.at(-1), [0, 1]);
		// The load ends.
		const gone = await Promise.all(heavy.map((b) => b.finish()));
		for (const p of gone.flatMap((s) => s.participants))
			assert.ok(!p.video.undecodable || p.video.lost, `${p.name}: a picture without what it refers to`);
		await Promise.all(seen.map((s, i) => until(`room ${i} to have everything again`, () => levels(s).at(-1) === 0, 200000)));
		assert.equal(await level('heavy-0'), 0);
		seen.forEach((s) => s.destroy());
	});
});

describe('admission', limit, () => {
	let server;
	// A room of this size is more than one per cent of what anybody has.
	before(async () => { server = await Server.start({ ...HUGE, 'overload.high_percent': 1 }); });
	after(() => server.stopFine());

	test('another room is refused, the one that runs is not', limit, async () => {
		const [first, second, third] = await Promise.all([1, 2, 3].map(() => Socket.open(server.url)));
		await first.join('one', 'first');
		const e = await second.ask({ type: 'join', room: 'two', name: 'second', id: 'j' }, 'error');
		assert.deepEqual([e.code, e.fatal, e.id], ['overloaded', false, 'j']);
		assert.match(e.text, /^The server is too busy to open another room\. Try again/);
		await third.join('one', 'third');
		const r = await fetch(`http://127.0.0.1:${server.port}/whip/three`, {
			method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: OFFER,
		});
		assert.equal(r.status, 503, await r.text());
		assert.ok(Number(r.headers.get('retry-after')) > 0);
		const m = await server.metrics();
		assert.ok(m.get('mcu_admission_refused_total') >= 2);
		assert.equal(m.get('mcu_rooms'), 1);
		// When nobody is there, nobody can be hurt.
		first.destroy();
		third.destroy();
		await until('the room to be gone', async () => await server.value('mcu_rooms') === 0, 30000);
		await second.join('two', 'second');
		second.destroy();
	});
});

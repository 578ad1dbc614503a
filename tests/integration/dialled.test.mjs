// Calls that a room makes: by REST and by a host's message, what hosts and others are
// told, and the records that are left of them. The telephones are SIPp's.
// Beside others.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Phone } from '../support/phone.mjs';
import { Server, until } from '../support/server.mjs';
import { Sipp } from '../support/sipp.mjs';
import { Socket } from '../support/ws.mjs';

let server, token;

async function ask(method, path, body, auth = token) {
	const r = await fetch(`${server.url}/api/v1/${path}`, {
		method, headers: auth ? { authorization: `Bearer ${auth}` } : {},
		...(body !== undefined && { body: JSON.stringify(body) }),
	});
	const text = await r.text();
	return { status: r.status, ...(text && JSON.parse(text)) };
}

before(async () => {
	server = await Server.small({ 'sip.port': 0, 'sip.dial_in': '+49 89 1234' });
	({ token } = await ask('POST', 'login', { name: 'admin', password: server.password }, null));
	assert.ok(token, server.output());
});

after(() => server?.stopFine());

const record = (call) => until('the record of the call', async () =>
	(await ask('GET', 'calls')).calls.find((c) => c.id === call && c.ended_ms));

describe('a room that calls', () => {
	test('an answer, from the first ring to the record', async () => {
		const phone = await Phone.open();
		const callee = await Sipp.start('called', { phone });
		const host = await Socket.open(server.url), guest = await Socket.open(server.url);
		const { leg } = await host.join('daily', 'Ann', { token });
		await guest.join('daily', 'Bob');

		const to = `sip:+498912345612@127.0.0.1:${callee.port}`;
		host.send({ type: 'dial', to, name: 'Carol' });
		const first = await host.next('call');
		assert.deepEqual([first.state, first.number, first.name], ['calling', '+498912345612', 'Carol']);
		const answered = await host.next('call', { test: (m) => m.state === 'answered' });
		assert.ok(host.messages.some((m) => m.type === 'call' && m.state === 'ringing'));
		assert.equal(answered.call, first.call);
		phone.connect(await callee.sdp());
		phone.talk(440);

		const carol = (m) => m.participant.name === 'Carol';
		const [forHost, forGuest] = [await host.next('joined', { test: carol }), await guest.next('joined', { test: carol })];
		assert.deepEqual([forHost.participant.kind, forHost.participant.number], ['phone', '+498912345612']);
		assert.equal(forGuest.participant.number, '+4989••••12');
		assert.ok(!guest.messages.some((m) => m.type === 'call'));
		// nothing of it is picture: no encoder, no decoder
		assert.equal(await server.value('mcu_video_decoders', 'daily') ?? 0, 0);
		assert.equal(await server.value('mcu_video_encoders', 'daily') ?? 0, 0);

		const shown = await ask('GET', `rooms/daily/dial/${first.call}`);
		assert.deepEqual([shown.status, shown.state, shown.number], [200, 'answered', '+498912345612']);
		const legs = (await ask('GET', 'rooms/daily/legs')).legs;
		const { leg: its } = legs.find((l) => l.kind === 'phone');
		host.send({ type: 'rename', leg: its, name: 'Carola' });
		await guest.next('joined', { test: (m) => m.participant.name === 'Carola' && m.participant.number === '+4989••••12' });
		assert.equal((await ask('PATCH', `rooms/daily/legs/${its}`, { gain_db: -6 })).status, 204);
		assert.equal((await guest.next('sound')).gain_db, -6);

		await until('the telephone to be heard', async () =>
			(await ask('GET', 'rooms/daily/legs')).legs.find((l) => l.leg === its)?.uplink.audio.packets > 20);
		host.send({ type: 'hangup', call: first.call });
		await host.next('call', { test: (m) => m.state === 'ended' });
		await guest.next('left', { test: (m) => m.leg === its });
		await callee.fine();
		phone.close();

		const row = await record(first.call);
		assert.deepEqual([row.direction, row.room, row.number, row.end, row.sip_status, row.audio],
			['out', 'daily', '+498912345612', 'hangup_local', 200, 'PCMU'], JSON.stringify(row));
		assert.ok(row.answered_ms >= row.started_ms && row.ended_ms >= row.answered_ms);
		assert.ok(row.packets_in > 20 && row.mos > 3 && row.mos < 4.5, JSON.stringify(row));
		assert.ok(row.session > 0);
		const none = await ask('GET', 'rooms/daily/calls?number=9999');
		assert.deepEqual(none.calls, []);
		assert.equal((await ask('GET', 'rooms/daily/calls?number=12345612')).calls[0].id, first.call);
		assert.equal((await ask('GET', 'rooms/daily/calls?from=2999-01-01')).calls.length, 0);
		assert.equal((await ask('GET', 'rooms/daily/calls?from=yesterday')).status, 400);
		assert.equal((await ask('GET', 'calls', undefined, null)).status, 401);
		host.destroy();
		guest.destroy();
		assert.ok(leg > 0);
	});

	test('a busy one', async () => {
		const callee = await Sipp.start('called_busy');
		const r = await ask('POST', 'rooms/busy/dial', { to: `sip:ann@127.0.0.1:${callee.port}` });
		assert.deepEqual([r.status, r.state], [202, 'calling'], JSON.stringify(r));
		await until('it to be busy', async () => (await ask('GET', `rooms/busy/dial/${r.call}`)).state === 'busy');
		await callee.fine();
		const row = await record(r.call);
		assert.deepEqual([row.end, row.sip_status, row.answered_ms, row.mos], ['busy', 486, 0, null]);
		assert.equal((await ask('DELETE', `rooms/busy/dial/${r.call}`)).status, 204); // is over
	});

	test('one that only rings, until it is hung up', async () => {
		const callee = await Sipp.start('called_rings');
		const { call } = await ask('POST', 'rooms/rings/dial', { to: `sip:ann@127.0.0.1:${callee.port}` });
		await until('it to ring', async () => (await ask('GET', `rooms/rings/dial/${call}`)).state === 'ringing');
		assert.equal((await ask('DELETE', `rooms/rings/dial/${call}`)).status, 204);
		await until('its end', async () => (await ask('GET', `rooms/rings/dial/${call}`)).state === 'ended');
		await callee.fine();
		const row = await record(call);
		assert.deepEqual([row.answered_ms, row.mos], [0, null]);
		assert.equal(row.end, 'cancelled', JSON.stringify(row));
	});

	test('what cannot be called', async () => {
		const refused = async (status, code, body, auth) => {
			const r = await ask('POST', 'rooms/daily/dial', body, auth);
			assert.deepEqual([r.status, r.code ?? r.error?.code], [status, code], JSON.stringify(r));
		};
		await refused(400, 'dial_invalid', { to: 'no body' });
		await refused(400, 'dial_invalid', { to: 'nobody' }); // no user is called so
		await refused(400, 'dial_invalid', { to: 'a@b', digits: 'x' });
		await refused(400, 'bad_json', { to: 'a@b', what: 1 });
		assert.equal((await ask('POST', 'rooms/daily/dial', { to: 'a@b' }, null)).status, 401);
		assert.equal((await ask('GET', 'rooms/daily/dial/4711')).status, 404);
		// who made a room is its host, but has no account
		const s = await Socket.open(server.url);
		await s.join('guests', 'Gus');
		const e = await s.ask({ type: 'dial', to: 'a@127.0.0.1' }, 'error');
		assert.equal(e.code, 'dial_sign_in');
		s.destroy();
	});

	test('how to get here is told', async () => {
		const { dial_in } = await ask('GET', 'server', undefined, null);
		assert.deepEqual(dial_in, { number: '+49 89 1234', domain: '', bridge: 'bridge', dial: 'hosts' });
	});
});

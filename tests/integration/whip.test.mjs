// GStreamer's webrtcbin publishes by WHIP and views by WHEP, beside bots that came
// through the WebSocket.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Bots, COLOURS, assertHears, assertSees, near } from '../support/bots.mjs';
import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';
import { Whip } from '../support/whip.mjs';

const limit = { timeout: within(120000) };
const LEFT = [160, 180], RIGHT = [480, 180]; // of two tiles in 640x360
let server;

before(async () => { server = await Server.small({ 'room.linger_s': 1, 'log.level': 'debug' }); });
after(() => server.stopFine());

const legs = (room) => server.value('mcu_legs', room);
const gone = (room) => until(`room ${room} to close`, async () => await legs(room) === undefined);

// What a viewer sees, left to right, and which senders it hears.
async function sees(viewer, colours) {
	await until('the right picture', () => {
		const rgb = viewer.last('seen')?.rgb;
		return rgb && colours.every((c, i) => near(rgb[i], COLOURS[c]));
	}).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(viewer.last('seen'))} ${viewer.log}`); });
}

async function hears(viewer, senders) {
	await until('the right sound', () => {
		const db = viewer.last('seen')?.db;
		return db && db.every((v, i) => senders.includes(i) ? v > -30 : v < -40);
	}).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(viewer.last('seen'))}`); });
}

describe('WHIP and WHEP', limit, () => {
	for (const [codec, trickle] of [['h264', false], ['vp8', true]])
		test(`a publisher with ${codec} is seen and heard, a viewer sees and hears${trickle ? ', with trickled candidates' : ''}`, async () => {
			const room = `gst-${codec}`;
			const bots = Bots.start(server, room, { senders: 1, decode: 1, seconds: 8 });
			await bots.ready;
			const publisher = Whip.publish(server, room, 1, { codec, trickle, name: 'OBS 스튜디오' });
			await publisher.heard('connected');
			const viewer = Whip.view(server, room, [LEFT, RIGHT], { codec, trickle });
			await viewer.heard('connected');
			assert.equal(await legs(room), 3);
			await sees(viewer, [0, 1]);
			await hears(viewer, [0, 1]);
			const s = await bots.fine();
			const [bot] = s.participants;
			const other = bot.colours.find((c) => c.leg !== undefined && c.leg !== bot.leg)?.leg;
			assert.ok(other, JSON.stringify(bot.colours));
			assertSees(bot, new Map([[bot.leg, 0], [other, 1]]));
			// It came later than the bot, and its delay is brought down while it plays, which turns the tone's phase.
			assertHears(bot, [1], -36);
			if (trickle)
				for (const w of [publisher, viewer])
					assert.deepEqual(w.events.filter((e) => e.event === 'trickled' && e.status !== 204), []);
			const frames = viewer.last('seen').frames;
			await until('more pictures', () => viewer.last('seen').frames > frames + 10);
			assert.deepEqual(await viewer.stop(), [200, 404]);
			assert.deepEqual(await publisher.stop(), [200, 404]);
			await gone(room);
		});

	test('a publisher\'s second picture is what it presents', async () => {
		const room = 'gst-content', screen = [210, 180, 40];
		const publisher = Whip.publish(server, room, 1, { content: screen });
		await publisher.heard('connected');
		// large and left; the camera is in the strip beside it
		const viewer = Whip.view(server, room, [[256, 180], [576, 72]]);
		await viewer.heard('connected');
		await until('both pictures', () => {
			const rgb = viewer.last('seen')?.rgb;
			return rgb && near(rgb[0], screen) && near(rgb[1], COLOURS[1]);
		}).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(viewer.last('seen'))} ${publisher.log}`); });
		assert.equal(await server.value('mcu_video_decoders', room), 2);
		assert.equal(await server.value('mcu_tiles', room), 2);
		await viewer.stop();
		await publisher.stop();
		await gone(room);
	});

	test('what a session says of itself', async () => {
		const publisher = Whip.publish(server, 'say', 0);
		const { location, etag, text } = await publisher.heard('created');
		assert.match(location, /^\/whip\/session\/[0-9a-f]{32}$/);
		assert.match(etag, /^"[0-9a-f]{16}"$/);
		assert.match(text, /a=candidate:.* 127\.0\.0\.1 /);
		assert.match(text, /a=end-of-candidates/);
		assert.doesNotMatch(text, /a=sendrecv/);
		await publisher.heard('connected');
		publisher.say('restart');
		const again = await publisher.heard('restarted');
		assert.equal(again.status, 200);
		assert.notEqual(again.etag, etag);
		assert.match(again.text, /a=ice-ufrag:/);
		assert.equal(again.stale, 412, 'the earlier tag');
		assert.match(server.log, /offer of WHIP of 127\.0\.0\.1: v=0/);
		assert.doesNotMatch(server.log, /a=ice-pwd:[^.]/);
		await publisher.stop();
		await gone('say');
	});

	test('a room for members asks for a token', async () => {
		const admin = { authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` };
		const api = `${server.url}/api/v1/rooms/members`;
		assert.equal((await fetch(api, { method: 'PUT', headers: admin, body: '{"members_only": true}' })).status, 200);
		for (const [token, code] of [[undefined, 'members_only'], ['i1.wrong', 'token_invalid']]) {
			const refused = Whip.publish(server, 'members', 0, { token });
			const e = await refused.heard('created');
			assert.equal(e.status, 401);
			assert.equal(JSON.parse(e.text).code, code);
			await refused.exited;
		}
		const made = await fetch(`${api}/invitations`, { method: 'POST', headers: admin, body: '{"role": "participant"}' });
		const { token } = await made.json();
		const publisher = Whip.publish(server, 'members', 0, { token });
		assert.equal((await publisher.heard('created')).status, 201);
		await publisher.heard('connected');
		await publisher.stop();
	});

	test('the first one in is no host when it is a device', async () => {
		const publisher = Whip.publish(server, 'device', 0);
		await publisher.heard('connected');
		const s = await Socket.open(server.url);
		s.send({ type: 'join', room: 'device', name: 'Ann' });
		const { participants } = await s.next('welcome');
		assert.deepEqual(participants.map((p) => [p.name, p.role]), [['Stream', 'participant'], ['Ann', 'participant']]);
		// Nobody is host now, and after a while Ann is: the device is passed over.
		const isHost = (m) => m.participant.role === 'host';
		assert.equal((await s.next('joined', { test: isHost, ms: within(20000) })).participant.name, 'Ann');
		s.destroy();
		await publisher.stop();
		await gone('device');
	});
});

// A room system that shares slides beside its camera: they are the room's content. What
// this server does not do for it (BFCP) is refused in its place.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';

import { lastPicture } from '../support/h264.mjs';
import { Phone } from '../support/phone.mjs';
import { Server, tie, until } from '../support/server.mjs';
import { Sipp } from '../support/sipp.mjs';
import { Socket } from '../support/ws.mjs';

// Green slides, from the port that the call says.
function show(port, to) {
	const child = spawn('ffmpeg', ['-v', 'error', '-re', '-f', 'lavfi', '-i', 'color=c=green:s=320x180:r=10',
		'-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p',
		'-g', '10', '-b:v', '100k', '-payload_type', '97', '-f', 'rtp', `rtp://127.0.0.1:${to}?localrtpport=${port}&pkt_size=1200`],
	{ stdio: ['ignore', 'ignore', 'inherit'] });
	tie(child);
	return child;
}

test('slides of a room system are the content', { timeout: 120000 }, async () => {
	const server = await Server.small({ 'sip.port': 0 });
	const host = await Socket.open(server.url);
	await host.join('slides', 'Ann');
	const phone = await Phone.open({ video: true });
	const spare = await Phone.open(); // for two ports that are free, one above the other
	const { port } = spare.audio;
	spare.close();
	const system = await Sipp.start('slides', {
		to: `127.0.0.1:${server.sipPort}`, user: 'slides', phone,
		keys: { slides_port: port, h264: 'profile-level-id=42e01f;packetization-mode=1' },
	});
	const { participant: { leg, kind } } = await host.next('joined', { test: (m) => m.participant.kind === 'phone' });
	assert.equal(kind, 'phone');

	const lines = (await system.sdp()).split(/^m=/m).slice(1);
	assert.deepEqual(lines.map((l) => l.split(' ')[0]), ['audio', 'video', 'application', 'video'], lines.join());
	assert.deepEqual(lines.map((l) => Number(l.split(' ')[1]) > 0), [true, true, false, true]);
	assert.match(lines[2], /^application 0 TCP\/BFCP \*/);
	assert.match(lines[3], /a=content:slides/);
	assert.match(lines[3], /a=sendrecv/);

	const source = show(port, Number(lines[3].split(' ')[1]));
	const layout = await host.next('layout', { test: (m) => m.tiles.some((t) => t.leg === leg && t.content), ms: 30000 });
	assert.equal(layout.content, leg);
	const { token } = await (await fetch(`${server.url}/api/v1/login`, { method: 'POST', body: JSON.stringify({ name: 'admin', password: server.password }) })).json();
	await until('the slides to come', async () => {
		const r = await fetch(`${server.url}/api/v1/rooms/slides/legs`, { headers: { authorization: `Bearer ${token}` } });
		const its = (await r.json()).legs.find((l) => l.leg === leg);
		return its.presents && its.uplink.content?.packets > 20 && its.uplink.content.codec === 'H264';
	}, 30000);
	source.kill();
	system.go();
	await system.fine();
	await host.next('left', { test: (m) => m.leg === leg });
	phone.close();
	host.destroy();
	await server.stopFine();
});

// Whether all of a picture is of the slides' green.
const isGreen = (rgb) => rgb?.every((v, i) => (i % 3 === 1 ? v > 80 : v < 60));

test('a room system is sent what another one presents, as slides', { timeout: 180000 }, async () => {
	const server = await Server.small({ 'sip.port': 0 });
	const host = await Socket.open(server.url);
	await host.join('both', 'Ann');
	const spare = await Phone.open();
	const { port } = spare.audio;
	spare.close();
	const phones = [await Phone.open({ video: true }), await Phone.open({ video: true, slides: true })];
	const systems = [], legs = [];
	for (const phone of phones) {
		systems.push(await Sipp.start('slides', {
			to: `127.0.0.1:${server.sipPort}`, user: 'both', phone,
			keys: { slides_port: phone.slides?.port ?? port, h264: 'profile-level-id=42e01f;packetization-mode=1' },
		}));
		legs.push((await host.next('joined', { test: (m) => m.participant.kind === 'phone' })).participant.leg);
		phone.connect(await systems.at(-1).sdp());
	}
	const [, viewer] = phones;
	// Both have the line, and nobody presents.
	await until('the main picture to come', () => viewer.video.received > 0 && viewer.audio.received > 50, 30000);
	assert.equal(viewer.slides.received, 0);
	await until('one encoder', async () => await server.value('mcu_video_encoders', 'both') === 1, 30000);

	const at = Number((await systems[0].sdp()).split(/^m=/m)[4].split(' ')[1]);
	const source = show(port, at);
	await host.next('layout', { test: (m) => m.content === legs[0], ms: 30000 });
	let seen;
	await until('green slides', () => isGreen(seen = lastPicture(viewer.slides.packets, 16, 9)), 40000)
		.catch((e) => assert.fail(`${e.message}: ${viewer.slides.received} packets, ${seen}`));
	assert.ok(viewer.slides.packets.every((p) => p.pt === 97 && p.ssrc === viewer.slides.packets[0].ssrc));
	assert.notEqual(viewer.slides.packets[0].ssrc, viewer.video.packets[0].ssrc);
	// The main picture is another one: the slides and who is there.
	assert.ok(!isGreen(lastPicture(viewer.video.packets, 16, 9)));
	await until('two encoders', async () => await server.value('mcu_video_encoders', 'both') === 2, 30000);

	source.kill();
	await host.next('layout', { test: (m) => !m.content, ms: 30000 });
	await until('no encoder for slides', async () => await server.value('mcu_video_encoders', 'both') === 1, 30000);
	let count = -1;
	await until('the slides to end', () => {
		const before = count;
		count = viewer.slides.received;
		return count === before;
	}, 30000);
	const sound = viewer.audio.received;
	await until('the call to go on', () => viewer.audio.received > sound + 50, 30000);
	assert.equal(viewer.slides.received, count);
	for (const s of systems) {
		s.go();
		await s.fine();
	}
	phones.forEach((p) => p.close());
	host.destroy();
	await server.stopFine();
});

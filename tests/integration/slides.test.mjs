// A room system that shares slides beside its camera: they are the room's content. What
// this server does not do for it (BFCP) is refused in its place.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';

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
	assert.match(lines[3], /a=recvonly/);

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

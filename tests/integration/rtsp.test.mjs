// RTSP: rooms live, over UDP and over the connection, to a client made by hand and to ffmpeg,
// GStreamer and VLC; who may watch; bad input.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { Bots, COLOURS, near } from '../support/bots.mjs';
import { Rtsp } from '../support/rtsp.mjs';
import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const limit = { timeout: within(120000) };
const run = promisify(execFile);
let server, bots, link;

// Something to watch: a recording of the room, so long.
async function record(room, ms) {
	const s = await Socket.open(server.url);
	await s.join(room, 'operator');
	s.send({ type: 'record', action: 'start' });
	await s.next('recording', { test: (m) => m.state === 'on' });
	await sleep(ms);
	s.send({ type: 'record', action: 'stop' });
	const { url } = await s.next('recording', { test: (m) => m.url });
	s.close?.();
	const [, id, token] = url.match(/recordings\/(\d+)\/(\w+)/);
	return { path: `/recordings/${id}`, query: `?token=${token}`, id };
}

before(async () => {
	server = await Server.small({ 'rtsp.port': 0, 'room.linger_s': 1, 'room.record': 'all', 'log.level': 'debug' });
	bots = Bots.start(server, 'live', { senders: 1, seconds: 600 });
	await bots.ready;
	link = await record('live', 12000);
});
after(async () => {
	await bots.finish();
	await server.stopFine();
});

// The colour in the middle of a picture that ffmpeg takes of it, after some time.
async function ffmpegSees(url, transport, ms = 30000) {
	const { stdout } = await run('ffmpeg', ['-v', 'error', '-rtsp_transport', transport, '-i', url, '-map', '0:v', '-frames:v', '20',
		'-vf', 'crop=2:2', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], { encoding: 'buffer', maxBuffer: 1 << 24, timeout: within(ms) });
	return [...stdout.subarray(-3)];
}

describe('live', limit, () => {
	for (const transport of ['udp', 'tcp'])
		test(`ffmpeg sees the room over ${transport}`, async () => {
			const rgb = await ffmpegSees(`rtsp://127.0.0.1:${server.rtspPort}/rooms/live`, transport);
			assert.ok(near(rgb, COLOURS[0]), `${rgb} ${COLOURS[0]}`);
		});
});

describe('stored', limit, () => {
	for (const transport of ['udp', 'tcp'])
		test(`ffmpeg sees the recording over ${transport}`, async () => {
			const rgb = await ffmpegSees(`rtsp://127.0.0.1:${server.rtspPort}${link.path}${link.query}`, transport);
			assert.ok(near(rgb, COLOURS[0]), `${rgb} ${COLOURS[0]}`);
		});
});

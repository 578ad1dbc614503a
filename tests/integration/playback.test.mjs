// What is played into a room: a recording, with its colours and tones, paused, sought,
// stopped; and what is refused.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';

import { Bots, COLOURS, TONES, near } from '../support/bots.mjs';
import { colour, level } from '../support/media.mjs';
import { Server, until } from '../support/server.mjs';
import { within } from '../support/variant.mjs';
import { Socket } from '../support/ws.mjs';

const WIDTH = 640, HEIGHT = 360;
const UNHEARD_DB = -55;
const limit = { timeout: within(180000) };

class Api {
	constructor(server, room) {
		this.server = server;
		this.room = room;
	}

	async sign() {
		const r = await this.call('POST', '/api/v1/login', { name: 'admin', password: this.server.password });
		this.token = (await r.json()).token;
	}

	call(method, path, body) {
		const headers = this.token ? { authorization: `Bearer ${this.token}` } : {};
		return fetch(`${this.server.url}${path}`, { method, headers, body: body && JSON.stringify(body) });
	}

	async playback(method, id, body) {
		const r = await this.call(method, `/api/v1/rooms/${this.room}/playbacks${id ? `/${id}` : ''}`, body);
		return { status: r.status, body: r.status === 204 ? null : await r.json() };
	}
}

// Records the room while fn runs; the file.
async function recorded(server, host, folder, fn) {
	let from = host.messages.length;
	host.send({ type: 'record', action: 'start' });
	await host.next('recording', { from, test: (m) => m.state === 'on' });
	await fn();
	from = host.messages.length;
	host.send({ type: 'record', action: 'stop' });
	const { url, recording: id } = await host.next('recording', { from, test: (m) => m.state === 'ready', ms: 30000 });
	const file = join(folder, `${id}.mp4`);
	writeFileSync(file, Buffer.from(await (await fetch(new URL(url, server.url))).arrayBuffer()));
	return { file, id: String(id) };
}

const state = (host, want, from = 0, ms = 20000) => host.next('playback', { from, test: (m) => m.state === want, ms });

describe('a recording in a room', limit, () => {
	let server, host, api, folder, source;
	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'mcu-play-'));
		server = await Server.small({ 'room.record': 'all', 'room.linger_s': 1 });
		host = await Socket.open(server.url);
		await host.join('play', 'Ann');
		api = new Api(server, 'play');
		await api.sign();
		const bots = Bots.start(server, 'play', { senders: 1, seconds: 600 });
		await bots.ready;
		source = await recorded(server, host, folder, () => sleep(5000));
		await bots.finish();
	});
	after(async () => {
		host?.destroy();
		await server?.stopFine();
		rmSync(folder, { recursive: true, force: true });
	});

	test('is seen and heard, and leaves at its end', async () => {
		const from = host.messages.length;
		const { file } = await recorded(server, host, folder, async () => {
			const { status, body } = await api.playback('POST', null, { source: 'recording', recording: source.id, title: 'Film' });
			assert.equal(status, 202, JSON.stringify(body));
			const { participant } = await host.next('joined', { from, test: (m) => m.participant.kind === 'playback', ms: 20000 });
			assert.equal(participant.name, 'Film');
			await state(host, 'playing', from);
			await state(host, 'ended', from, 30000);
			await host.next('left', { from, test: (m) => m.leg === participant.leg });
		});
		assert.ok(near(colour(file, 3, WIDTH / 2, HEIGHT / 2, WIDTH), COLOURS[0]), `${colour(file, 3, WIDTH / 2, HEIGHT / 2, WIDTH)}`);
		const heard = level(file, 2.5, TONES[0]), was = level(source.file, 2, TONES[0]);
		assert.ok(Math.abs(heard - was) < 2, `${heard} dB, and ${was} dB at first`);
		assert.ok(level(file, 2.5, TONES[3]) < UNHEARD_DB);
		await until('its process to end', async () => await server.value('mcu_media_children') === 0);
	});
});

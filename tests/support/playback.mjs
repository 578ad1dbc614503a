// What is played into rooms: the requests, and what the room becomes as a recording.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class Api {
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

export async function upload(api, file, name = 'film.mp4') {
	const body = readFileSync(file);
	const asked = await api.call('POST', `/api/v1/rooms/${api.room}/uploads`, { name, bytes: body.length });
	assert.equal(asked.status, 201, await asked.clone().text());
	const { url } = await asked.json();
	const r = await fetch(new URL(url, api.server.url), { method: 'PUT', body });
	return { status: r.status, body: await r.json(), url };
}

export const ffmpeg = (...args) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...args]);

// Records the room while fn runs: {file, id}.
export async function recorded(server, host, folder, fn) {
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

export const state = (host, want, from = 0, ms = 20000) => host.next('playback', { from, test: (m) => m.state === want, ms });

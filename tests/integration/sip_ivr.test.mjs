// Callers of the bridge, and the keys of telephones in a room. Each announcement is a tone
// here, so that it can be told which one is heard, and by whom.
// Beside others.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { Telephone, legs } from '../support/sip_rig.mjs';
import { within } from '../support/variant.mjs';

const A = 440, B = 700; // Hz
const ENTER_NUMBER = 900, WRONG_NUMBER = 1100, ENTER_PIN = 1300, WRONG_PIN = 1500, MUTED = 2300, UNMUTED = 2500, MUSIC = 2900;
const LONG_S = 30; // what is waited for is still there on a slow machine
const SOUNDS = {
	'en/welcome': [0, 0.1], 'en/enter_number': [ENTER_NUMBER, LONG_S], 'en/wrong_number': [WRONG_NUMBER, 8],
	'en/enter_pin': [ENTER_PIN, LONG_S], 'en/wrong_pin': [WRONG_PIN, LONG_S], 'en/goodbye': [1700, 0.3],
	'en/only_one': [1900, 0.1], 'en/one_other': [2100, 0.1], 'en/muted': [MUTED, LONG_S],
	'en/unmuted': [UNMUTED, LONG_S], 'en/wait_lobby': [2700, 0.1], music: [MUSIC, LONG_S], join: [0, 0.1], leave: [0, 0.1],
};
const limit = { timeout: within(200000) };
let server, folder;

// 16 kHz, 16 bits.
function wav([hz, seconds]) {
	const rate = 16000, n = Math.round(rate * seconds), file = Buffer.alloc(44 + 2 * n);
	file.write('RIFF');
	file.writeUInt32LE(36 + 2 * n, 4);
	file.write('WAVEfmt ', 8);
	file.writeUInt32LE(16, 16);
	file.writeUInt16LE(1, 20);
	file.writeUInt16LE(1, 22);
	file.writeUInt32LE(rate, 24);
	file.writeUInt32LE(2 * rate, 28);
	file.writeUInt16LE(2, 32);
	file.writeUInt16LE(16, 34);
	file.write('data', 36);
	file.writeUInt32LE(2 * n, 40);
	for (let i = 0; i < n; i++)
		file.writeInt16LE(Math.round(12000 * Math.sin(2 * Math.PI * hz * i / rate)), 44 + 2 * i);
	return file;
}

async function put(room, body) {
	const r = await fetch(`http://127.0.0.1:${server.port}/api/v1/rooms/${room}`, {
		method: 'PUT', body: JSON.stringify(body),
		headers: { 'Content-Type': 'application/json', Authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}` },
	});
	assert.equal(r.status, 200, await r.text());
}

const parlours = (n) => until(`${n} calls in no room`, async () => await server.value('mcu_parlours') === n, 20000);

describe('telephones are spoken to', limit, () => {
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), 'mcu-prompts-'));
		mkdirSync(join(folder, 'en'));
		for (const [name, sound] of Object.entries(SOUNDS))
			writeFileSync(join(folder, `${name}.wav`), wav(sound));
		server = await Server.small({ 'sip.port': 0, 'sip.prompts': folder, 'room.linger_s': 1 });
		await put('team', { number: '4711' });
		await put('secret', { number: '5500', guest_pin: '1234' });
		await put('waiting', { lobby: true });
	});
	after(async () => {
		rmSync(folder, { recursive: true, force: true });
		await server.stopFine();
	});

	test('the bridge asks for a number and leads into its room', async () => {
		const t = await Telephone.call(server, 'bridge', { hz: A });
		await parlours(1);
		await t.hears({ [ENTER_NUMBER]: true, [A]: false });
		await t.phone.press('4711#');
		await legs(server, 'team', 1);
		await parlours(0);
		await t.hears({ [ENTER_NUMBER]: false });
		await t.finish();
	});

	test('a PIN is asked for, also a second time', async () => {
		const t = await Telephone.call(server, 'bridge');
		await t.hears({ [ENTER_NUMBER]: true });
		await t.phone.press('5500#');
		await t.hears({ [ENTER_PIN]: true });
		await t.phone.press('9999#');
		await t.hears({ [WRONG_PIN]: true });
		assert.equal(await server.value('mcu_legs', 'secret'), undefined);
		await t.phone.press('1234#');
		await legs(server, 'secret', 1);
		await t.finish();
	});

	test('a room that was called itself asks for its PIN too', async () => {
		const t = await Telephone.call(server, 'secret');
		await t.hears({ [ENTER_PIN]: true });
		await t.phone.press('1234#');
		await legs(server, 'secret', 1);
		await t.finish();
	});

	test('three wrong numbers are enough', async () => {
		const t = await Telephone.call(server, 'bridge', { scenario: 'call_until_bye' });
		await t.hears({ [ENTER_NUMBER]: true });
		for (let i = 0; i < 3; i++) {
			await t.phone.press('123#');
			t.phone.forget(); // what was said of the one before
			await t.hears({ [WRONG_NUMBER]: true });
		}
		await t.fine();
		await parlours(0);
	});

	test('who waits for a host hears music', async () => {
		const t = await Telephone.call(server, 'waiting');
		await t.hears({ [MUSIC]: true });
		await t.finish();
		await parlours(0);
	});

	test('*4 records the room, and ends it; *9 pauses', async () => {
		await put('taped', { record: 'all' });
		const t = await Telephone.call(server, 'taped', { hz: A });
		await legs(server, 'taped', 1);
		const recordings = async () => (await server.recordings()).filter((r) => r.room === 'taped');
		const encoders = (n) => until(`${n} recorders at work`, async () => (await server.value('mcu_video_encoders', 'taped') ?? 0) === n, 20000);
		await t.phone.press('*4');
		await until('a recording', async () => (await recordings())[0]?.state === 'recording', 20000);
		await encoders(1); // nobody but the recorder has pictures
		await until('something in it', async () => (await server.value('mcu_video_encoded_frames_total')) > 15);
		await t.phone.press('*9');
		await encoders(0);
		await t.phone.press('*9');
		await encoders(1);
		await t.phone.press('*4');
		const [r] = await until('it to be ready', async () => (await recordings())[0]?.state === 'ready' && recordings(), 20000);
		assert.ok(r.bytes > 0 && r.duration_ms > 500, JSON.stringify(r));
		await t.finish();
	});

	test('*6 mutes and unmutes, which only that one is told', async () => {
		const a = await Telephone.call(server, '4711', { hz: A });
		const b = await Telephone.call(server, 'team', { hz: B });
		await legs(server, 'team', 2);
		await b.hears({ [A]: true, [B]: false });
		await a.hears({ [A]: false, [B]: true });
		await a.phone.press('*6');
		await a.hears({ [MUTED]: true });
		await b.hears({ [A]: false, [MUTED]: false });
		await a.phone.press('*6');
		await a.hears({ [UNMUTED]: true });
		await b.hears({ [A]: true, [UNMUTED]: false });
		await a.finish();
		await b.finish();
	});
});

// A telephone of a free make (baresip) calls a room in which a browser sits: both hear
// and see each other, with every sound codec, over UDP, TCP, and TLS with SDES. And the
// room calls the telephone.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Baresip } from '../support/baresip.mjs';
import { Server, until } from '../support/server.mjs';
import { LOOKS, Person, near } from './person.mjs';

const WIDTH = 640, HEIGHT = 360, FPS = 15;
const HEARD_DB = -45, UNHEARD_DB = -70; // in the page
const PHONE_HEARD_DB = -30, PHONE_UNHEARD_DB = -50; // at the telephone: G.711 adds noise
const PAGE = 'red', PHONE = 'blue', NOBODY = 'green';
const ROOM = 'reception';

// secure: over TLS, and SRTP with its keys in SDP (RFC 4568)
const CALLS = [
	{ codec: 'PCMU', video: true, transport: 'udp' },
	{ codec: 'opus', video: true, transport: 'tcp' },
	{ codec: 'G722', video: true, transport: 'tls', secure: true },
	{ codec: 'PCMU', transport: 'tls', secure: true },
	{ codec: 'PCMA', transport: 'tcp' },
	{ codec: 'G722', transport: 'udp' },
	{ codec: 'opus', transport: 'tls', secure: true },
];

let server, page;

const uri = (transport) => `sip:${ROOM}@127.0.0.1:${transport === 'tls' ? server.sipTlsPort : server.sipPort};transport=${transport}`;

async function pageHears() {
	let db;
	const hz = [PHONE, PAGE, NOBODY].map((l) => LOOKS[l].hz);
	await until('the page to hear the telephone alone', async () => {
		db = await page.tones(hz);
		return db[0] > HEARD_DB && db[1] < UNHEARD_DB && db[2] < UNHEARD_DB;
	}, 30000).catch((e) => { throw new Error(`${e.message}: ${db.map((v, i) => `${hz[i]} Hz ${v.toFixed(0)} dB`)}`); });
}

async function phoneHears(phone) {
	let db;
	const hz = [PAGE, PHONE, NOBODY].map((l) => LOOKS[l].hz);
	await until('the telephone to hear the page alone', () => {
		db = hz.map((f) => phone.hears(f));
		return db[0] > PHONE_HEARD_DB && db[1] < PHONE_UNHEARD_DB && db[2] < PHONE_UNHEARD_DB;
	}, 30000).catch((e) => { throw new Error(`${e.message}: ${db.map((v, i) => `${hz[i]} Hz ${v.toFixed(0)} dB`)}`); });
}

// The telephone's leg, by the tiles: the one that is not the page's.
const tileOf = (mine) => page.last('layout')?.tiles.find((t) => !t.content && (t.leg === page.leg) === mine);

async function pageSees() {
	await until('the page to see the telephone\'s colour', async () => {
		const tile = tileOf(false);
		return tile && page.sees(tile.leg, PHONE);
	}, 30000).catch(async (e) => {
		const tile = tileOf(false);
		throw new Error(`${e.message}: ${JSON.stringify(tile)} ${tile && await page.colours([tile])}`);
	});
}

async function phoneSees(phone) {
	let rgb;
	await until('the telephone to see the page\'s colour', async () => {
		const tile = tileOf(true), { width, height } = page.last('layout');
		rgb = tile && await phone.sees((tile.x + tile.width / 2) / width, (tile.y + tile.height / 2) / height);
		return rgb && near(rgb, LOOKS[PAGE].rgb);
	}, 30000).catch((e) => { throw new Error(`${e.message}: ${rgb} of ${JSON.stringify(page.last('layout')?.tiles)}`); });
}

// A telephone without a camera has a tile that shows none of its colour.
async function pageSeesAudioTile() {
	const tile = await until('a tile of the telephone', () => tileOf(false));
	assert.ok(!(await page.sees(tile.leg, PHONE)));
}

async function bothWays(phone, video) {
	await pageHears();
	await phoneHears(phone);
	if (!video)
		return pageSeesAudioTile();
	await pageSees();
	await phoneSees(phone);
}

const alone = () => until('the telephone to be gone', () => page.last('layout')?.tiles.filter((t) => t.leg !== page.leg).length === 0, 30000);

const start = (options) => Baresip.start({ name: 'desk', hz: LOOKS[PHONE].hz, ...options });

describe('a telephone and a browser in one room', { timeout: 400000 }, () => {
	before(async () => {
		server = await Server.start({
			'video.width': WIDTH, 'video.height': HEIGHT, 'video.fps': FPS, 'video.bitrate_kbps': 600, 'sip.port': 0, 'sip.tls_port': 0,
		});
		page = await Person.open(server, 'Ana', PAGE);
		await page.join(ROOM);
	});

	after(async () => {
		await page?.close();
		const { code } = await server.stop();
		assert.equal(code, 0, server.log);
	});

	for (const { codec, video, transport, secure } of CALLS)
		test(`${video ? 'H.264 and ' : ''}${codec} over ${transport}${secure ? ', SRTP' : ''}`, async () => {
			const phone = await start({ codec, srtp: secure, rgb: video ? LOOKS[PHONE].rgb : null });
			try {
				await phone.call(uri(transport));
				await bothWays(phone, video);
				await phone.hangup();
				await alone();
			} catch (e) {
				throw new Error(`${e.message}\n${phone.log.slice(-3000)}\n${server.log.slice(-2000)}`);
			} finally {
				await phone.stop();
			}
		});
});

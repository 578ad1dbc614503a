// Telephones into which nobody speaks: the kernel drops their silence, and
// nobody can tell: what they say then is heard at once, and nothing counts as lost.
// Beside others.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Server, until } from '../support/server.mjs';
import { Telephone, gone } from '../support/sip_rig.mjs';
import { within } from '../support/variant.mjs';

const limit = { timeout: within(120000) };
const A = 440, B = 700; // Hz
const DROPPED = 'mcu_net_rx_silence_total';
let server;

before(async () => { server = await Server.small({ 'sip.port': 0, 'room.linger_s': 0 }); });
after(() => server.stopFine());

const dropped = () => server.value(DROPPED);

// Until its packets are dropped, for some time.
async function rests(n = 200) {
	const from = await dropped();
	await until(`${n} packets of silence to be dropped`, async () => await dropped() >= from + n, 30000);
}

// Of the last reports that a telephone was sent: {fraction, lost, highest}.
function reported(telephone) {
	const blocks = telephone.phone.audio.reports.flatMap((compound) => {
		const out = [];
		for (let at = 0; at + 4 <= compound.length; at += 4 * (compound.readUInt16BE(at + 2) + 1)) {
			const type = compound[at + 1], n = compound[at] & 31;
			const first = at + (type === 200 ? 28 : 8);
			for (let i = 0; (type === 200 || type === 201) && i < n; i++)
				out.push({ fraction: compound[first + 24 * i + 4], lost: compound.readIntBE(first + 24 * i + 5, 3), highest: compound.readUInt32BE(first + 24 * i + 8) });
		}
		return out;
	});
	return blocks.at(-1);
}

describe('silence of telephones', limit, () => {
	test('it is dropped until somebody speaks', async () => {
		const a = await Telephone.call(server, 'quiet', { hz: 0 });
		const b = await Telephone.call(server, 'quiet', { hz: B });
		await a.hears({ [B]: true });
		await rests();
		// it still hears, and is told of no loss
		await a.hears({ [B]: true });
		for (let turn = 0; turn < 2; turn++) {
			a.phone.talk(A);
			await b.hears({ [A]: true });
			const before = await dropped();
			b.phone.forget();
			await b.hears({ [A]: true });
			assert.equal(await dropped(), before, 'what is no silence is not dropped');
			a.phone.talk(0);
			await b.hears({ [A]: false });
			await rests();
		}
		for (const key of ['5', '0', '#']) // go as ever
			await a.phone.press(key);
		const reports = a.phone.audio.reports.length;
		await until('another report', () => a.phone.audio.reports.length > reports, 20000);
		const r = reported(a);
		assert.ok(r.highest > 200, `a report is of what came: ${JSON.stringify(r)}`);
		assert.equal(r.fraction, 0);
		assert.ok(r.lost <= 0 && r.lost > -20, `nothing is lost: ${r.lost}`);
		await a.finish();
		await b.finish();
		await gone(server, 'quiet');
	});

	// Of who is heard of no more it is asked where it is.
	test('a telephone that is elsewhere while it rests is found again', async () => {
		const a = await Telephone.call(server, 'moved', { hz: 0 });
		const b = await Telephone.call(server, 'moved', { hz: B });
		await a.hears({ [B]: true });
		await rests();
		await a.phone.audio.move('127.0.0.1');
		a.phone.forget();
		await a.hears({ [B]: true });
		await rests();
		a.phone.talk(A);
		await b.hears({ [A]: true });
		await a.finish();
		await b.finish();
		await gone(server, 'moved');
	});
});

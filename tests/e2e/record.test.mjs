// What is recorded, as who may record chooses it on the page.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import en from '../../web/js/en.js';
import { NOTICE, exact, person, sent, setUp } from './page_rig.mjs';
import { asHost, HOST } from './wire.mjs';

describe('recording', { timeout: 120000 }, () => {
	setUp();

	test('what is recorded is chosen, as far as the server has it; paused and gone on with', async () => {
		const p = await person('Ana', { wired: { answer: (m) => m.type === 'record', alter: asHost() } });
		await p.join('demo');
		const told = (state, more) => p.wire.tell({ type: 'recording', state, recording: '1', by: 'Ana', ...more });
		await p.page.click('#record');
		assert.deepEqual([await p.page.isVisible('#record-what'), await p.page.isVisible('#record-tracks')], [true, false]);
		await p.page.selectOption('#record-what', 'sound');
		await p.page.click('#record-go');
		await sent(p, 'record', (m) => m.action === 'start' && m.video === false && !('tracks' in m));
		told('on', { video: false });
		await p.reads('#recording', exact(en.recordingSound));
		for (const [id, action, state] of [['record-pause', 'pause', 'paused'], ['record-pause', 'resume', 'on'], ['record', 'stop', 'off']]) {
			await p.page.click(`#${id}`);
			await sent(p, 'record', (m) => m.action === action);
			told(state);
		}
		p.wire.tell({ type: 'room', ...HOST.room_policy, record_tracks: true });
		await p.page.click('#record');
		assert.equal(await p.page.inputValue('#record-what'), 'sound', 'as before');
		await p.page.selectOption('#record-what', 'video');
		await p.page.check('#record-tracks');
		await p.page.click('#record-go');
		await sent(p, 'record', (m) => m.action === 'start' && m.video === true && m.tracks === true);
		told('on', { tracks: true });
		await p.reads(NOTICE, exact(en.recordingTracks));
	});
});

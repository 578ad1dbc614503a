// What the tests of the page share: a server, one browser, people in it, and a
// wire that speaks in the server's place where a state is hard to provoke.
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';

import en from '../../web/js/en.js';
import ko from '../../web/js/ko.js';
import { Server, until } from '../support/server.mjs';
import { launch, media, Person } from './person.mjs';
import { asHost, wire } from './wire.mjs';

export const WORDS = { en, ko };
export const ERROR = '#join-error', NOTICE = '#notice';
export const GUEST = { leg: 9001, name: '김민지', audio: true, video: true, audio_muted: false, video_muted: false, role: 'participant', hand: false };
const HOSTS_ONLY = ['moderate', 'admit', 'policy']; // not for the server: the others are not there
export const rig = { server: null, browser: null };
const people = [];

// Inside describe().
export function setUp() {
	before(async () => {
		rig.server = await Server.small();
		rig.browser = await launch(media('red'), { flags: ['--autoplay-policy=no-user-gesture-required'] });
	});

	afterEach(async () => {
		const errors = people.flatMap((p) => p.errors);
		await Promise.all(people.splice(0).map((p) => p.close()));
		assert.deepEqual(errors, [], 'errors of the page');
	});

	after(async () => {
		await rig.browser.close();
		await rig.server.stopFine();
	});
}

export async function person(name, { wired, ...options } = {}) {
	const p = await Person.in(rig.browser, rig.server, name, options);
	people.push(p);
	if (wired)
		p.wire = await wire(p, wired);
	return p;
}

// In the room as a host, with somebody else whom only the page knows of.
export async function hosting(more = {}) {
	const p = await person('Ana', { wired: { alter: asHost(more), answer: (m) => HOSTS_ONLY.includes(m.type) } });
	await p.join('demo');
	p.wire.tell({ type: 'joined', participant: GUEST });
	await p.reads('#people', /김민지/);
	return p;
}

export const fill = (text, values) => Object.entries(values).reduce((s, [k, v]) => s.replaceAll(`{${k}}`, v), text);
export const exact = (text) => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
export const label = (p, id) => p.page.textContent(`#${id}`);
export const focused = (p) => p.page.evaluate(() => document.activeElement.id);
export const sent = (p, type, test = () => true) => until(`the page to send ${type}`, () => p.wire.sent.find((m) => m.type === type && test(m)));

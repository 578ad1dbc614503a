// A host and the others, each a page of its own, at the real server: PIN, waiting
// room, chat, hands, muting, removing, and a host's reload.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import en from '../../web/js/en.js';
import ko from '../../web/js/ko.js';
import { Server, until } from '../support/server.mjs';
import { clean } from './axe.mjs';
import { launch, media, Person } from './person.mjs';

const ERROR = '#join-error', NOTICE = '#notice';
const exact = (text) => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
const fill = (text, name) => exact(text.replaceAll('{name}', name));
let server;
let browser;
let rooms = 0;
const people = [];

async function person(name, options) {
	const p = await Person.in(browser, server, name, options);
	people.push(p);
	return p;
}

// A room of its own with a host in it.
async function hosted(name = 'Ana') {
	const room = `class-${++rooms}`;
	const host = await person(name);
	await host.join(room);
	await until('to be the host', () => host.page.evaluate(() => document.querySelector('#people li').textContent.includes('host')));
	return { room, host };
}

async function policy(host, fn) {
	await host.page.click('#more');
	await host.page.click('#menu-policy');
	await fn(host.page);
	await host.page.click('#policy-form [type=submit]');
}

async function act(host, name, button) {
	await host.page.getByRole('button', { name: en.actionsFor.replace('{name}', name), exact: true }).click();
	await host.page.click(button);
}

describe('a host and the others', { timeout: 240000 }, () => {
	before(async () => {
		server = await Server.small();
		browser = await launch(media('red'), { flags: ['--autoplay-policy=no-user-gesture-required'] });
	});

	afterEach(async () => {
		const errors = people.flatMap((p) => p.errors);
		await Promise.all(people.splice(0).map((p) => p.close()));
		assert.deepEqual(errors, [], 'errors of the page');
	});

	after(async () => {
		await browser.close();
		await server.stopFine();
	});

	test('a PIN set in the room is asked for at the door', async () => {
		const { room, host } = await hosted();
		await policy(host, (page) => page.fill('#policy-guest-pin', '2468'));
		await until('the PIN to be set', () => host.last('room')?.guest_pin === true);
		const guest = await person('민지', { locale: 'ko-KR' });
		await guest.ask(room);
		await guest.reads(ERROR, exact(ko.code_pin_required));
		await guest.page.fill('#pin', '1357');
		await guest.page.keyboard.press('Enter');
		await guest.reads(ERROR, exact(ko.code_pin_wrong));
		await guest.page.fill('#pin', '2468');
		await guest.page.keyboard.press('Enter');
		await guest.connected();
		await policy(host, (page) => page.check('#remove-guest-pin'));
		await until('the PIN to be gone', () => host.last('room')?.guest_pin === false);
	});

	test('a locked room, and the waiting room: admitted, refused', async () => {
		const { room, host } = await hosted();
		await policy(host, (page) => page.check('#policy-locked'));
		await host.reads('#locked', exact(en.lockedChip));
		const guest = await person('Lukas'), other = await person('Zoe');
		await guest.ask(room);
		await guest.reads(ERROR, exact(en.code_room_locked));
		await policy(host, async (page) => {
			await page.uncheck('#policy-locked');
			await page.check('#policy-lobby');
		});
		await until('the lobby', () => host.last('room')?.lobby && !host.last('room').locked);
		await guest.page.click('#join-button');
		await guest.reads('#lobby [role=status]', exact(en.lobbyTold));
		await host.reads(NOTICE, fill(en.somebodyWaits, 'Lukas'));
		await other.ask(room);
		await host.page.getByRole('button', { name: 'Refuse Zoe' }).click();
		await other.reads(ERROR, exact(en.code_refused));
		await host.page.getByRole('button', { name: 'Admit Lukas' }).click();
		await guest.connected();
		await until('nobody to wait', async () => !await host.page.isVisible('#waiting'));
		await guest.page.reload(); // who was let in once is let in again
		await guest.connected();
	});

	test('chat to all and to one', async () => {
		const { room, host } = await hosted();
		const guest = await person('Lukas'), other = await person('Zoe');
		await guest.join(room);
		await other.join(room);
		await guest.page.click('#chat');
		await guest.page.fill('#chat-text', 'Hello <b>all</b>');
		await guest.page.keyboard.press('Enter');
		for (const p of [host, guest, other])
			await until(`${p.name} to have it`, async () => /Hello <b>all<\/b>/.test(await p.page.textContent('#lines')));
		await host.reads('#chat .unread', /^1$/);
		await act(host, 'Lukas', '#person-chat');
		await host.page.keyboard.type('only you');
		await host.page.keyboard.press('Enter');
		await guest.reads('#lines .private', /only you/);
		await host.reads('#lines .private.own', /Lukas \(private\).*only you/);
		assert.doesNotMatch(await other.page.textContent('#lines'), /only you/);
	});

	test('hands, muting and cameras off', async () => {
		const { room, host } = await hosted();
		const guest = await person('Lukas');
		await guest.join(room);
		await guest.page.click('#hand');
		await host.reads(NOTICE, fill(en.handRaisedBy, 'Lukas'));
		await act(host, 'Lukas', '#person-hand');
		await until('the hand to be down', async () => await guest.page.textContent('#hand') === en.raiseHand);
		await act(host, 'Lukas', '#person-mute');
		await guest.reads(NOTICE, fill(en.mutedBy, 'Ana'));
		assert.equal(await guest.page.textContent('#mute'), en.unmute);
		await act(host, 'Lukas', '#person-camera');
		await guest.reads(NOTICE, fill(en.cameraOffBy, 'Ana'));
		await until('the camera to be off', () => guest.page.evaluate(() => window.opened.findLast((t) => t.kind === 'video').readyState === 'ended'));
		await guest.page.click('#mute');
		await until('to be heard again', () => host.messages.findLast((m) => m.type === 'muted' && m.leg === guest.leg)?.audio === false);
		await policy(host, (page) => page.uncheck('#policy-unmute'));
		await until('the rule', () => guest.last('room')?.unmute === false);
		await host.page.click('#mute-all');
		await until('silence', async () => await guest.page.textContent('#mute') === en.unmute);
		await guest.page.click('#mute');
		await guest.reads(NOTICE, exact(en.unmuteNotAllowed));
		assert.equal(await guest.page.textContent('#mute'), en.unmute);
		const late = await person('Zoe');
		await late.join(room);
		await until('who comes later to be muted too', async () => await late.page.textContent('#mute') === en.unmute);
	});

	test('who is removed reads so and stays out', async () => {
		const { room, host } = await hosted();
		const guest = await person('민지', { locale: 'ko-KR' });
		await guest.join(room);
		await act(host, '민지', '#person-remove');
		await host.page.click('#confirm-yes');
		await guest.reads(ERROR, exact(ko.code_kicked));
		await host.reads('#announce', fill(en.hasLeft, '민지'));
		await new Promise((r) => setTimeout(r, 1500));
		assert.equal(await guest.page.isVisible('#join-button'), true);
		await guest.page.reload();
		await guest.page.waitForSelector('#join-button');
		assert.equal(await guest.page.evaluate(() => document.body.dataset.media), undefined);
	});

	test('a host who reloads is the host still; when the host leaves, another one becomes it', async () => {
		const { room, host } = await hosted();
		const guest = await person('Lukas');
		await guest.join(room);
		await host.page.reload();
		await host.connected();
		assert.equal(host.last('welcome').role, 'host');
		assert.equal(await host.page.isVisible('#mute-all'), true);
		await host.page.click('#leave');
		await guest.reads(NOTICE, exact(en.nowHost), 20000);
	});

	test('the page for those who watch, and other servers that a room is sent to', async () => {
		const { room, host: guest } = await hosted();
		const open = async ({ page }) => {
			await page.click('#more');
			await page.click('#menu-streams');
		};
		await open(guest);
		assert.equal(await guest.page.inputValue('#stream-watch'), `${server.url}/watch/${room}`);
		await guest.reads('#stream-out', exact(en.streamSignIn), 60000);
		const host = await person('Hana');
		await host.page.goto(server.url);
		await host.page.click('#sign-in');
		await host.page.fill('#user', 'admin');
		await host.page.fill('#password', server.password);
		await host.page.click('#account-go');
		await host.page.waitForSelector('#account', { state: 'hidden' });
		await host.page.fill('#name', 'Hana');
		await host.page.fill('#room', room);
		await host.page.click('#join-button');
		await host.connected();
		await open(host);
		await clean(host, 'streams');
		await host.page.fill('#stream-to', 'ftp://127.0.0.1/x');
		await host.page.click('#stream-start');
		await host.reads('#stream-error', exact(en.code_push_invalid), 60000);
		await host.page.fill('#stream-to', 'rtmp://127.0.0.1:9/live/secret-key');
		await host.page.click('#stream-start');
		await host.reads('#stream-list', /127\.0\.0\.1/, 60000);
		await host.reads('#stream-list', exact(en.streamRetrying), 60000);
		assert.ok(!(await host.page.content()).includes('secret-key'));
		await guest.reads('#stream-list', /127\.0\.0\.1/, 60000);
		await host.page.click('#stream-list button');
		await host.page.click('#confirm-yes');
		await host.reads('#no-streams', exact(en.streamNone), 60000);
		await guest.reads('#no-streams', exact(en.streamNone), 60000);
	});
});

// Telephones, as people in a room see them: a host calls somebody from the page, sees
// the call ring, hangs up, sees who answers, and gives him another name.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import en from '../../web/js/en.js';
import { Phone } from '../support/phone.mjs';
import { Server, until } from '../support/server.mjs';
import { Sipp } from '../support/sipp.mjs';
import { launch, media, Person } from './person.mjs';

let server, browser;

// From the button on, with what the dialog asks for.
async function call(p, to, name = '') {
	await p.page.click('#call-someone');
	await p.page.fill('#dial-to', to);
	await p.page.fill('#dial-name', name);
	await p.page.click('#dial-form [type=submit]');
}

describe('telephones in the page', { timeout: 120000 }, () => {
	before(async () => {
		server = await Server.small({ 'sip.port': 0, 'sip.domain': 'conf.example.org' });
		browser = await launch(media('red'), { flags: ['--autoplay-policy=no-user-gesture-required'] });
	});

	after(async () => {
		await browser?.close();
		await server?.stopFine();
	});

	test('a host calls, hangs up, and sees who answers', async () => {
		const host = await Person.in(browser, server, 'Ana'), guest = await Person.in(browser, server, 'Bob');
		await host.page.goto(server.url);
		await host.page.click('#sign-in');
		await host.page.fill('#user', 'admin');
		await host.page.fill('#password', server.password);
		await host.page.click('#account-go');
		await host.page.waitForSelector('#account', { state: 'hidden' });
		await host.page.fill('#name', 'Ana');
		await host.page.fill('#room', 'phones');
		await host.page.click('#join-button');
		await host.connected();
		await guest.join('phones');
		await host.reads('#dial-in', /sip:phones@conf\.example\.org/);

		const deaf = await Sipp.start('called_rings');
		await call(host, `sip:deaf@127.0.0.1:${deaf.port}`);
		await host.reads('#call-list', new RegExp(en.callRinging));
		await host.page.click('#call-list button');
		await host.page.waitForSelector('#calls', { state: 'hidden' });
		await deaf.fine();

		const busy = await Sipp.start('called_busy');
		await call(host, `sip:busy@127.0.0.1:${busy.port}`, 'Carl');
		await host.reads('#notice', /Carl is busy/);
		await busy.fine();

		const phone = await Phone.open();
		const callee = await Sipp.start('called', { phone });
		await call(host, `sip:+498912345612@127.0.0.1:${callee.port}`, 'Carol');
		phone.connect(await callee.sdp());
		phone.talk(440);
		await host.reads('#people', /Carol.*\+498912345612/);
		await guest.reads('#people', /Carol.*\+4989••••12/);
		assert.ok(!/8912345612/.test(await guest.page.textContent('#people')));
		assert.equal(await guest.page.locator(`#people [aria-label="${en.telephone}"]`).count(), 1);
		assert.equal(await guest.page.locator('#call-someone').isVisible(), false);
		// the people in browsers hear the telephone
		await until('Bob to hear the telephone', async () => (await guest.tones([440]))[0] > -60, 30000);

		const act = async (button) => {
			await host.page.getByRole('button', { name: /Actions for Carol/ }).click();
			await host.page.click(button);
		};
		await act('#person-rename');
		await host.page.fill('#rename-name', 'Carola');
		await host.page.click('#rename-form [type=submit]');
		await guest.reads('#people', /Carola/);
		await host.page.getByRole('button', { name: /Actions for Carola/ }).click();
		await host.page.locator('#person-volume').fill('-10');
		await host.reads('#person-db', /-10 dB/);
		await until('the volume to be told', () => guest.last('sound')?.gain_db === -10);
		await host.page.click('#person-remove');
		await host.page.click('#confirm-yes');
		await callee.fine();
		await guest.page.waitForFunction(() => !/Carola/.test(document.getElementById('people').textContent));
		phone.close();
		assert.deepEqual([...host.errors, ...guest.errors], []);
		await host.close();
		await guest.close();
	});
});

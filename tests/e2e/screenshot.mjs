// Takes pictures of the real page, with three painted people in front of their
// cameras; the one in the middle of a sentence speaks.
//
//   tests/e2e/run.sh screenshot           those of the README, into docs/
//   tests/e2e/run.sh screenshot states    every state, in English and Korean, into
//                                         the tests' output folder: LANGUAGE-STATE.png
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Server, until } from '../support/server.mjs';
import { launch, Person } from './person.mjs';
import { paint } from './portraits.mjs';
import { asHost, HOST, wire } from './wire.mjs';

const CAST = [['Ana Souza', 'ana', false], ['Lukas Brandt', 'lukas', true], ['김민지', 'minji', false]];
const SAYS = 'We measured it five times, and the result was the same. I will write it down, and send it around.';
const ROOM = 'Physics-8b';
const DESKTOP = { viewport: { width: 1240, height: 690 } };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const TEXTS = {
	en: { locale: 'en', pupils: ['Noah Becker', 'Sofia Rossi'], chat: ['Is the worksheet on the server?', 'Yes: https://school.example/physics/8b', 'Thank you!'], private: 'May I go five minutes early?' },
	ko: { locale: 'ko-KR', pupils: ['박서준', '이하은'], chat: ['오늘 수업 자료는 어디에 있나요?', '여기 있어요: https://school.example/physics/8b', '감사합니다!'], private: '5분 먼저 나가도 될까요?' },
};
const out = process.env.E2E_OUT;
const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const pause = (ms) => new Promise((r) => setTimeout(r, ms));

function voice(talks) {
	const file = join(out, talks ? 'talks.wav' : 'listens.wav');
	if (talks) {
		execFileSync('espeak-ng', ['-v', 'en-us+m3', '-s', '165', '-w', `${file}.raw.wav`, SAYS]);
		execFileSync('sox', [`${file}.raw.wav`, '-r', '48000', '-c', '1', file, 'norm', '-6']);
	} else {
		execFileSync('sox', ['-n', '-r', '48000', '-c', '1', '-b', '16', file, 'synth', '5', 'pinknoise', 'vol', '0.0005']);
	}
	return file;
}

async function clips() {
	const browser = await launch(null);
	const page = await browser.newPage();
	for (const [, who, talks] of CAST)
		if (!existsSync(join(out, `${who}.y4m`)))
			await paint(page, who, talks, join(out, `${who}.y4m`));
	await browser.close();
}

async function shot(p, file, width) {
	const raw = await p.page.screenshot();
	execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'png_pipe', '-i', '-', ...width ? ['-vf', `scale=${width}:-1:flags=lanczos`] : [],
		'-pred', 'mixed', '-compression_level', '100', file], { input: raw });
	console.log(`${file}: ${Math.round(statSync(file).size / 1024)} KB`);
}

// Everybody seen, sharp, and the speaker speaking.
async function settle(p, speaker) {
	await until('everybody to be seen', () => p.last('layout')?.tiles.length === CAST.length);
	await pause(6000); // for the uplinks to be sharp
	await until('Lukas to speak', () => p.last('speaker')?.leg === speaker.leg);
	await pause(700);
}

/* --- the pictures of the README ------------------------------------------------------ */

async function forReadme(people) {
	const [ana, lukas, minji] = people;
	await minji.page.click('#mute');
	await minji.page.click('#hand');
	await settle(ana, lukas);
	await ana.page.waitForSelector('.notice', { state: 'detached' });
	await until('Lukas to speak again', () => ana.last('speaker')?.leg === lukas.leg);
	await ana.page.mouse.move(5, 5);
	await ana.page.evaluate(() => document.activeElement.blur());
	await shot(ana, join(docs, 'room.png'), 1000);
	await minji.page.click('#chat');
	for (const [i, text] of TEXTS.ko.chat.entries()) {
		const p = i === 1 ? lukas : minji;
		await p.page.evaluate(() => { if (document.querySelector('#panel-chat').hidden) document.querySelector('#chat').click(); });
		await p.page.fill('#chat-text', text);
		await p.page.keyboard.press('Enter');
		await until('the line to come', () => minji.page.evaluate((n) => document.querySelectorAll('.talk').length === n, i + 1));
	}
	await minji.page.evaluate(() => document.activeElement.blur());
	await minji.page.waitForSelector('.notice', { state: 'detached' });
	await shot(minji, join(docs, 'phone.png'), 390);
}

/* --- every state ----------------------------------------------------------------------- */

async function doorStates(browser, server, lang, look) {
	const p = await Person.in(browser, server, CAST[0][0], { ...look, locale: TEXTS[lang].locale });
	let code;
	await wire(p, {
		answer: (m, w) => {
			if (m.type === 'join')
				w.tell(code === 'lobby' ? { type: 'lobby', id: m.id, text: '' } : { type: 'error', id: m.id, code, text: '', fatal: false });
			return m.type === 'join';
		},
	});
	await p.page.route(/\/api\/v1\/server/, (route) => route.fulfill({ json: { sign_in: true } }));
	const take = (name) => p.picture(`${lang}-${name}`);
	await p.page.goto(`${server.url}/?room=${ROOM}`);
	await p.page.fill('#name', CAST[0][0]);
	await p.page.waitForFunction(() => document.getElementById('preview').videoWidth > 0);
	await pause(300);
	await take(look.isMobile ? 'phone-join' : 'join');
	for (const [c, selector] of [['pin_required', '#pin'], ['room_locked', '#join-error'], ['members_only', '#account'], ['lobby', '#lobby']]) {
		code = c;
		await p.page.evaluate(() => document.querySelector('#account').close());
		if (await p.page.isVisible('#pin'))
			await p.page.fill('#pin', '1');
		await p.page.click('#join-button');
		await p.page.waitForFunction((s) => document.querySelector(s).checkVisibility() && !document.querySelector('#join-button').disabled || s === '#lobby', selector);
		await pause(300);
		await take(`${look.isMobile ? 'phone-' : ''}${c.replace('_', '-')}`);
	}
	await p.close();
}

async function roomStates(browser, server, lang, look, others) {
	const words = TEXTS[lang];
	let bad = false;
	const host = asHost();
	const p = await Person.in(browser, server, CAST[0][0], { ...look, locale: words.locale });
	const w = await wire(p, {
		answer: (m) => ['moderate', 'admit', 'policy'].includes(m.type),
		alter: (m) => m.type === 'stats' && bad ? { ...m, score: 1.7, uplink: { ...m.uplink, loss: 0.12, jitter_ms: 64 }, downlink: { ...m.downlink, rtt_ms: 340 } } : host(m),
	});
	const take = (name) => p.picture(`${lang}-${look.isMobile ? 'phone-' : ''}${name}`);
	const press = (...ids) => ids.reduce((before, id) => before.then(() => p.page.click(`#${id}`)), Promise.resolve());
	await p.join(ROOM);
	await until('everybody to be seen', () => p.last('layout')?.tiles.length === CAST.length);
	await pause(6500); // sharp, and nothing to be told
	w.tell({ type: 'speaker', leg: others[0].leg });
	w.tell({ type: 'hand', leg: others[1].leg, raised: true });
	await take('room');
	if (look.isMobile) {
		await p.page.setViewportSize({ width: 844, height: 390 });
		await pause(400);
		await take('room-landscape');
		await press('side-close');
		await take('room-landscape-wide');
		await p.page.setViewportSize({ width: 390, height: 844 });
		await press('panel');
	}
	await p.page.waitForSelector('.notice', { state: 'detached' });
	w.tell({ type: 'waiting', people: words.pupils.map((name, i) => ({ waiting: i, name })) });
	w.tell({ type: 'recording', state: 'on', recording: '1', by: 'Lukas Brandt' });
	w.tell({ type: 'room', ...HOST.room_policy, locked: true });
	await pause(300);
	await take('host');
	await press('chat');
	for (const [i, text] of words.chat.entries())
		w.tell({ type: 'chat', leg: i === 1 ? p.leg : others[1].leg, name: i === 1 ? CAST[0][0] : '김민지', text, at: Date.now() });
	w.tell({ type: 'chat', leg: others[1].leg, name: '김민지', text: words.private, at: Date.now(), to: p.leg });
	await pause(300);
	await take('chat');
	for (const name of ['menu', 'settings', 'policy', 'invite', 'help']) {
		await press('more');
		if (name !== 'menu')
			await press(`menu-${name}`);
		await take(name);
		await p.page.keyboard.press('Escape');
	}
	await press('tab-people');
	await p.page.waitForSelector('.notice', { state: 'detached' });
	await p.page.click(`#people li[data-leg="${others[1].leg}"] button`);
	await take('person');
	await press('person-remove');
	await take('remove');
	await p.page.keyboard.press('Escape');
	bad = true;
	await p.page.waitForSelector('#unstable:not([hidden])');
	await pause(300);
	await take('unstable');
	bad = false;
	await p.page.evaluate(() => window.connections[0].close());
	await p.page.waitForSelector('#stage-note:not([hidden])');
	await take('reconnecting');
	await p.close();
}

/* --- */

const states = process.argv[2] === 'states';
mkdirSync(docs, { recursive: true });
await clips();
const server = await Server.start();
const people = [];
for (const [i, [name, who, talks]] of CAST.entries()) {
	const browser = await launch({ video: join(out, `${who}.y4m`), audio: voice(talks) });
	const p = await Person.in(browser, server, name, !states && i === 2 ? { ...PHONE, locale: 'ko-KR', colorScheme: 'light' } : { ...DESKTOP, colorScheme: 'dark' });
	p.browser = browser;
	people.push(p);
	if (!states || i)
		await p.join(ROOM);
}
if (states) {
	const { browser } = people[0];
	for (const lang of ['en', 'ko']) {
		const other = lang === 'en' ? 'light' : 'dark';
		for (const look of [{ ...DESKTOP, colorScheme: lang === 'en' ? 'dark' : 'light' }, { ...PHONE, colorScheme: other }]) {
			await doorStates(browser, server, lang, look);
			await roomStates(browser, server, lang, look, people.slice(1));
		}
	}
} else {
	await forReadme(people);
}
for (const p of people)
	await p.close();
await server.stop();

// What people do on the page, in both languages: being let in, hosting, chatting,
// hands, screen sharing, the keyboard. Where a state is hard to provoke, wire.mjs
// speaks in the server's place.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import en from '../../web/js/en.js';
import ko from '../../web/js/ko.js';
import { until } from '../support/server.mjs';
import { ERROR, GUEST, NOTICE, WORDS, exact, fill, focused, hosting, label, person, rig, sent, setUp } from './page_rig.mjs';
import { LOOKS, near } from './person.mjs';
import { asHost, HOST } from './wire.mjs';

describe('what people do on the page', { timeout: 240000 }, () => {
	setUp();

	/* --- languages ---------------------------------------------------------------- */

	test('the page speaks the browser\'s language, or the one that was chosen', async () => {
		const p = await person('민지', { locale: 'ko-KR' });
		await p.page.goto(rig.server.url);
		await p.reads('#join-title', exact(ko.joinTitle));
		assert.equal(await p.page.getAttribute('html', 'lang'), 'ko');
		await p.page.fill('#name', 'Minji');
		await p.page.click('#language');
		await p.reads('#join-title', exact(en.joinTitle));
		assert.equal(await p.page.inputValue('#name'), 'Minji');
		await p.page.reload();
		await p.reads('#join-title', exact(en.joinTitle));
		assert.equal(await p.page.getAttribute('html', 'lang'), 'en');
		const other = await person('X', { locale: 'fr-FR' });
		await other.page.goto(rig.server.url);
		await other.reads('#join-title', exact(en.joinTitle));
	});

	test('in Korean no English is left, in the room and in every dialog', async () => {
		const p = await person('민지', { locale: 'ko-KR', wired: { alter: asHost() } });
		await p.join('수학-수업');
		p.wire.tell({ type: 'joined', participant: { ...GUEST, hand: true } });
		p.wire.tell({ type: 'waiting', people: [{ waiting: 1, name: '박서준' }] });
		p.wire.tell({ type: 'chat', leg: 9001, name: '김민지', text: '안녕하세요', at: Date.now() });
		const english = () => p.page.evaluate(() => {
			const texts = [];
			for (const e of document.querySelectorAll('body *:not(script)')) {
				if (!e.checkVisibility() || e.closest('option[lang]') || e.closest('#room-mic, #room-camera, #room-speaker'))
					continue;
				for (const n of e.childNodes)
					if (n.nodeType === 3)
						texts.push(n.data);
				for (const a of ['aria-label', 'title', 'placeholder'])
					texts.push(e.getAttribute(a) ?? '');
			}
			return texts.filter((x) => /[A-Za-z]{2}/.test(x.replace(/\b(PIN|Esc|English)\b/g, '')));
		});
		await p.reads('#quality', exact(ko.qualityGood));
		assert.deepEqual(await english(), []);
		await p.page.click('#chat');
		assert.deepEqual(await english(), []);
		for (const button of ['menu-settings', 'menu-layout', 'menu-policy', 'menu-invite', 'menu-help']) {
			await p.page.click('#more');
			assert.deepEqual(await english(), []);
			await p.page.click(`#${button}`);
			assert.deepEqual(await english(), [], button);
			await p.page.keyboard.press('Escape');
		}
		await p.page.click('#more');
		await p.page.click('#menu-settings');
		await p.page.selectOption('#room-language', 'en');
		await p.reads('#settings-title', exact(en.settings));
		assert.equal(await label(p, 'mute'), en.mute);
		await p.reads('#panel-chat .said', /안녕하세요/);
	});

	/* --- at the door ---------------------------------------------------------------- */

	test('a PIN is asked for without losing the rest', async () => {
		const refuse = (code) => (m, w) => w.tell({ type: 'error', id: m.id, code, text: code, fatal: false }) ?? true;
		const p = await person('Ana', {
			locale: 'ko-KR', wired: {
				answer: (m, w) => m.type === 'join' && m.pin !== '2468' && refuse(m.pin ? 'pin_wrong' : 'pin_required')(m, w),
			},
		});
		await p.ask('demo');
		await p.reads(ERROR, exact(ko.code_pin_required));
		assert.equal(await focused(p), 'pin');
		assert.deepEqual([await p.page.inputValue('#name'), await p.page.inputValue('#room')], ['Ana', 'demo']);
		await p.page.keyboard.type('1111');
		await p.page.keyboard.press('Enter');
		await p.reads(ERROR, exact(ko.code_pin_wrong));
		assert.equal(await focused(p), 'pin');
		await p.page.keyboard.type('2468'); // the wrong one was selected
		await p.page.keyboard.press('Enter');
		await p.connected();
	});

	test('each refusal has its words, in both languages', async () => {
		const codes = ['room_locked', 'refused', 'members_only', 'token_expired', 'rate_limited', 'room_full', 'server_full', 'shutting_down'];
		for (const lang of ['en', 'ko']) {
			let code;
			const p = await person('Ana', {
				locale: lang, wired: { answer: (m, w) => m.type === 'join' && (w.tell({ type: 'error', id: m.id, code, text: code, fatal: true }), true) },
			});
			await p.page.goto(`${rig.server.url}/?room=demo`);
			await p.page.fill('#name', 'Ana');
			for (code of codes) {
				await p.page.click('#join-button');
				await p.reads(ERROR, exact(WORDS[lang][`code_${code}`]));
				if (['members_only', 'token_expired'].includes(code)) { // a sign-in may help: it is offered
					await p.page.waitForSelector('dialog[open]');
					await p.page.keyboard.press('Escape');
				}
			}
		}
	});

	test('the waiting room: told, let in; or thinking better of it', async () => {
		let held;
		const p = await person('Ana', {
			wired: {
				answer: (m, w) => {
					if (m.type !== 'join' || held)
						return false;
					held = m;
					w.tell({ type: 'lobby', id: m.id, text: 'x' });
					return true;
				},
			},
		});
		await p.ask('demo');
		await p.reads('#lobby [role=status]', exact(en.lobbyTold));
		assert.equal(await focused(p), 'lobby-title');
		assert.equal(await p.page.isVisible('#join-button'), false);
		await p.page.click('#lobby-leave');
		await p.page.waitForSelector('#join-button');
		assert.equal(await p.page.textContent(ERROR), '');
		held = null;
		await p.page.click('#join-button');
		await p.reads('#lobby [role=status]', exact(en.lobbyTold));
		await until('the join to be held', () => held);
		p.wire.forward(held);
		await p.connected();
	});

	test('an invitation\'s token goes with the join, and out of the address', async () => {
		const p = await person('Ana', { wired: {} });
		await p.page.goto(`${rig.server.url}/?room=demo&invite=abc.def`);
		await p.reads('#invited', exact(en.invited));
		await p.page.fill('#name', 'Ana');
		p.wire.sent.length = 0;
		await p.page.click('#join-button');
		const join = await sent(p, 'join');
		assert.deepEqual([join.room, join.token], ['demo', 'abc.def']);
		await until('an answer', () => p.messages.length);
		if (p.messages.some((m) => m.type === 'welcome')) {
			await p.connected();
			assert.match(p.page.url(), /\?room=demo$/);
		} else {
			await p.reads(ERROR, exact(en.inviteSpent));
		}
	});

	test('signing in: wrong, then right; the token goes with the join; signing out', async () => {
		const p = await person('', { wired: { answer: (m, w) => m.type === 'join' && m.token === 'T' && (w.forward({ ...m, token: undefined }), true) } });
		const replies = {
			server: { sign_in: true, version: 'x' }, logout: {}, me: { name: 'kim', role: 'host', display_name: '김 선생님' },
		};
		await p.page.route(/\/api\/v1\//, (route) => {
			const path = new URL(route.request().url()).pathname.replace('/api/v1/', '');
			if (path !== 'login')
				return route.fulfill({ json: replies[path] });
			const { name, password } = route.request().postDataJSON();
			if (name === 'kim' && password === 'right')
				return route.fulfill({ json: { token: 'T', expires_at: 0, user: replies.me } });
			return route.fulfill({ status: 401, json: { error: { code: 'unauthorized', text: 'x' } } });
		});
		await p.page.goto(`${rig.server.url}/?room=demo`);
		await p.page.click('#sign-in');
		await p.page.fill('#user', 'kim');
		await p.page.fill('#password', 'wrong');
		await p.page.keyboard.press('Enter');
		await p.reads('#account-error', exact(en.signInWrong));
		await p.page.fill('#password', 'right');
		await p.page.keyboard.press('Enter');
		await p.reads('#whoami', /김 선생님/);
		assert.equal(await p.page.inputValue('#name'), '김 선생님');
		await p.page.reload();
		await p.reads('#whoami', /김 선생님/);
		await p.page.click('#join-button');
		assert.equal((await sent(p, 'join')).token, 'T');
		await p.connected();
		await p.page.click('#leave');
		await p.page.click('#sign-out');
		assert.equal(await p.page.isVisible('#whoami'), false);
		await p.page.reload();
		await p.page.waitForSelector('#sign-in:not([hidden])');
	});

	/* --- hosting --------------------------------------------------------------------- */

	test('a host lets people in, or not', async () => {
		const p = await hosting();
		p.wire.tell({ type: 'waiting', people: [{ waiting: 'a', name: 'Maria' }, { waiting: 'b', name: '박서준' }] });
		await p.reads(NOTICE, exact(fill(en.somebodyWaits, { name: 'Maria' })));
		await p.page.getByRole('button', { name: 'Admit Maria' }).click();
		assert.deepEqual(await sent(p, 'admit'), { type: 'admit', allow: true, waiting: 'a' });
		await p.page.getByRole('button', { name: 'Refuse 박서준' }).click();
		await sent(p, 'admit', (m) => m.allow === false && m.waiting === 'b');
		await p.page.click('#admit-all');
		await sent(p, 'admit', (m) => m.allow && !('waiting' in m));
		p.wire.tell({ type: 'waiting', people: [] });
		await until('the list to go', async () => !await p.page.isVisible('#waiting'));
	});

	test('a host mutes, turns cameras off, lowers hands, and removes after asking', async () => {
		const p = await hosting();
		p.wire.tell({ type: 'hand', leg: GUEST.leg, raised: true });
		await p.reads(NOTICE, exact(fill(en.handRaisedBy, { name: GUEST.name })));
		const first = () => p.page.evaluate(() => Number(document.querySelector('#people li').dataset.leg));
		assert.equal(await first(), GUEST.leg, 'a raised hand comes first');
		const act = async (button) => {
			await p.page.getByRole('button', { name: fill(en.actionsFor, { name: GUEST.name }) }).click();
			await p.page.click(button);
		};
		for (const [button, action] of [['#person-mute', 'mute'], ['#person-camera', 'camera_off'], ['#person-hand', 'lower_hand']]) {
			await act(button);
			await sent(p, 'moderate', (m) => m.action === action && m.leg === GUEST.leg);
		}
		await act('#person-remove');
		assert.equal(await focused(p), 'confirm-no');
		await p.page.keyboard.press('Escape');
		await act('#person-remove');
		assert.equal(p.wire.sent.some((m) => m.action === 'remove'), false);
		await p.page.click('#confirm-yes');
		await sent(p, 'moderate', (m) => m.action === 'remove' && m.leg === GUEST.leg);
		await p.page.click('#mute-all');
		await sent(p, 'moderate', (m) => m.action === 'mute' && !('leg' in m));
	});

	test('who is no host sees none of that', async () => {
		const p = await person('Ana', { wired: { alter: asHost({ role: 'participant', room_policy: { ...HOST.room_policy, record: 'hosts', unmute: false } }) } });
		await p.join('demo');
		p.wire.tell({ type: 'joined', participant: GUEST });
		await p.reads('#people', /김민지/);
		for (const id of ['mute-all', 'waiting', 'record'])
			assert.equal(await p.page.isVisible(`#${id}`), false, id);
		await p.page.getByRole('button', { name: fill(en.actionsFor, { name: GUEST.name }) }).click();
		assert.equal(await p.page.isVisible('#person-remove'), false);
		assert.equal(await p.page.isVisible('#person-chat'), true);
		await p.page.keyboard.press('Escape');
		await p.page.click('#more');
		for (const id of ['menu-layout', 'menu-policy', 'menu-invite'])
			assert.equal(await p.page.isVisible(`#${id}`), false, id);
		await p.page.keyboard.press('Escape');
		await p.page.click('#mute');
		await p.page.click('#mute');
		await p.reads(NOTICE, exact(en.unmuteNotAllowed));
		assert.equal(await label(p, 'mute'), en.unmute);
		p.wire.tell({ type: 'joined', participant: { ...p.last('welcome').participants.find((q) => q.leg === p.leg), role: 'host' } });
		await p.reads(NOTICE, exact(en.nowHost));
		assert.equal(await p.page.isVisible('#mute-all'), true);
	});

	test('the layout: what it is, and only what changed is sent', async () => {
		const p = await hosting();
		const open = async () => {
			p.wire.tell(now);
			await p.page.click('#more');
			await p.page.click('#menu-layout');
		};
		const now = { type: 'layout', version: 900, width: 1280, height: 720, tiles: [], layout: 'speaker', fit: 'crop', pin: [], hide_no_video: false,
			overlays: { banner: 'Physics', clock: true, recording_time: false } };
		await open();
		assert.deepEqual([await p.page.inputValue('#layout-kind'), await p.page.inputValue('#layout-banner'), await p.page.isChecked('#layout-crop'), await p.page.isChecked('#layout-clock')],
			['speaker', 'Physics', true, true]);
		await p.page.click('#layout-form [type=submit]');
		assert.equal(p.wire.last('layout'), undefined);
		await open();
		await p.page.selectOption('#layout-kind', 'picture-in-picture');
		await p.page.selectOption('#layout-pin', { index: 1 });
		await p.page.check('#layout-hide');
		await p.page.uncheck('#layout-clock');
		await p.page.click('#layout-form [type=submit]');
		const { type, pin, ...changed } = await sent(p, 'layout');
		assert.deepEqual(changed, { layout: 'picture-in-picture', hide_no_video: true, overlays: { clock: false } });
		assert.equal(pin.length, 1);
	});

	test('the room\'s policy: only what changed is sent; a lock is told', async () => {
		const p = await hosting({ room_policy: { ...HOST.room_policy, guest_pin: true } });
		const open = async () => {
			await p.page.click('#more');
			await p.page.click('#menu-policy');
		};
		await open();
		assert.deepEqual([await p.page.isChecked('#policy-locked'), await p.page.isChecked('#policy-lobby'), await p.page.isChecked('#policy-unmute')], [false, true, true]);
		await p.page.click('#policy-form [type=submit]');
		assert.equal(p.wire.last('policy'), undefined);
		await open();
		await p.page.check('#policy-locked');
		await p.page.selectOption('#policy-record', 'nobody');
		await p.page.fill('#policy-host-pin', '9753');
		await p.page.check('#remove-guest-pin');
		await p.page.click('#policy-form [type=submit]');
		const { type, ...changed } = await sent(p, 'policy');
		assert.deepEqual(changed, { locked: true, record: 'nobody', guest_pin: '', host_pin: '9753' });
		p.wire.tell({ type: 'room', ...HOST.room_policy, locked: true, record: 'nobody' });
		await p.reads(NOTICE, exact(en.nowLocked));
		await p.reads('#locked', exact(en.lockedChip));
		assert.equal(await p.page.isVisible('#record'), false);
	});

	test('an invitation: after signing in, with role and time', async () => {
		const p = await person('Ana', { wired: { alter: asHost() }, permissions: ['clipboard-read', 'clipboard-write'] });
		let asked;
		await p.page.route(/\/api\/v1\//, (route) => {
			const url = new URL(route.request().url());
			if (url.pathname.endsWith('/login'))
				return route.fulfill({ json: { token: 'T', expires_at: 0, user: { name: 'kim', role: 'host', display_name: 'Kim' } } });
			if (!url.pathname.endsWith('/invitations'))
				return route.fulfill({ json: { sign_in: true } });
			asked = { path: url.pathname, token: route.request().headers().authorization, ...route.request().postDataJSON() };
			return route.fulfill({ json: { token: 'I', url: '/?room=demo&invite=I', expires_at: 0 } });
		});
		await p.join('demo');
		await p.page.click('#more');
		await p.page.click('#menu-invite');
		await p.reads('#invite-signin', exact(en.inviteSignIn));
		await p.page.selectOption('#invite-role', 'host');
		await p.page.selectOption('#invite-expiry', '3600');
		await p.page.click('#invite-make');
		await p.page.fill('#user', 'kim');
		await p.page.fill('#password', 'x');
		await p.page.keyboard.press('Enter');
		await p.page.waitForSelector('#account', { state: 'hidden' });
		await p.page.click('#invite-make');
		await until('the link', () => p.page.inputValue('#invite-link'));
		assert.deepEqual(asked, { path: '/api/v1/rooms/demo/invitations', token: 'Bearer T', role: 'host', expires_s: 3600 });
		await p.page.click('#invite-copy');
		await p.reads(NOTICE, exact(en.inviteCopied));
		assert.equal(await p.page.evaluate(() => navigator.clipboard.readText()), `${rig.server.url}/?room=demo&invite=I`);
	});

	test('muted by a host: the device is switched off here, and told', async () => {
		const p = await hosting();
		const track = (kind) => p.page.evaluate((k) => {
			const t = window.opened.findLast((o) => o.kind === k);
			return [t.enabled, t.readyState];
		}, kind);
		p.wire.tell({ type: 'muted', leg: p.leg, audio: true, video: false, by: GUEST.leg });
		await p.reads(NOTICE, exact(fill(en.mutedBy, { name: GUEST.name })));
		assert.equal(await label(p, 'mute'), en.unmute);
		assert.deepEqual(await track('audio'), [false, 'live']);
		assert.equal(await label(p, 'camera-off'), en.cameraOff);
		p.wire.tell({ type: 'muted', leg: p.leg, audio: true, video: true, by: GUEST.leg });
		await p.reads(NOTICE, exact(fill(en.cameraOffBy, { name: GUEST.name })));
		await until('the camera to be off', async () => (await track('video'))[1] === 'ended');
		await sent(p, 'mute', (m) => m.audio && m.video);
		await p.page.click('#mute');
		assert.deepEqual(await track('audio'), [true, 'live']);
	});

	/* --- chat and hands ------------------------------------------------------------------ */

	test('chat: sent, unread, private, links safe', async () => {
		const p = await hosting();
		const say = (text, more = {}) => p.wire.tell({ type: 'chat', leg: GUEST.leg, name: GUEST.name, text, at: Date.now(), ...more });
		say('<img src=x onerror="window.hurt = 1"> https://example.org/a?b=c&d. javascript:alert(1)');
		say('second');
		await p.reads('#chat .unread', /^2$/);
		assert.equal(await p.page.title(), '(2) demo');
		await p.page.click('#chat');
		assert.equal(await p.page.isVisible('#chat .unread'), false);
		assert.equal(await p.page.title(), 'demo');
		const links = await p.page.locator('#lines a').all();
		assert.equal(links.length, 1);
		assert.deepEqual([await links[0].getAttribute('href'), await links[0].getAttribute('rel')], ['https://example.org/a?b=c&d', 'noopener noreferrer nofollow']);
		assert.equal(await p.page.evaluate(() => window.hurt), undefined);
		assert.equal(await focused(p), 'chat-text');
		await p.page.keyboard.type('one');
		await p.page.keyboard.press('Shift+Enter');
		await p.page.keyboard.type('two');
		await p.page.keyboard.press('Enter');
		assert.deepEqual(await sent(p, 'chat'), { type: 'chat', text: 'one\ntwo' });
		assert.equal(await p.page.inputValue('#chat-text'), '');
		await p.page.keyboard.press('Enter');
		await p.page.selectOption('#chat-to', String(GUEST.leg));
		await p.page.fill('#chat-text', 'for you');
		await p.page.click('#chat-form [type=submit]');
		assert.deepEqual(await sent(p, 'chat', (m) => m.to), { type: 'chat', text: 'for you', to: GUEST.leg });
		assert.equal(p.wire.sent.filter((m) => m.type === 'chat').length, 2);
		say('from before', { history: true, at: 1 });
		say('from before', { history: true, at: 1 });
		await p.reads('#lines', /from before/);
		assert.equal(await p.page.locator('#lines .talk', { hasText: 'from before' }).count(), 1);
		say('psst', { to: p.leg });
		await p.reads('#lines .private', /private.*psst/);
	});

	test('a hand goes up and down, and is still up after the line was cut', async () => {
		const p = await hosting();
		const says = (text) => until(`the button to say ${text}`, async () => await label(p, 'hand') === text);
		await p.page.click('#hand');
		await says(en.lowerHand);
		p.wire.sent.length = 0;
		await p.page.evaluate(() => window.connections[0].close());
		await sent(p, 'hand', (m) => m.raised === true);
		await p.connected();
		await says(en.lowerHand);
		await new Promise((r) => setTimeout(r, 300)); // for the server's event, if it is still to come
		p.wire.tell({ type: 'hand', leg: p.leg, raised: false }); // lowered by a host
		await says(en.raiseHand);
	});

	/* --- quality --------------------------------------------------------------------------- */

	test('an unstable connection is told, with what is wrong', async () => {
		let bad = true;
		const stats = { uplink: { loss: 0.12, jitter_ms: 61, rtt_ms: 90, kbps: 300 }, downlink: { loss: 0.01, jitter_ms: 4, rtt_ms: 340, kbps: 900 }, score: 1.1 };
		for (const lang of ['en', 'ko']) {
			bad = true;
			const p = await person('Ana', { locale: lang, wired: { alter: (m) => m.type === 'stats' && bad ? { ...m, ...stats } : m } });
			await p.join('demo');
			const w = WORDS[lang];
			const why = [fill(w.causeLoss, { percent: 12 }), fill(w.causeJitter, { ms: 61 }), fill(w.causeDelay, { ms: 340 })].join(', ');
			await p.reads('#unstable', exact(fill(w.unstableWhy, { why })));
			await p.reads('#quality', exact(w.qualityPoor));
			bad = false;
			await until('the warning to go', async () => !await p.page.isVisible('#unstable'));
		}
	});

	test('everybody\'s quality is in the list, in words too', async () => {
		const p = await hosting();
		for (const [score, word] of [[4.8, en.qualityGood], [3.4, en.qualityFair], [1.9, en.qualityPoor]]) {
			p.wire.tell({ type: 'quality', legs: [{ leg: GUEST.leg, score }, { leg: 1234567, score: 1 }] });
			await until(word, () => p.page.locator(`[data-leg="${GUEST.leg}"]`).getByRole('img', { name: fill(en.connectionOf, { grade: word }) }).isVisible());
		}
	});

	/* --- sharing --------------------------------------------------------------------------- */

	test('a shared screen is beside the camera until it ends', async () => {
		const p = await person('Ana');
		await p.page.addInitScript(() => {
			navigator.mediaDevices.getDisplayMedia = async () => {
				const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
				const ctx = canvas.getContext('2d');
				setInterval(() => {
					ctx.fillStyle = 'rgb(40,70,200)';
					ctx.fillRect(0, 0, 640, 360);
				}, 50);
				const stream = canvas.captureStream(15);
				window.shared = stream.getVideoTracks()[0];
				return stream;
			};
		});
		const screen = () => p.last('layout').tiles.find((t) => t.content);
		await p.join('demo');
		await until('the camera', () => p.sees(p.leg, 'red'));
		await p.page.click('#share');
		await p.reads('#sharing', exact(en.sharing));
		await until('the screen', async () => screen() && near((await p.colours([screen()]))[0], LOOKS.blue.rgb));
		const hints = await p.page.evaluate(() => window.connections[0].getSenders().filter((s) => s.track?.kind === 'video').map((s) => s.track.contentHint));
		assert.deepEqual(hints, ['', 'detail']);
		assert.equal(await label(p, 'share'), en.stopSharing);
		await p.page.evaluate(() => { // the browser's own bar: "stop sharing"
			window.shared.stop();
			window.shared.dispatchEvent(new Event('ended'));
		});
		await p.reads(NOTICE, exact(en.shareEnded));
		await until('the camera alone', async () => !screen() && await p.sees(p.leg, 'red'));
		assert.equal(await p.page.isVisible('#sharing'), false);
	});

	test('sharing that the server refuses is told; later it works', async () => {
		let refuse = true;
		const answer = (m, w) => {
			if (!refuse || m.type !== 'offer' || m.sdp.match(/^m=/gm).length < 3)
				return false;
			w.tell({ type: 'error', id: m.id, code: 'rate_limited', text: 'Slower.', fatal: false });
			return true;
		};
		const p = await person('Ana', { wired: { answer } });
		await p.join('demo');
		await until('the camera', () => p.sees(p.leg, 'red'));
		await p.page.click('#share'); // the browser's own screen, for tests
		await p.reads(NOTICE, exact(en.code_rate_limited));
		await until('the button as before', async () => await label(p, 'share') === en.shareScreen);
		assert.equal(await p.page.isVisible('#sharing'), false);
		refuse = false;
		await p.page.click('#share');
		await until('the screen', () => p.last('layout').tiles.some((t) => t.content));
		await until('the camera beside it', () => p.sees(p.leg, 'red'));
	});

	/* --- keyboard --------------------------------------------------------------------------- */

	test('single keys, not while typing, not with Ctrl', async () => {
		const p = await hosting();
		const press = (key) => p.page.keyboard.press(key);
		await press('m');
		assert.equal(await label(p, 'mute'), en.unmute);
		await press('m');
		assert.equal(await label(p, 'mute'), en.mute);
		await press('Control+m');
		assert.equal(await label(p, 'mute'), en.mute);
		await press('v');
		await until('the camera to be off', async () => await label(p, 'camera-off') === en.cameraOnButton);
		await press('h');
		await sent(p, 'hand', (m) => m.raised);
		await press('p');
		assert.equal(await p.page.isVisible('#side'), false);
		await press('p');
		assert.equal(await p.page.isVisible('#people'), true);
		await press('c');
		assert.equal(await focused(p), 'chat-text');
		await p.page.keyboard.type('mvhpcf?');
		assert.equal(await p.page.inputValue('#chat-text'), 'mvhpcf?');
		assert.equal(await label(p, 'mute'), en.mute);
		await p.page.focus('#chat');
		await press('c');
		assert.equal(await p.page.isVisible('#side'), false);
		await press('f');
		await until('full screen', () => p.page.evaluate(() => document.fullscreenElement?.id === 'stage'));
		await press('f');
		await until('no full screen', () => p.page.evaluate(() => !document.fullscreenElement));
		await p.page.focus('#chat');
		await press('?');
		assert.equal(await p.page.isVisible('#help'), true);
		await press('m');
		assert.equal(await label(p, 'mute'), en.mute, 'a dialog is open');
		await press('Escape');
		assert.equal(await p.page.isVisible('#help'), false);
		assert.equal(await focused(p), 'chat');
		// A Korean keyboard says ㅡ where the M is.
		await p.page.evaluate(() => document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ㅡ', code: 'KeyM', bubbles: true })));
		assert.equal(await label(p, 'mute'), en.unmute);
	});

	test('the space bar, held, talks while muted', async () => {
		const p = await hosting();
		const enabled = () => p.page.evaluate(() => window.opened.findLast((t) => t.kind === 'audio').enabled);
		await p.page.click('#mute'); // with the mouse: the button does not keep the focus
		assert.equal(await enabled(), false);
		await p.page.keyboard.down('Space');
		assert.deepEqual([await enabled(), await label(p, 'mute')], [true, en.mute]);
		await p.page.keyboard.up('Space');
		assert.deepEqual([await enabled(), await label(p, 'mute')], [false, en.unmute]);
		await p.page.click('#chat');
		await p.page.keyboard.press('Space');
		assert.deepEqual([await enabled(), await p.page.inputValue('#chat-text')], [false, ' ']);
		await p.page.focus('#mute');
		await p.page.keyboard.press('Space');
		assert.equal(await label(p, 'mute'), en.mute, 'a focused button is pressed by it');
	});

	test('the focus survives what changes in the lists, and goes back after a dialog', async () => {
		const p = await hosting();
		const button = p.page.getByRole('button', { name: fill(en.actionsFor, { name: GUEST.name }) });
		await button.focus();
		p.wire.tell({ type: 'muted', leg: GUEST.leg, audio: true, video: true });
		p.wire.tell({ type: 'quality', legs: [{ leg: GUEST.leg, score: 2 }] });
		p.wire.tell({ type: 'joined', participant: { ...GUEST, leg: 9002, name: 'Zoe' } });
		await p.reads('#people', /Zoe/);
		assert.equal(await button.evaluate((b) => b === document.activeElement), true);
		await p.page.keyboard.press('Enter');
		assert.equal(await p.page.evaluate(() => document.querySelector('#person').contains(document.activeElement)), true);
		await p.page.keyboard.press('Escape');
		assert.equal(await button.evaluate((b) => b === document.activeElement), true);
		p.wire.tell({ type: 'left', leg: GUEST.leg, reason: 'left' });
		await until('the row to go', async () => await button.count() === 0);
		await p.reads('#announce', exact(fill(en.hasLeft, { name: GUEST.name })));
	});

	/* --- weight --------------------------------------------------------------------------------- */

	test('one video, and less than 150 KB to be in the room', async () => {
		const p = await person('Ana', { locale: 'ko-KR' });
		await p.join('demo');
		const { shown, words, bytes } = await p.page.evaluate(() => {
			const files = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
			return {
				shown: [...document.querySelectorAll('video')].filter((v) => v.checkVisibility()).length,
				words: files.filter((f) => /(en|ko)\.js$/.test(f.name)).length,
				bytes: files.reduce((n, f) => n + f.transferSize, 0),
			};
		});
		assert.deepEqual([shown, words], [1, 1]);
		assert.ok(bytes > 50000 && bytes < 150000, `${bytes} bytes`);
		console.log(`transferred: ${bytes} bytes`);
	});
});

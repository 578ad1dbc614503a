// The page of those who run rooms: rooms and their times, templates, accounts, how much
// rooms were used, one's own password and tokens of programs. Which part is shown says
// the address: #/rooms, #/times/ROOM …
import { Account } from './account.js';
import { OwnPassword } from './admin_own.js';
import { why } from './admin_parts.js';
import { Rooms } from './admin_rooms.js';
import { Templates } from './admin_templates.js';
import { Times } from './admin_times.js';
import { TokenList } from './admin_tokens.js';
import { Usage } from './admin_usage.js';
import { Users } from './admin_users.js';
import { closeAll, prepare } from './dialogs.js';
import { SignIn } from './signin.js';
import { recall } from './store.js';
import { LANGUAGES, changes, choose, language, preferred, read, redress, speak, t } from './words.js';

const SAID_MS = 5000;
const OVER = ['token_invalid', 'token_expired', 'unauthorized'];
const $ = (id) => document.getElementById(id);

const theme = recall('theme');
if (theme && theme !== 'auto')
	document.documentElement.dataset.theme = theme;
await speak(preferred());

const account = new Account();
const signIn = new SignIn(account);
let note = null;
const say = (message) => {
	note = message;
	$('admin-note').textContent = read(message);
};
let saying = 0;
const done = (message) => {
	$('admin-done').textContent = read(message);
	clearTimeout(saying);
	saying = setTimeout(() => { $('admin-done').textContent = ''; }, SAID_MS);
};
// What the server refuses; a sign-in that is over is asked for again.
const failed = (e) => {
	if (OVER.includes(e.code))
		account.forget();
	// its own sentence says which day is wrong
	say(e.code === 'bad_query' ? { text: e.message } : why(e));
};

const tokens = new TokenList(account, failed, done), own = new OwnPassword(account, done);
const PARTS = {
	rooms: { part: new Rooms(account, failed, done), roles: ['admin', 'host'] },
	times: { part: new Times(account, failed, done), roles: ['admin', 'host'] },
	templates: { part: new Templates(account, failed, done), roles: ['admin'] },
	users: { part: new Users(account, failed, done), roles: ['admin'] },
	usage: { part: new Usage(account, failed), roles: ['admin'] },
	own: { part: tokens, roles: ['admin', 'host', 'participant'] },
};
const mine = () => Object.keys(PARTS).filter((name) => PARTS[name].roles.includes(account.user?.role));
const other = () => Object.keys(LANGUAGES).find((l) => l !== language());
const noteNow = () => !account.user ? { key: 'adminSignIn' } : account.user.role === 'participant' ? { key: 'adminOnly' } : null;

function asked() {
	const [, name, what] = location.hash.match(/^#\/(\w+)(?:\/([^/]*))?$/) ?? [];
	const parts = mine();
	return { name: parts.includes(name) ? name : parts[0], what: what ? decodeURIComponent(what) : '' };
}

function dress() {
	const { user } = account;
	document.title = t('adminTitle');
	$('whoami').hidden = $('sign-out').hidden = !user;
	$('sign-in').hidden = !!user;
	$('whoami').textContent = user ? t('signedInAs', { name: account.name }) : '';
	redress($('language'), { t: 'otherLanguage' });
	$('language').lang = other();
	$('parts').hidden = mine().length < 2;
	for (const link of $('parts').children)
		link.hidden = !mine().includes(link.dataset.part);
}

// Shows the part that the address names, with what is there now.
function route() {
	const { name, what } = asked();
	dress();
	say(noteNow());
	for (const part of Object.keys(PARTS))
		$(part).hidden = part !== name;
	for (const link of $('parts').children) {
		if (link.dataset.part === name)
			link.setAttribute('aria-current', 'page');
		else
			link.removeAttribute('aria-current');
	}
	if (name)
		PARTS[name].part.start(what);
}

$('sign-in').onclick = () => signIn.open();
$('sign-out').onclick = () => account.signOut();
$('language').onclick = () => choose(other());
changes.addEventListener('change', () => {
	const kept = note;
	dress();
	say(kept);
	Object.values(PARTS).forEach(({ part }) => part.draw());
	own.draw();
});
let who = null;
account.addEventListener('change', () => {
	if (who !== account.user?.name)
		Object.values(PARTS).forEach(({ part }) => part.clear());
	who = account.user?.name;
	closeAll();
	route();
});
addEventListener('hashchange', () => {
	closeAll();
	route();
});
prepare();
dress();
await account.start();
if (!account.user)
	signIn.open();

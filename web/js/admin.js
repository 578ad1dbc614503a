// The page of administrators: how much rooms were used, and tokens of programs.
import { Account } from './account.js';
import { TokenList } from './admin_tokens.js';
import { Usage } from './admin_usage.js';
import { prepare } from './dialogs.js';
import { SignIn } from './signin.js';
import { recall } from './store.js';
import { LANGUAGES, changes, choose, language, preferred, read, speak, t, told } from './words.js';

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
// What the server refuses; a sign-in that is over is asked for again.
const failed = (e) => {
	// its own sentence says which day is wrong
	say(e.code === 'bad_query' ? { text: e.message } : told(e.code, e.message));
	if (['token_invalid', 'token_expired', 'unauthorized'].includes(e.code))
		account.forget();
};
const parts = [new Usage(account, failed), new TokenList(account, failed)];

const other = () => Object.keys(LANGUAGES).find((l) => l !== language());

function dress() {
	const { user } = account;
	const admin = user?.role === 'admin';
	document.title = t('adminTitle');
	$('whoami').hidden = $('sign-out').hidden = !user;
	$('sign-in').hidden = !!user;
	$('whoami').textContent = user ? t('signedInAs', { name: account.name }) : '';
	$('language').lang = other();
	$('usage').hidden = !admin;
	$('tokens').hidden = !user;
	say(!user ? { key: 'adminSignIn' } : admin ? null : { key: 'adminOnly' });
}

$('sign-in').onclick = () => signIn.open();
$('sign-out').onclick = () => account.signOut();
$('language').onclick = () => choose(other());
changes.addEventListener('change', () => {
	const kept = note;
	dress();
	say(kept);
	parts.forEach((p) => p.draw());
});
account.addEventListener('change', () => {
	dress();
	parts.forEach((p) => p.start());
});
prepare();
dress();
await account.start();
if (!account.user)
	signIn.open();

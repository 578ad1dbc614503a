// The page of recordings: the list with its search, or one that is watched. Which one
// says the address: #ID for who is signed in, #ID/LINK for who was given a link.
import { Account } from './account.js';
import * as dialogs from './dialogs.js';
import { Library } from './library.js';
import { SignIn } from './signin.js';
import { recall } from './store.js';
import { Watch } from './watch.js';
import { LANGUAGES, changes, choose, language, preferred, redress, speak, t } from './words.js';

const $ = (id) => document.getElementById(id);

function start() {
	const account = new Account();
	const signIn = new SignIn(account);
	const library = new Library(account);
	const watch = new Watch(account, () => { location.hash = ''; });
	const other = () => Object.keys(LANGUAGES).find((l) => l !== language());

	const dress = () => {
		document.title = `${t('recordings')} – mcu`;
		redress($('language'), { t: 'otherLanguage' });
		$('language').lang = other();
		$('whoami').hidden = $('sign-out').hidden = !account.user;
		$('sign-in').hidden = $('library-sign-in').hidden = !!account.user || !account.available;
		$('admin-link').hidden = !account.user;
		$('whoami').textContent = account.user ? t('signedInAs', { name: account.name }) : '';
	};
	const route = () => {
		const [, id, link] = location.hash.match(/^#(\d+)(?:\/([\w.]+))?$/) ?? [];
		if (id && (link || account.user)) {
			library.close();
			watch.open(id, link);
		} else {
			watch.close();
			library.open();
		}
	};
	dialogs.prepare();
	$('sign-in').onclick = $('library-sign-in').onclick = () => signIn.open();
	$('sign-out').onclick = () => account.signOut();
	$('language').onclick = () => choose(other());
	changes.addEventListener('change', dress);
	account.addEventListener('change', () => {
		dress();
		route();
	});
	addEventListener('hashchange', route);
	dress();
	account.start();
}

const theme = recall('theme');
if (theme && theme !== 'auto')
	document.documentElement.dataset.theme = theme;
await speak(preferred());
start();

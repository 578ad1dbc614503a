// What is remembered: from one visit to the next (recall, remember), and by this
// tab over a reload (held, hold). A browser may refuse to.

const get = (area, key) => {
	try {
		return window[area].getItem(key) ?? '';
	} catch {
		return '';
	}
};
const set = (area, key, value) => {
	try {
		if (value)
			window[area].setItem(key, value);
		else
			window[area].removeItem(key);
	} catch { /* then it is asked again */ }
};

export const recall = (key) => get('localStorage', key);
export const remember = (key, value) => set('localStorage', key, value);
export const hold = (key, value) => set('sessionStorage', key, value && JSON.stringify(value));
export function held(key) {
	try {
		return JSON.parse(get('sessionStorage', key) || 'null');
	} catch {
		return null;
	}
}

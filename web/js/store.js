// What is remembered from one visit to the next; a browser may refuse to.

export function recall(key) {
	try {
		return localStorage.getItem(key) ?? '';
	} catch {
		return '';
	}
}

export function remember(key, value) {
	try {
		localStorage.setItem(key, value);
	} catch { /* then it is asked again */ }
}

// Times and sizes as a person reads them.
import { language } from './words.js';

const two = (n) => String(n).padStart(2, '0');

// 1:02:03 or 2:03
export function clip(seconds) {
	const s = Math.max(0, Math.floor(seconds));
	const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
	return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

export const day = (ms) => new Date(ms).toLocaleString(language(), { dateStyle: 'medium', timeStyle: 'short' });

export function size(bytes) {
	const [unit, by] = bytes < 1e6 ? ['kilobyte', 1e3] : bytes < 1e9 ? ['megabyte', 1e6] : ['gigabyte', 1e9];
	return (bytes / by).toLocaleString(language(), { style: 'unit', unit, maximumFractionDigits: bytes < 1e7 ? 1 : 0 });
}

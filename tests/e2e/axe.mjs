// What axe-core says of a page as it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SERIOUS = ['serious', 'critical'];
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

// In words.
export async function findings(p) {
	await p.page.evaluate(AXE);
	const { violations, passes } = await p.page.evaluate(() => window.axe.run(document, {
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'],
	}));
	assert.ok(passes.length > 10, 'axe has looked');
	return violations.filter((v) => SERIOUS.includes(v.impact))
		.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)} ${n.any[0]?.message ?? ''}`));
}

export async function clean(p, what) {
	await p.page.evaluate(() => Promise.all(document.getAnimations()
		.map((a) => Number.isFinite(a.effect.getComputedTiming().endTime) && a.finished.catch(() => {}))));
	assert.deepEqual(await findings(p), [], what);
}

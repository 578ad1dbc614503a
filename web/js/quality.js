// What the quality score of a connection means to a person.
import { t } from './words.js';

export const UNSTABLE = 3;
const MANY_LOST = 0.02, MUCH_JITTER_MS = 30, LONG_DELAY_MS = 150;

// 1 to 4 of four bars; 0: not known yet.
export const bars = (score) => !score ? 0 : score >= 4.5 ? 4 : score >= 4 ? 3 : score >= UNSTABLE ? 2 : 1;

export const grade = (score) => t(!score ? 'qualityUnknown' : score >= 4 ? 'qualityGood' : score >= UNSTABLE ? 'qualityFair' : 'qualityPoor');

export const summary = (score) => t('connectionScore', { grade: grade(score), score: score.toFixed(1) });

// What is wrong, with numbers; '' when nothing stands out.
export function causes({ uplink = {}, downlink = {} }) {
	const worst = (member) => Math.max(uplink[member] ?? 0, downlink[member] ?? 0);
	const loss = worst('loss'), jitter = worst('jitter_ms'), delay = worst('rtt_ms');
	return [
		loss > MANY_LOST && t('causeLoss', { percent: (loss * 100).toFixed(0) }),
		jitter > MUCH_JITTER_MS && t('causeJitter', { ms: jitter.toFixed(0) }),
		delay > LONG_DELAY_MS && t('causeDelay', { ms: delay.toFixed(0) }),
	].filter(Boolean).join(', ');
}

export function warning(quality) {
	const why = causes(quality);
	return why ? t('unstableWhy', { why }) : t('unstable');
}

// The dialog in which who may record a room chooses what is recorded.
import { recall, remember } from './store.js';

const $ = (id) => document.getElementById(id);

export class RecordDialog {
	#session = null;

	constructor() {
		$('record-form').addEventListener('submit', () => this.#begin());
	}

	// What was chosen last is chosen at first; where there is no choice nothing is asked.
	open(session) {
		const { record_video: video, record_tracks: tracks } = session.policy;
		this.#session = session;
		if (video === false && !tracks)
			return session.record();
		$('record-what').closest('label').hidden = video === false;
		$('record-what').value = video === false || recall('recordSound') ? 'sound' : 'video';
		$('record-tracks').closest('label').hidden = $('record-tracks-hint').hidden = !tracks;
		$('record-tracks').checked = !!recall('recordTracks');
		$('record-dialog').showModal();
		$('record-go').focus();
	}

	#begin() {
		const { record_video: video, record_tracks: tracks } = this.#session.policy;
		const sound = $('record-what').value === 'sound', separate = $('record-tracks').checked;
		if (video !== false)
			remember('recordSound', sound && 'yes');
		if (tracks)
			remember('recordTracks', separate && 'yes');
		this.#session.record({ ...(video !== false && { video: !sound }), ...(tracks && { tracks: separate }) });
	}
}

// Three painted people before a camera, for pictures that are worth showing:
// SVG, moved a little from frame to frame, as a file that Chromium takes for a
// camera.
import { execFileSync } from 'node:child_process';

const WIDTH = 640, HEIGHT = 360, FPS = 15, SECONDS = 4;

const PEOPLE = {
	ana: {
		skin: ['#d9a27c', '#b9784f', '#8a5233'], lips: '#a9494a', brow: '#2a1a14', iris: '#4a2c1a',
		hair: ['#4a2f22', '#1f120d'], cloth: ['#e0a23a', '#a86c16'], tilt: -2, wide: 1,
		room: room('#d8c3ab', '#a98a6d', `
			<rect x="40" y="40" width="150" height="96" fill="#f2e4d0"/><rect x="50" y="50" width="130" height="76" fill="#7fa08f"/>
			<circle cx="90" cy="84" r="22" fill="#e9b878"/><path d="M50 126 L100 88 L180 126Z" fill="#42685a"/>
			<rect x="470" y="90" width="170" height="10" fill="#6d4a30"/><rect x="470" y="200" width="170" height="10" fill="#6d4a30"/>
			${books(480, 90, ['#8c3b2e', '#d7b26b', '#3f5d6b', '#b9684a', '#e6d8c0', '#4d6b4a', '#95533a'])}
			${books(500, 200, ['#405a4b', '#c98b4e', '#e2d2b6', '#7a3a34', '#57717f'])}
			<g fill="#3f6b45"><ellipse cx="36" cy="250" rx="14" ry="62" transform="rotate(-24 36 250)"/><ellipse cx="64" cy="240" rx="13" ry="66" transform="rotate(6 64 240)"/>
			<ellipse cx="96" cy="256" rx="13" ry="58" transform="rotate(34 96 256)"/></g><path d="M30 300h76l-9 60h-58z" fill="#b5633f"/>`),
		back: `<path d="M320 36c-66 0-92 46-94 104-1 40-20 62-26 104-4 30 14 52 40 56h160c26-4 44-26 40-56-6-42-25-64-26-104-2-58-28-104-94-104z" fill="url(#hair)"/>`,
		front: `<path d="M252 160c-6-62 14-112 68-112s74 50 68 114c-7-30-20-56-40-72-22 22-56 32-72 36-10 8-18 20-24 34z" fill="url(#hair)"/>
			<path d="M258 130c-8 30-8 70-26 110M382 130c8 30 8 70 26 110" stroke="#6b4632" stroke-width="3" fill="none" opacity=".5"/>`,
		neckline: `<path d="M276 268c10 30 78 30 88 0l18 8c-14 44-110 44-124 0z" fill="#c98a26"/>`,
	},
	lukas: {
		skin: ['#f0c7a6', '#d99f7a', '#a86d4c'], lips: '#b0665a', brow: '#5d432c', iris: '#4d7590',
		hair: ['#8a6540', '#4f3720'], cloth: ['#3d5a80', '#1f3350'], tilt: 2, wide: 1.06,
		room: room('#a9bccb', '#6f8596', `
			<rect x="30" y="0" width="190" height="230" fill="#eef5fb"/><rect x="40" y="0" width="80" height="220" fill="#bcd9f2"/><rect x="130" y="0" width="80" height="220" fill="#c9e2f5"/>
			<path d="M40 220v-60c20-30 60-24 80 0v60zM130 220v-40c24-40 56-30 80-6v46z" fill="#86a98c"/>
			<rect x="450" y="60" width="190" height="300" fill="#5c6f7d"/><rect x="462" y="150" width="178" height="8" fill="#39474f"/><rect x="462" y="250" width="178" height="8" fill="#39474f"/>
			${books(470, 150, ['#d8dee3', '#c0563f', '#e5c05c', '#2e4756', '#8fa7b4', '#d8dee3'])}
			${books(490, 250, ['#2f5168', '#dfe5e8', '#bf7a3c', '#7d8f99'])}`),
		back: '',
		front: `<path d="M253 146c-10-58 16-98 67-98s78 40 67 98c-3-18-7-30-13-40-10-10-20-14-30-18-22 10-52 12-68 8-12 12-18 28-23 50z" fill="url(#hair)"/>`,
		beard: `<path d="M258 160c2 50 27 84 62 84s60-34 62-84c-3 18-10 32-20 36-10-7-26-10-42-10s-32 3-42 10c-10-4-17-18-20-36z" fill="url(#hair)" opacity=".72" filter="url(#edge)"/>`,
		glasses: `<g fill="#ffffff14" stroke="#23282e" stroke-width="3.4"><rect x="270" y="136" width="42" height="31" rx="11"/><rect x="328" y="136" width="42" height="31" rx="11"/>
			<path d="M312 146q8-5 16 0M270 146l-14-4M370 146l14-4" fill="none"/></g><path d="M277 141l14 0-10 16z" fill="#fff" opacity=".22"/><path d="M336 141l14 0-10 16z" fill="#fff" opacity=".22"/>`,
		neckline: `<path d="M282 262l38 46 38-46 22 12-34 62-26-26-26 26-34-62z" fill="#2c466a"/><path d="M320 308v52" stroke="#182a44" stroke-width="2"/>`,
	},
	minji: {
		skin: ['#f6d5bd', '#e3b090', '#b98263'], lips: '#c2565e', brow: '#2b211e', iris: '#33211a',
		hair: ['#37302f', '#0f0c0d'], cloth: ['#46566b', '#252f3d'], tilt: -1, wide: .97,
		room: room('#b9c7b6', '#7f937f', `
			<rect x="0" y="0" width="640" height="150" fill="#cdd8c6"/><rect x="440" y="30" width="150" height="120" fill="#f7f4ea"/>
			<path d="M456 130l30-50 24 30 20-34 44 54z" fill="#8aa6b8"/><circle cx="556" cy="56" r="13" fill="#e9a178"/>
			<path d="M70 84h90l24 70H46z" fill="#fff3cf"/><rect x="111" y="154" width="8" height="120" fill="#77664c"/><circle cx="115" cy="140" r="70" fill="#fff1c0" opacity=".35"/>
			<rect x="0" y="270" width="250" height="90" fill="#8f7657"/><rect x="470" y="232" width="170" height="128" fill="#9b8263"/>
			<g fill="#54774f"><ellipse cx="540" cy="196" rx="10" ry="42" transform="rotate(-28 540 196)"/><ellipse cx="560" cy="188" rx="10" ry="46"/><ellipse cx="582" cy="198" rx="10" ry="40" transform="rotate(30 582 198)"/></g><rect x="540" y="214" width="42" height="34" rx="6" fill="#e8e2d6"/>`),
		back: `<path d="M320 42c-70 0-86 50-86 106 0 44-8 78-4 108 20 14 50 16 60 16h60c10 0 40-2 60-16 4-30-4-64-4-108 0-56-16-106-86-106z" fill="url(#hair)"/>`,
		front: `<path d="M252 176c-8-78 12-130 68-130s76 52 68 130c-2-22-7-36-13-46-18 3-34 4-55 4s-37-1-55-4c-6 10-11 24-13 46z" fill="url(#hair)"/>
			<path d="M286 78c14-10 40-12 60-2" stroke="#7c6d69" stroke-width="7" fill="none" opacity=".4" stroke-linecap="round"/>`,
		neckline: `<path d="M284 258l36 92 36-92z" fill="#f4f1ea"/><path d="M284 256l36 96-26 20-42-92zM356 256l-36 96 26 20 42-92z" fill="#3a495c"/><path d="M252 280l20-6 14 40-8 4zM388 280l-20-6-14 40 8 4z" fill="#2b3747"/>`,
	},
};

function books(x, base, colours) {
	return colours.map((c, i) => {
		const h = 52 + (i * 37) % 22, w = 15 + (i * 53) % 9, at = x + i * 22;
		return `<rect x="${at}" y="${base - h}" width="${w}" height="${h}" fill="${c}"/>`;
	}).join('');
}

function room(light, dark, things) {
	return `<linearGradient id="wall" x2="1" y2="1"><stop stop-color="${light}"/><stop offset="1" stop-color="${dark}"/></linearGradient>
		<g id="room" filter="url(#far)"><rect x="-40" y="-40" width="720" height="440" fill="url(#wall)"/>${things}</g>`;
}

function eye(x, p) {
	return `<g transform="translate(${x} 152)">
		<path d="M-15 1C-9-9 9-9 15 1 9 8-9 8-15 1z" fill="#f7f1ea"/>
		<clipPath id="lid${x}"><path d="M-15 1C-9-9 9-9 15 1 9 8-9 8-15 1z"/></clipPath>
		<g clip-path="url(#lid${x})"><circle class="gaze" r="7.4" fill="${p.iris}"/><circle class="gaze" r="3.4" fill="#120c0a"/><circle class="gaze" cx="-2.4" cy="-2.8" r="1.9" fill="#fff"/>
			<path d="M-16-9h32v6c-8-5-24-5-32 0z" fill="#00000055"/></g>
		<path d="M-16 1C-9-10 9-10 16 1" fill="none" stroke="#1d1310" stroke-width="2.6" stroke-linecap="round"/>
		<path class="lid" d="M-16 1C-9-10 9-10 16 1 9 8-9 8-16 1z" fill="${p.skin[1]}"/>
		<path d="M-14-8C-8-14 8-14 14-8" fill="none" stroke="${p.skin[2]}" stroke-width="1.4" opacity=".5"/>
		<path d="M-18-19C-8-27 8-26 18-20" fill="none" stroke="${p.brow}" stroke-width="5" stroke-linecap="round" opacity=".85"/></g>`;
}

function svg(p) {
	const [light, mid, dark] = p.skin;
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 640 360">
	<defs>
		<filter id="far"><feGaussianBlur stdDeviation="4.5"/></filter><filter id="soft"><feGaussianBlur stdDeviation="5"/></filter>
		<filter id="edge"><feGaussianBlur stdDeviation=".7"/></filter><filter id="blush"><feGaussianBlur stdDeviation="9"/></filter>
		<filter id="strands" x="0" y="0" width="1" height="1"><feTurbulence type="fractalNoise" baseFrequency=".16 .01" numOctaves="2" seed="4"/>
			<feColorMatrix values="0 0 0 0 .75  0 0 0 0 .55  0 0 0 0 .4  0 0 0 .4 -.15" result="n"/><feComposite in="n" in2="SourceAlpha" operator="in" result="m"/>
			<feMerge><feMergeNode in="SourceGraphic"/><feMergeNode in="m"/></feMerge></filter>
		<filter id="weave" x="0" y="0" width="1" height="1"><feTurbulence type="fractalNoise" baseFrequency=".35" numOctaves="2" seed="9"/>
			<feColorMatrix values="0 0 0 0 0  0 0 0 0 0  0 0 0 0 0  0 0 0 .55 -.2" result="n"/><feComposite in="n" in2="SourceAlpha" operator="in" result="m"/>
			<feMerge><feMergeNode in="SourceGraphic"/><feMergeNode in="m"/></feMerge></filter>
		<radialGradient id="face" cx=".42" cy=".34" r=".75"><stop stop-color="${light}"/><stop offset=".6" stop-color="${mid}"/><stop offset="1" stop-color="${dark}"/></radialGradient>
		<linearGradient id="neck" x2="0" y2="1"><stop stop-color="${dark}"/><stop offset=".5" stop-color="${mid}"/></linearGradient>
		<linearGradient id="hair" x2=".4" y2="1"><stop stop-color="${p.hair[0]}"/><stop offset=".55" stop-color="${p.hair[1]}"/></linearGradient>
		<linearGradient id="cloth" x2=".9" y2=".8"><stop stop-color="${p.cloth[0]}"/><stop offset="1" stop-color="${p.cloth[1]}"/></linearGradient>
		<radialGradient id="vignette" r=".75"><stop offset=".55" stop-color="#000" stop-opacity="0"/><stop offset="1" stop-color="#000" stop-opacity=".38"/></radialGradient>
		<linearGradient id="key" x2="1"><stop stop-color="#fff" stop-opacity=".22"/><stop offset=".5" stop-color="#fff" stop-opacity="0"/><stop offset="1" stop-color="#000" stop-opacity=".22"/></linearGradient>
	</defs>
	${p.room}
	<g id="body" filter="url(#edge)">
		<path d="M150 372c2-66 46-92 108-104l62-14 62 14c62 12 106 38 108 104z" fill="#000" opacity=".35" filter="url(#soft)" transform="translate(8 6)"/>
		<g id="hairback" filter="url(#strands)">${p.back}</g>
		<g filter="url(#weave)"><path d="M150 372c2-66 46-92 108-104l62-14 62 14c62 12 106 38 108 104z" fill="url(#cloth)"/></g>
		<path d="M284 210v54c0 22 72 22 72 0v-54z" fill="url(#neck)"/>
		<g filter="url(#weave)">${p.neckline}</g>
	</g>
	<g id="head" filter="url(#edge)"><g transform="translate(320 0) scale(${p.wide} 1) translate(-320 0)">
		<ellipse cx="258" cy="162" rx="9" ry="18" fill="${mid}"/><ellipse cx="382" cy="162" rx="9" ry="18" fill="${dark}"/>
		<path d="M258 140c-4-56 24-82 62-82s66 26 62 82c-1 34-8 58-24 78-12 14-24 22-38 22s-26-8-38-22c-16-20-23-44-24-78z" fill="url(#face)"/>
		<g filter="url(#blush)"><circle cx="284" cy="186" r="15" fill="${p.lips}" opacity=".34"/><circle cx="356" cy="186" r="15" fill="${p.lips}" opacity=".3"/>
			<path d="M266 128c20-14 34-12 46 6zM328 134c12-18 28-18 46-4z" fill="${dark}" opacity=".35"/></g>
		${p.beard ? `<g filter="url(#strands)">${p.beard}</g>` : ''}
		${eye(291, p)}${eye(349, p)}
		<path d="M317 150c-3 18-9 28-10 34 3 6 9 5 13 5s10 1 13-5c-1-6-5-14-7-34" fill="${dark}" opacity=".18" filter="url(#edge)"/>
		<path d="M307 184c3 6 8 5 13 5s10 1 13-5" fill="none" stroke="${dark}" stroke-width="2.6" stroke-linecap="round" opacity=".75"/>
		<path d="M317 150q-2 16-3 26" stroke="#fff" stroke-width="4" opacity=".22" fill="none" filter="url(#edge)"/>
		<g transform="translate(320 209)"><path id="inside" d="" fill="#4a1618"/><path id="teeth" d="" fill="#f4ede6"/>
			<path id="upper" d="" fill="${p.lips}"/><path id="lower" d="" fill="${p.lips}"/><path id="shine" d="" stroke="#fff" stroke-width="2" opacity=".25" fill="none" stroke-linecap="round"/></g>
		${p.glasses ?? ''}
		<g filter="url(#strands)">${p.front}</g>
	</g></g>
	<rect width="640" height="360" fill="url(#key)" style="mix-blend-mode:soft-light"/>
	<rect width="640" height="360" fill="url(#vignette)"/>
	</svg>`;
}

// In the page: the pose at phase u (0 to 1 of the loop), talking or listening.
function pose(u, tilt, talks, seed) {
	const wave = (n, at = 0) => Math.sin(2 * Math.PI * (n * u + at + seed));
	const set = (id, attribute, value) => document.getElementById(id).setAttribute(attribute, value);
	const open = talks ? Math.max(0, 0.45 * wave(9) + 0.35 * wave(14, 0.2) + 0.25 * wave(5, 0.6)) * 11 : 0;
	const smile = 4.5 + wave(1);
	set('head', 'transform', `rotate(${tilt + 1.6 * wave(1)} 320 250) translate(${2 * wave(1, 0.25)} ${wave(2) - (talks ? 1.5 * wave(5) : 0)})`);
	set('body', 'transform', `translate(${0.8 * wave(1, 0.25)} ${0.8 * wave(2)})`);
	set('inside', 'd', `M-19 ${-smile}Q0 ${-3 - open / 4} 19 ${-smile}Q0 ${6 + open * 1.6} -19 ${-smile}Z`);
	set('teeth', 'd', open > 1 ? `M-13 ${-smile + 1}Q0 ${-2} 13 ${-smile + 1}Q0 ${2 + open / 2} -13 ${-smile + 1}Z` : '');
	set('upper', 'd', `M-21 ${-smile}Q-8 -7 -3 -5.5Q0 -4 3 -5.5Q8 -7 21 ${-smile}Q0 ${2 - open / 4} -21 ${-smile}Z`);
	set('lower', 'd', `M-21 ${-smile}Q0 ${4 + open * 1.5} 21 ${-smile}Q10 ${8.5 + open * 1.5} 0 ${8.5 + open * 1.5}Q-10 ${8.5 + open * 1.5} -21 ${-smile}Z`);
	set('shine', 'd', `M-5 ${5.5 + open * 1.5}q5 1.5 10 0`);
	const blink = Math.abs(u - (0.3 + 0.4 * seed)) < 0.025;
	for (const lid of document.querySelectorAll('.lid'))
		lid.setAttribute('transform', blink ? '' : 'translate(0 -5) scale(1 .2)');
	for (const iris of document.querySelectorAll('.gaze'))
		iris.setAttribute('transform', `translate(${1.6 * wave(1, 0.4)} ${0.6 * wave(1)})`);
}

export const names = Object.keys(PEOPLE);

// Writes the clip (y4m) of one of `names`; page is any page of a browser.
export async function paint(page, name, talks, file) {
	const person = PEOPLE[name], frames = [];
	await page.setViewportSize({ width: WIDTH, height: HEIGHT });
	await page.setContent(`<style>body{margin:0}svg{display:block}</style>${svg(person)}`);
	for (let i = 0; i < FPS * SECONDS; i++) {
		await page.evaluate(`(${pose})(${i / (FPS * SECONDS)}, ${person.tilt}, ${talks}, ${names.indexOf(name) / 3})`);
		frames.push(await page.screenshot({ type: 'jpeg', quality: 95 }));
	}
	execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'mjpeg', '-framerate', String(FPS), '-i', '-',
		'-vf', 'scale=out_color_matrix=bt601:out_range=tv', '-pix_fmt', 'yuv420p', file], { input: Buffer.concat(frames) });
}

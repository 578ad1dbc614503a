// Lists that are shown again and again.

// A button that keeps the focus when the list is shown anew is a button that stays:
// rows are kept by key, and only what changed in them is replaced.
export function keyed(list, items, key, build, fill) {
	const rows = new Map([...list.children].map((li) => [li.dataset.key, li]));
	let at = list.firstElementChild;
	for (const item of items) {
		const id = String(key(item));
		let li = rows.get(id);
		rows.delete(id);
		if (!li) {
			li = build(item);
			li.dataset.key = id;
		}
		fill(li, item);
		if (li === at)
			at = at.nextElementSibling;
		else
			list.insertBefore(li, at);
	}
	for (const li of rows.values())
		li.remove();
}

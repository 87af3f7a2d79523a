// Makes elements. Whatever comes from outside is text, never HTML.

/** An element with properties (`aria-…`, `data-…`, `role`, `scope` and `colspan` are attributes) and children. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (/^(aria-|data-|role$|scope$|colspan$|title$)/.test(key)) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A select's options, from pairs of value and text. */
export function fillSelect(select, options) {
  select.replaceChildren(...options.map(([value, text]) => element("option", { value, textContent: text })));
  select.parentElement.hidden = options.length < 2;
}

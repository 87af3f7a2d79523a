// Elements of the page. Names and labels only ever become text or attributes, never HTML.

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/** Make an element with attributes and children: elements, or strings, which become text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A choice with a label for screen readers; `options` are pairs of value and text. */
export function choice(label, options, value, act) {
  const select = make("select", { "aria-label": label });
  for (const [name, text] of options) select.append(make("option", { value: name }, text));
  select.value = value;
  select.addEventListener("change", () => act(select.value));
  return select;
}

/** A small square of a colour (red, green, blue), for legends. */
export function swatch([red, green, blue]) {
  const canvas = make("canvas", { class: "swatch", width: 12, height: 12, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  context.fillStyle = `rgb(${red} ${green} ${blue})`;
  context.fillRect(0, 0, 12, 12);
  return canvas;
}

/** A share as text, such as "3.2 %". */
export const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.001 ? 3 : 1)} %`;

/** A number of about three digits. */
export function short(value) {
  if (!Number.isFinite(value)) return "unknown";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

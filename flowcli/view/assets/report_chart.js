// Histograms, as pictures and in words.

import { element } from "./report_elements.js";
import { shortText } from "./report_numbers.js";

const width = 460;
const height = 190;
const edge = { left: 46, right: 12, top: 10, bottom: 36 };

/** A histogram with its caption. */
export function chart(histogram) {
  const { title, unit, counts, of, below } = histogram;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const words = below.map(([share, upper], index) => belowText(share, upper, unit, index === 0 ? ` of the ${of}` : ""));
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: ${words.join(", ")}` });
  const shares = counts.map((count) => count / total);
  const top = Math.max(...shares);
  picture.append(...rules(top), ...bars(histogram, shares, top), ...axis(histogram));
  return element(
    "figure",
    {},
    element("figcaption", {}, element("strong", { textContent: title }), ` (${total.toLocaleString("en")} ${of})`),
    picture,
    element("p", { className: "quiet number", textContent: `${words.join(", ")}.` }),
  );
}

function belowText(share, upper, unit, whose) {
  const percent = `${shortText(100 * share)} %${whose}`;
  return upper === null ? `${percent} beyond` : `${percent} below ${shortText(upper)} ${unit}`;
}

function svg(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function place(index, count) {
  return edge.left + (index / count) * (width - edge.left - edge.right);
}

function level(share, top) {
  return height - edge.bottom - (share / top) * (height - edge.top - edge.bottom);
}

/** Horizontal lines with their shares. */
function rules(top) {
  const step = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005].find((each) => top / each >= 2) ?? top;
  const made = [];
  for (let share = 0; share <= top * 1.001; share += step) {
    const y = level(share, top);
    made.push(svg("line", { x1: edge.left, x2: width - edge.right, y1: y, y2: y, class: "rule" }));
    const text = { x: edge.left - 6, y: y + 4, "text-anchor": "end" };
    made.push(svg("text", text, `${shortText(100 * share)} %`));
  }
  return made;
}

function bars({ lower, upper, unit, counts, of }, shares, top) {
  return shares.map((share, index) => {
    const x = place(index, shares.length);
    const y = level(share, top);
    const wide = Math.max(0.5, place(index + 1, shares.length) - x - 1);
    const bar = svg("rect", { x, y, width: wide, height: height - edge.bottom - y, class: "bar" });
    const end = upper[index] === null ? "and more" : `to ${shortText(upper[index])}`;
    const count = counts[index].toLocaleString("en");
    bar.append(svg("title", {}, `${shortText(lower[index])} ${end} ${unit}: ${count} ${of}`));
    return bar;
  });
}

/** Powers of two below the bars, as many as there is room for, and the unit. */
function axis({ lower, upper, unit }) {
  const edges = [...lower, upper.at(-1)];
  const isPower = (value) => value !== null && value > 0 && Number.isInteger(Math.log2(value));
  const powers = edges.map((value, index) => [value, index]).filter(([value]) => isPower(value));
  const every = Math.max(1, Math.ceil(powers.length / 9));
  const shown = powers.filter(([value]) => Math.log2(value) % every === 0);
  const texts = shown.map(([value, index]) =>
    svg("text", { x: place(index, lower.length), y: height - edge.bottom + 16, "text-anchor": "middle" }, powerText(value)),
  );
  const middle = (edge.left + width - edge.right) / 2;
  return [...texts, svg("text", { x: middle, y: height - 3, "text-anchor": "middle" }, unit)];
}

function powerText(value) {
  return value < 1 ? `1/${1 / value}` : String(value);
}

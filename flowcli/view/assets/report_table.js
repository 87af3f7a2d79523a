// The table of pairs.

import { pageData } from "./page_data.js";
import { element } from "./report_elements.js";
import { changeText, figureText, verdict } from "./report_numbers.js";
import { forgetPictures, lazyPicture } from "./report_pictures.js";
import { allRows, chosenRows, figuresOf } from "./report_rows.js";

const atOnce = 200; // rows; more are added when they are asked for
const table = document.getElementById("pairs");
const body = element("tbody");
const more = document.getElementById("more");
const sortButtons = new Map();

let shownRows = [];
let state = {};

/** The names of the rows that are shown, or would be if all were asked for, in their order. */
export function shownNames() {
  return shownRows.map((row) => row.name);
}

/** Make the table; `changed` is called with the column and direction that a button asks for. */
export function makeTable(changed) {
  const titles = [sortable(null, "Name", "", changed)];
  titles.push(...pageData.pictures.map((what) => element("th", { scope: "col", textContent: what })));
  titles.push(...pageData.columns.map((column, index) => sortable(index, column.heading, column.meaning, changed)));
  const caption = element("caption", { className: "for-readers", textContent: "Pairs with their figures" });
  table.replaceChildren(caption, element("thead", {}, element("tr", {}, ...titles)), body);
  more.addEventListener("click", () => {
    const next = shownRows[body.children.length];
    append();
    body.children[shownRows.indexOf(next)]?.querySelector("a")?.focus();
  });
}

/** A heading with a button that sorts by its column: the worst first, then the other way round. */
function sortable(index, text, meaning, changed) {
  const button = element("button", { type: "button", textContent: text, title: meaning });
  const heading = element("th", { scope: "col", className: index === null ? "name" : "number" }, button);
  button.addEventListener("click", () => {
    const descending = state.column === index ? !state.descending : startsDescending(index);
    changed({ column: index, descending });
  });
  sortButtons.set(index, heading);
  return heading;
}

/** Whether the worst of a column is its largest number; names begin with the first. */
export function startsDescending(index) {
  return index !== null && pageData.columns[index].worse !== "low";
}

/** Show the rows of a state. */
export function showRows(next) {
  state = next;
  shownRows = chosenRows(state);
  for (const [index, heading] of sortButtons) {
    if (index === state.column) heading.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
    else heading.removeAttribute("aria-sort");
  }
  forgetPictures();
  body.replaceChildren();
  append();
  return `${shownRows.length} of ${allRows.length} shown`;
}

function append() {
  const start = body.children.length;
  body.append(...shownRows.slice(start, start + atOnce).map(rowElement));
  const left = shownRows.length - body.children.length;
  more.hidden = left === 0;
  more.textContent = `Show ${Math.min(left, atOnce)} more of ${left}`;
}

function rowElement(row) {
  const figures = figuresOf(row, state);
  const isCompared = state.mode === "change";
  const cells = pageData.columns.map((column, index) =>
    isCompared ? changedCell(row, index, column) : element("td", { className: "number", textContent: figureText(figures[index], column) }),
  );
  const classes = [row.marked ? "marked" : "", row.status].join(" ").trim();
  return element("tr", { className: classes }, nameCell(row), ...pictureCells(row), ...cells);
}

function nameCell(row) {
  const name = row.page === null ? element("span") : element("a", { href: row.page });
  row.name.split("/").forEach((part, place) => {
    if (place > 0) name.append("/", element("wbr")); // where long names are broken
    name.append(part);
  });
  const status = row.status === "done" ? null : element("span", { className: `tag ${row.status}`, textContent: row.status });
  const mark = row.marked ? element("span", { className: "tag", textContent: "look" }) : null;
  const remarks = row.remarks.map((text) => element("span", { className: "remark", textContent: text }));
  return element("th", { scope: "row", className: "name" }, name, status, mark, ...remarks);
}

function pictureCells(row) {
  return pageData.pictures.map((what, index) => {
    const number = row.pictures[index] ?? null;
    return element("td", { className: "picture" }, number === null ? null : lazyPicture(number, `${what} of ${row.name}`));
  });
}

/** A figure beside that of the other evaluation. */
function changedCell(row, index, column) {
  const change = row.change[index];
  const own = figureText(row.own[index], column);
  const hasChange = column.worse !== null && (row.own[index] !== null || row.before[index] !== null);
  if (!hasChange) return element("td", { className: "number", textContent: own });
  return element(
    "td",
    { className: `number ${verdict(change, column)}` },
    element("span", { className: "change", textContent: changeText(change, column) }),
    element("span", { className: "remark", textContent: `${figureText(row.before[index], column)} → ${own}` }),
  );
}

// What is said above and below the table of pairs.

import { pageData } from "./page_data.js";
import { chart } from "./report_chart.js";
import { element } from "./report_elements.js";
import { changeText, figureText, verdict } from "./report_numbers.js";

const mostFailures = 50; // of them all, the table has all

/** Fill all that does not change. */
export function fillPage() {
  document.getElementById("title").textContent = pageData.title;
  define("facts", Object.entries(pageData.facts));
  define("meanings", pageData.columns.map(({ heading, meaning }) => [heading, meaning]));
  list(document.getElementById("notes"), pageData.notes);
  fillFailures();
  fillSummary();
  const charts = pageData.histograms.map(chart);
  const section = document.getElementById("histograms");
  section.hidden = charts.length === 0;
  section.querySelector(".charts").append(...charts);
}

function define(id, entries) {
  const pairs = entries.map(([name, value]) =>
    element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value })),
  );
  document.getElementById(id).append(...pairs);
}

function list(parent, lines) {
  parent.append(...lines.map((line) => element("li", { textContent: line })));
}

function fillFailures() {
  const failed = pageData.rows.filter((row) => row.status === "failed");
  const section = document.getElementById("failures");
  section.hidden = failed.length === 0;
  section.querySelector("h2").textContent = `Failures (${failed.length})`;
  const lines = failed.slice(0, mostFailures).map((row) => [row.name, ...row.remarks].join(": "));
  if (failed.length > mostFailures) lines.push(`and ${failed.length - mostFailures} more, which the table lists`);
  list(section.querySelector("ul"), lines);
}

/** The figures over all pairs, by subset; and below them further ones. */
function fillSummary() {
  const section = document.getElementById("summary");
  section.hidden = pageData.summary.length === 0;
  const { summaryOf, summaryColumns, summary } = pageData;
  const caption = element("caption", { className: "for-readers", textContent: "Figures over all pairs" });
  section.querySelector(".scrolled").append(summaryTable(caption, summaryOf, summaryColumns, summary));
  for (const { title, columns, rows } of pageData.further) {
    const scrolled = element("div", { className: "scrolled", role: "region", tabIndex: 0, "aria-label": title });
    const name = element("caption", { textContent: title });
    scrolled.append(summaryTable(name, "", columns, rows));
    section.append(scrolled);
  }
}

function summaryTable(caption, of, columns, rows) {
  const titles = columns.map((column) =>
    element("th", { scope: "col", className: "number", title: column.meaning, textContent: column.heading }),
  );
  const body = rows.map(({ name, figures, before }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row", className: "name", textContent: name }),
      ...columns.map((column, index) => summaryCell(column, figures[index], before === null ? null : before[index])),
    ),
  );
  const first = of === "" ? element("td") : element("th", { scope: "col", className: "name", textContent: of });
  return element(
    "table",
    {},
    caption,
    element("thead", {}, element("tr", {}, first, ...titles)),
    element("tbody", {}, ...body),
  );
}

function summaryCell(column, value, before) {
  const cell = element("td", { className: "number", textContent: figureText(value, column) });
  if (value === null || before === null || column.worse === null) return cell;
  const change = value - before;
  cell.classList.add(verdict(change, column));
  const text = `${changeText(change, column)} from ${figureText(before, column)}`;
  cell.append(element("span", { className: "remark", textContent: text }));
  return cell;
}

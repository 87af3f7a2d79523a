// The report: what the controls say, and the table that follows them.

import { pageData } from "./page_data.js";
import { fillSelect } from "./report_elements.js";
import { allRows, countOf } from "./report_rows.js";
import { fillPage } from "./report_summary.js";
import { makeTable, showRows, shownNames, startsDescending } from "./report_table.js";

const controls = {
  name: document.getElementById("filter-name"),
  subset: document.getElementById("filter-subset"),
  status: document.getElementById("filter-status"),
  mode: document.getElementById("filter-mode"),
};
const firstColumn = pageData.columns.findIndex((column) => column.key === pageData.first);
const sorting = { column: firstColumn, descending: startsDescending(firstColumn) };

/** The choices of kinds of rows: those that there are. */
function statusChoices() {
  const texts = { marked: "To look at", failed: "Failed", skipped: "Skipped" };
  if (pageData.against !== null) texts.one = "In one evaluation only";
  const counted = Object.entries(texts).map(([kind, text]) => [kind, text, countOf(kind)]);
  const found = counted.filter(([, , count]) => count > 0).map(([kind, text, count]) => [kind, `${text} (${count})`]);
  return [["all", `All (${allRows.length})`], ...found];
}

function update(change = {}) {
  Object.assign(sorting, change);
  const chosen = Object.fromEntries(Object.entries(controls).map(([key, control]) => [key, control.value]));
  document.getElementById("count").textContent = showRows({ ...chosen, ...sorting });
}

fillPage();
const subsets = pageData.subsets.map((name, index) => [String(index), name]);
fillSelect(controls.subset, subsets.length > 1 ? [["", "each pair's first"], ...subsets] : [["", ""]]);
fillSelect(controls.status, statusChoices());
const modes = [["figures", "of this evaluation"]];
if (pageData.against !== null) modes.unshift(["change", `change from ${pageData.against}`]);
fillSelect(controls.mode, modes);
makeTable(update);
for (const control of Object.values(controls)) control.addEventListener("input", () => update());
document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
update();

/** For scripts and tests. */
window.flowcli = { rows: shownNames };

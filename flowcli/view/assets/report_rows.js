// Which rows are shown, in which order: the model behind the table.

import { pageData } from "./page_data.js";

const columnCount = pageData.columns.length;
const noFigures = new Array(columnCount).fill(null);

/** The rows, with their figures by subset, and what has changed since the other evaluation. */
export const allRows = pageData.rows.map((row) => {
  const bySubset = new Map(row.figures);
  const own = row.figures.length > 0 ? row.figures[0][1] : noFigures;
  const before = row.before ?? noFigures;
  const change = own.map((value, index) => (value === null || before[index] === null ? null : value - before[index]));
  return { ...row, bySubset, own, before, change, words: row.name.toLowerCase() };
});

/** The figures that a row shows. */
export function figuresOf(row, { subset, mode }) {
  if (mode === "change") return row.own;
  return subset === "" ? row.own : (row.bySubset.get(Number(subset)) ?? noFigures);
}

/** What a row is sorted by. */
function keyOf(row, state) {
  return (state.mode === "change" ? row.change : figuresOf(row, state))[state.column];
}

const kinds = {
  all: () => true,
  marked: (row) => row.marked,
  failed: (row) => row.status === "failed",
  skipped: (row) => row.status === "skipped",
  one: (row) => row.before === noFigures || row.own === noFigures,
};

/** The numbers of rows of each kind, for the choices. */
export function countOf(kind) {
  return allRows.filter(kinds[kind]).length;
}

/** The rows that a state shows, in its order; those without a number come last, and equal ones as in the run. */
export function chosenRows(state) {
  const words = state.name.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = allRows.filter(
    (row) =>
      words.every((word) => row.words.includes(word)) &&
      (state.subset === "" || row.bySubset.has(Number(state.subset))) &&
      kinds[state.status](row),
  );
  const sign = state.descending ? -1 : 1;
  if (state.column === null) {
    return shown.sort((a, b) => sign * a.name.localeCompare(b.name, "en", { numeric: true }));
  }
  const keys = new Map(shown.map((row) => [row, keyOf(row, state)]));
  return shown.sort((a, b) => {
    const [one, other] = [keys.get(a), keys.get(b)];
    if (one === null || other === null) return (one === null) - (other === null);
    return sign * (one - other);
  });
}

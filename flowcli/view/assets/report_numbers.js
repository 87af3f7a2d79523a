// Numbers as text.

const none = "–";

/** A figure with the decimals of its column. */
export function figureText(value, column) {
  return value === null ? none : grouped(value, column);
}

/** A difference, always with its sign. */
export function changeText(value, column) {
  if (value === null) return none;
  const text = grouped(Math.abs(value), column);
  return /[1-9]/.test(text) ? (value < 0 ? "−" : "+") + text : `±${text}`;
}

/** Whether a difference is for the worse, for the better, or neither as far as its text tells. */
export function verdict(change, column) {
  if (change === null || column.worse === null || Math.abs(change) < 0.5 * 10 ** -column.decimals) return "same";
  return change > 0 === (column.worse === "high") ? "worse" : "better";
}

function grouped(value, { decimals }) {
  return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A number on an axis or of a bin, short. */
export function shortText(value) {
  return String(Number(value.toPrecision(3)));
}

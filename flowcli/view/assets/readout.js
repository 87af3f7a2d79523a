// What is read at the point, and said to screen readers.

import { byId, make } from "./dom.js";
import { degreesOf, errorAt } from "./measure.js";
import { pageData } from "./page_data.js";

const QUIET = 500; // milliseconds between two announcements
const DIGITS = { u: 3, v: 3, length: 3, angle: 1, error: 3 };

const fixed = (value, digits) => (Number.isNaN(value) ? "unknown" : value.toFixed(digits));
const signed = (value, digits) => (value >= 0 ? "+" : "") + fixed(value, digits);

/** The line of numbers below the panes. */
export class Readout {
  constructor(app) {
    this.app = app;
    this.element = byId("readout");
    this.element.style.minHeight = `${1.45 * (pageData.flows.length + (pageData.moments[0].truth === null ? 0 : 1))}em`;
    this.spoken = byId("spoken");
    this.timer = null;
    app.state.watch(["point"], () => this.show());
    this.show();
  }

  show() {
    const point = this.app.state.get("point");
    if (this.app.moment === null || point === null) {
      const hint = "Point at a picture, or move the point with the arrow keys, to read the flow.";
      this.element.replaceChildren(make("span", { class: "quiet" }, hint));
      return;
    }
    const place = make("div", { class: "at" }, value("x", String(point.x)), value("y", String(point.y)));
    const lines = this.vectors().map(({ name, vector }) => lineOf(name, vector));
    this.element.replaceChildren(place, make("div", { class: "lines" }, ...lines));
    if (point.byKey) this.speakSoon();
  }

  /** The vectors at the point, with their names: of the flows, then of the truth. */
  vectors() {
    const { x, y } = this.app.state.get("point");
    const { moment, size } = this.app;
    const i = y * size.width + x;
    const read = (field, name, truth) => ({
      name,
      vector: {
        u: field.u[i],
        v: field.v[i],
        length: field.length[i],
        angle: degreesOf(field.u[i], field.v[i]),
        ...(truth === null ? {} : { error: errorAt(field, truth, i) }),
      },
    });
    const isAlone = moment.fields.length === 1;
    const nameOf = (index) => (isAlone ? (moment.truth === null ? "" : "flow") : pageData.flows[index]);
    const vectors = moment.fields.map((field, index) => read(field, nameOf(index), moment.truth));
    return moment.truth === null ? vectors : [...vectors, read(moment.truth, "truth", null)];
  }

  speakSoon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.spoken.textContent = this.words();
    }, QUIET);
  }

  words() {
    const { x, y } = this.app.state.get("point");
    const told = this.vectors().map(({ name, vector: { u, v, length, angle, error } }) => {
      if (Number.isNaN(u)) return `${name} unknown`;
      const off = error === undefined ? "" : `, error ${fixed(error, 2)}`;
      return `${name} u ${fixed(u, 2)}, v ${fixed(v, 2)}, length ${fixed(length, 2)}, angle ${fixed(angle, 0)}${off}`;
    });
    return `x ${x}, y ${y}: ${told.join("; ")}`;
  }
}

function value(name, text, unit = "") {
  return make("span", { class: "value" }, make("span", { class: "quiet" }, `${name} `), text, unit && ` ${unit}`);
}

function lineOf(name, { u, v, length, angle, error }) {
  const line = make("div", { class: "line" }, make("span", { class: "name", title: name }, name), " ");
  if (Number.isNaN(u)) {
    line.append(make("span", { class: "unknown" }, "unknown"));
    return line;
  }
  const parts = [
    value("u", signed(u, DIGITS.u), "px"),
    value("v", signed(v, DIGITS.v), "px"),
    value("length", fixed(length, DIGITS.length), "px"),
    value("angle", fixed(angle, DIGITS.angle) + "°"),
  ];
  if (error !== undefined) parts.push(value("error", fixed(error, DIGITS.error), Number.isNaN(error) ? "" : "px"));
  else parts.push(make("span")); // its column
  for (const part of parts) line.append(part, " ");
  return line;
}

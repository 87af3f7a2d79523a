// The pane of a flow's errors.

import { opaque } from "./color.js";
import { choice, make, percent, short } from "./dom.js";
import { Layer } from "./layer.js";
import { errorsOf, kittiStep } from "./measure.js";
import { Pane } from "./pane.js";
import { pageData } from "./page_data.js";

const BLACK = opaque([0, 0, 0]);
const kittiColors = Int32Array.from(pageData.tables.kitti, opaque);
const heatColors = Int32Array.from(pageData.tables.heat, opaque);
const HEAT_TOP = 3; // pixels, at first

/** The errors of the selected flow, in KITTI's colours or as heat. */
export class ErrorPane {
  constructor(app) {
    this.app = app;
    this.style = "kitti";
    this.top = HEAT_TOP;
    this.layer = new Layer(app.size.width, app.size.height);
    this.pane = new Pane(app.view, "error", "Error");
    this.addControls();
  }

  addControls() {
    const styles = [
      ["kitti", "KITTI"],
      ["heat", "heat"],
    ];
    this.legend = make("canvas", { class: "strip", width: 60, height: 10, role: "img" });
    this.topInput = make("input", {
      type: "number",
      min: 0,
      step: "any",
      value: HEAT_TOP,
      "aria-label": "Error in yellow, px",
    });
    this.topInput.addEventListener("input", () => {
      if (!(this.topInput.valueAsNumber > 0)) return;
      this.top = this.topInput.valueAsNumber;
      this.recolor();
    });
    this.topLabel = make("label", { class: "quiet" }, this.topInput, " px");
    const style = choice("Colours of errors", styles, this.style, (name) => {
      this.style = name;
      this.recolor();
    });
    this.pane.controls.append(this.legend, this.topLabel, style);
  }

  get isSeen() {
    return this.pane.isShown;
  }

  async later() {
    const { field, moment } = this.app;
    this.errors = errorsOf(field, moment.truth);
    this.pane.picture = this.layer.canvas;
    this.recolor();
    const { known, mean, wrong } = this.errors;
    if (known === 0) this.pane.describe("unknown", "Nowhere are both flows known.");
    else {
      const figures = `mean ${short(mean)} px, ${percent(wrong)} wrong`;
      this.pane.describe(figures, `End-point error: ${figures}: more than 3 pixels and 5 % of the true length.`);
    }
  }

  recolor() {
    const isKitti = this.style === "kitti";
    this.topLabel.hidden = isKitti;
    const pixels = this.layer.blank();
    if (isKitti) this.paintKitti(pixels.numbers);
    else this.paintHeat(pixels.numbers);
    this.layer.put(pixels);
    this.drawLegend(isKitti ? kittiColors : heatColors);
    const words = isKitti
      ? "From blue, 1/16 of what counts as wrong, to red, 16 times that; 3 px and 5 % are in the middle."
      : `From black, no error, to yellow, ${this.top} px and more.`;
    this.legend.title = words;
    this.legend.setAttribute("aria-label", words);
    this.pane.invalidate();
  }

  paintKitti(numbers) {
    const { values } = this.errors;
    const { length } = this.app.moment.truth;
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = values[i] === values[i] ? kittiColors[kittiStep(values[i], length[i])] : BLACK;
    }
  }

  paintHeat(numbers) {
    const { values } = this.errors;
    const factor = 255 / this.top;
    for (let i = 0; i < numbers.length; i++) {
      const level = values[i] === values[i] ? Math.min(255, values[i] * factor) : 0;
      numbers[i] = heatColors[level | 0];
    }
  }

  drawLegend(colors) {
    const context = this.legend.getContext("2d");
    const image = context.createImageData(this.legend.width, this.legend.height);
    const numbers = new Int32Array(image.data.buffer);
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = colors[Math.floor(((i % image.width) / image.width) * colors.length)];
    }
    context.putImageData(image, 0, 0);
  }
}

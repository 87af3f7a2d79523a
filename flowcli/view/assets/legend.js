// The wheel as the legend of colours, and the scale.

import { paintField } from "./color.js";
import { byId, short } from "./dom.js";
import { measured } from "./measure.js";
import { pageData } from "./page_data.js";

const SIDE = 264; // pixels; twice as many as it is shown with, for sharp screens
const NEARLY_ALL = 0.99; // of the vectors
const SAMPLES = 50_000;
const DECADES = { below: 2, above: 1.5 }; // how far the slider reaches around the scale at first

/** The wheel and its controls. */
export class Legend {
  constructor(app) {
    this.app = app;
    this.wheel = byId("wheel");
    this.point = byId("wheel-point");
    for (const canvas of [this.wheel, this.point]) canvas.width = canvas.height = SIDE;
    const [us, vs] = [new Float32Array(SIDE * SIDE), new Float32Array(SIDE * SIDE)];
    for (let i = 0; i < us.length; i++) {
      us[i] = ((i % SIDE) + 0.5) / (SIDE / 2) - 1;
      vs[i] = (Math.floor(i / SIDE) + 0.5) / (SIDE / 2) - 1;
    }
    this.disc = measured(us, vs, 0);
    this.connect();
    this.drawWheel();
    this.showScale();
  }

  connect() {
    const { state } = this.app;
    this.slider = byId("scale-slider");
    this.number = byId("scale");
    const middle = Math.log10(pageData.scale);
    this.slider.min = String(middle - DECADES.below);
    this.slider.max = String(middle + DECADES.above);
    this.slider.addEventListener("input", () => state.set("scale", 10 ** this.slider.valueAsNumber));
    this.number.addEventListener("input", () => {
      if (this.number.valueAsNumber > 0) state.set("scale", this.number.valueAsNumber);
    });
    this.number.addEventListener("change", () => this.showScale()); // instead of what is no scale
    byId("scale-auto").addEventListener("click", () => this.fitScale());
    byId("scale-reset").addEventListener("click", () => state.set("scale", pageData.scale));
    const select = byId("wheel-choice");
    select.value = state.get("wheel");
    select.addEventListener("change", () => state.set("wheel", select.value));
    state.watch(["scale"], () => this.showScale());
    state.watch(["wheel"], () => this.drawWheel());
    state.watch(["point", "scale", "selected"], () => this.drawPoint());
  }

  /** Set the scale to what nearly all vectors of the selected flow stay below, as few may be very long. */
  fitScale() {
    const { length } = this.app.field;
    const step = Math.ceil(length.length / SAMPLES);
    const some = Float32Array.from({ length: Math.floor(length.length / step) }, (_, i) => length[i * step]);
    const known = some.filter((value) => value > 0).sort();
    if (known.length > 0) this.app.state.set("scale", known[Math.floor(NEARLY_ALL * (known.length - 1))]);
  }

  drawWheel() {
    const context = this.wheel.getContext("2d");
    const image = context.createImageData(SIDE, SIDE);
    const numbers = new Int32Array(image.data.buffer);
    paintField(this.disc, 1, this.app.state.get("wheel"), numbers);
    for (let i = 0; i < numbers.length; i++) {
      // The rim fades over one pixel, so that it is smooth.
      image.data[4 * i + 3] = 255 * Math.min(1, Math.max(0, (1 - this.disc.length[i]) * (SIDE / 2)));
    }
    context.putImageData(image, 0, 0);
  }

  showScale() {
    const scale = this.app.state.get("scale");
    this.slider.value = String(Math.log10(scale));
    this.slider.setAttribute("aria-valuetext", `${short(scale)} pixels`);
    if (this.number.valueAsNumber !== scale) this.number.value = String(Number(scale.toPrecision(4)));
    byId("wheel-rim").textContent = `rim: ${short(scale)} px`;
    this.wheel.setAttribute(
      "aria-label",
      `Colour wheel: the hue is the direction; its rim is flow of ${short(scale)} pixels`,
    );
  }

  /** Where the vector at the point lies on the wheel; at the rim if it is longer. */
  drawPoint() {
    const context = this.point.getContext("2d");
    context.clearRect(0, 0, SIDE, SIDE);
    const vector = this.app.vectorAtPoint();
    if (vector === null || Number.isNaN(vector.u)) return;
    const shrink = 1 / Math.max(this.app.state.get("scale"), Math.hypot(vector.u, vector.v));
    const at = (value) => ((value * shrink * 0.96 + 1) * SIDE) / 2;
    context.beginPath();
    context.arc(at(vector.u), at(vector.v), 9, 0, 2 * Math.PI);
    context.lineWidth = 6;
    context.strokeStyle = "rgb(0 0 0)";
    context.stroke();
    context.lineWidth = 3;
    context.strokeStyle = "rgb(255 255 255)";
    context.stroke();
  }
}

// The pane that compares frame 1 with frame 2, as it is or warped back by the flow.

import { choice, make } from "./dom.js";
import { Layer, pixelsOf } from "./layer.js";
import { Pane } from "./pane.js";
import { inSlices } from "./slices.js";
import { pageData } from "./page_data.js";
import { difference, meanDifference, warpRoughly, warpRows } from "./warp.js";

const BLINK = 600; // milliseconds; slower than what could harm
const GAIN = 4; // of differences, which are small where the flow is right
const GRIP = 14; // pixels of the page around the divider
const MODES = [
  ["plain", "plain"],
  ["slider", "divider"],
  ["blink", "blink"],
  ["difference", `difference × ${GAIN}`],
];

/** Frame 1 against frame 2 or the warped frame 2. */
export class ComparePane {
  constructor(app) {
    this.app = app;
    this.mode = "plain";
    this.against = "warped";
    this.split = 0.5;
    this.isFront = false;
    this.timer = null;
    this.warped = new Layer(app.size.width, app.size.height);
    this.differences = new Layer(app.size.width, app.size.height);
    this.pane = new Pane(app.view, "warped", "Warped");
    this.pane.paint = (context, place) => this.paint(context, place);
    this.pane.grab = (event) => this.grab(event);
    this.pane.drag = (event) => this.moveSplit(event);
    if (pageData.moments[0].frame1 !== null) this.addControls();
  }

  addControls() {
    const pictures = [
      ["warped", "warped"],
      ["frame2", "unwarped"],
    ];
    this.modes = choice("How frame 1 is compared", MODES, this.mode, (mode) => this.setMode(mode));
    const against = choice("What frame 1 is compared with", pictures, this.against, (name) => {
      this.against = name;
      this.app.refresh(this);
      this.describe();
    });
    this.slider = make("input", {
      type: "range",
      min: 0,
      max: 100,
      value: 50,
      "aria-label": "Place of the divider, %",
    });
    this.slider.hidden = true;
    this.slider.addEventListener("input", () => this.setSplit(this.slider.valueAsNumber / 100));
    this.pane.controls.append(this.slider, this.modes, against);
  }

  setMode(mode) {
    this.mode = mode;
    this.modes.value = mode;
    this.slider.hidden = mode !== "slider";
    clearInterval(this.timer);
    this.isFront = false;
    if (mode === "blink") this.timer = setInterval(() => this.blink(), BLINK);
    this.app.refresh(this);
    this.describe();
  }

  /** The next way to compare, for a key. */
  nextMode() {
    if (this.modes === undefined) return;
    const names = MODES.map(([name]) => name);
    this.setMode(names[(names.indexOf(this.mode) + 1) % names.length]);
  }

  blink() {
    this.isFront = !this.isFront;
    this.describe();
    this.pane.invalidate();
  }

  setSplit(share) {
    this.split = Math.min(1, Math.max(0, share));
    this.slider.value = String(Math.round(100 * this.split));
    this.pane.invalidate();
  }

  grab(event) {
    const { left, width } = this.pane.stage.getBoundingClientRect();
    return this.mode === "slider" && Math.abs(event.clientX - left - this.split * width) <= GRIP;
  }

  moveSplit(event) {
    const { left, width } = this.pane.stage.getBoundingClientRect();
    this.setSplit((event.clientX - left) / width);
  }

  get isSeen() {
    return this.pane.isShown;
  }

  async later(isStale) {
    const { moment, field, size } = this.app;
    const pixels2 = pixelsOf(moment.frame2);
    const inside = new Uint8Array(size.width * size.height);
    const warped = this.warped.blank();
    const warp = this.app.isPlaying ? warpRoughly : warpRows;
    const rows = (from, to) => warp(field, pixels2, size, warped.numbers, inside, from, to);
    if (!(await inSlices(size.height, size.width, rows, isStale))) return;
    this.warped.put(warped);
    this.figures = null;
    if (moment.frame1 !== null && (this.mode === "difference" || !this.app.isPlaying)) {
      const pixels1 = pixelsOf(moment.frame1);
      this.figures = [warped.numbers, pixels2].map((pixels) => meanDifference(pixels1, pixels, inside));
      if (this.mode === "difference") this.subtract(pixels1, warped.numbers, pixels2, inside);
    }
    this.pane.picture = this.warped.canvas;
    this.describe();
    this.pane.invalidate();
  }

  subtract(pixels1, warped, pixels2, inside) {
    const pixels = this.differences.blank();
    const [other, where] = this.against === "warped" ? [warped, inside] : [pixels2, null];
    difference(pixels1, other, where, GAIN, pixels.numbers);
    this.differences.put(pixels);
  }

  describe() {
    const other = this.against === "warped" ? "frame 2 warped back" : "frame 2";
    const shown = {
      plain: other,
      slider: `frame 1 | ${other}`,
      blink: this.isFront ? "frame 1" : other,
      difference: "black: equal",
    }[this.mode];
    const [warped, plain] = this.figures ?? [NaN, NaN];
    const isKnown = !Number.isNaN(warped);
    const words = `Mean difference from frame 1: ${warped.toFixed(1)} levels of grey, ${plain.toFixed(1)} unwarped.`;
    this.pane.describe(
      isKnown ? `${shown} · off by ${warped.toFixed(1)} of 255, unwarped ${plain.toFixed(1)}` : shown,
      isKnown ? `${shown}. ${words}` : shown,
    );
    this.pane.note.title = isKnown ? words : "";
  }

  paint(context, place) {
    const { pane, app } = this;
    const other = this.against === "warped" ? this.warped.canvas : app.moment.frame2;
    if (this.mode === "difference") pane.drawFrame(context, place, this.differences.canvas);
    else if (this.mode === "blink" && this.isFront) pane.drawFrame(context, place, app.moment.frame1);
    else pane.drawFrame(context, place, other);
    if (this.mode === "slider") this.paintLeft(context, place);
  }

  /** Frame 1 to the left of the divider. */
  paintLeft(context, place) {
    const { width, height } = this.pane.size;
    const at = Math.round(this.split * width);
    context.save();
    context.beginPath();
    context.rect(0, 0, at, height);
    context.clip();
    context.clearRect(0, 0, at, height);
    this.pane.drawFrame(context, place, this.app.moment.frame1);
    context.restore();
    context.fillStyle = "rgb(0 0 0 / 60%)";
    context.fillRect(at - 2, 0, 4, height);
    context.fillStyle = "rgb(255 255 255)";
    context.fillRect(at - 1, 0, 2, height);
    context.fillRect(at - 3, height / 2 - 14, 6, 28);
  }
}

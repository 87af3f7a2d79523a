// Histograms of length and direction; a brushed range shows its pixels in the flow pane.

import { colorOf, cssColor } from "./color.js";
import { byId, make, percent, short } from "./dom.js";
import { Layer } from "./layer.js";
import { DIRECTIONS, LENGTHS, directionBar, histograms, lengthBar } from "./measure.js";
import { TURN } from "./turn.js";

const HEIGHT = 56; // pixels of the page
const OTHERS = (208 << 24) | (128 << 16) | (128 << 8) | 128; // over pixels outside of the brushed ranges

/** Bars with a range that can be brushed, by pointer or with two sliders. */
class Brush {
  constructor(name, bars, changed) {
    this.bars = bars;
    this.counts = new Uint32Array(bars);
    this.changed = changed;
    this.valueOf = String;
    this.colorOf = () => null;
    this.canvas = make("canvas", { class: "bars", role: "img", "aria-label": name });
    const slider = (end, value) => {
      const input = make("input", { type: "range", min: 0, max: bars, value, "aria-label": `${name} ${end}` });
      input.addEventListener("input", () => this.changed());
      return input;
    };
    this.from = slider("from", 0);
    this.to = slider("up to", bars);
    this.text = make("span", { class: "number" });
    const title = make("h3", {}, name, " ", this.text);
    this.element = make(
      "div",
      { class: "brush" },
      title,
      this.canvas,
      make("div", { class: "ends" }, this.from, this.to),
    );
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  listen() {
    let start = null;
    const barAt = (event) => {
      const { left, width } = this.canvas.getBoundingClientRect();
      return Math.min(this.bars - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * this.bars)));
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      start = barAt(event);
      this.set(start, start + 1);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (start !== null) this.set(Math.min(start, barAt(event)), Math.max(start, barAt(event)) + 1);
    });
    this.canvas.addEventListener("lostpointercapture", () => (start = null));
    this.canvas.addEventListener("dblclick", () => this.clear());
  }

  set(from, to) {
    this.from.value = String(from);
    this.to.value = String(to);
    this.changed();
  }

  clear() {
    this.set(0, this.bars);
  }

  get isAll() {
    return this.from.valueAsNumber === 0 && this.to.valueAsNumber === this.bars;
  }

  /** Whether each bar is in the range, which may lead around the end: from 350 up to 10 degrees. */
  chosen() {
    const [from, to] = [this.from.valueAsNumber, this.to.valueAsNumber];
    const isIn = (bar) => (from <= to ? bar >= from && bar < to : bar >= from || bar < to);
    return Uint8Array.from({ length: this.bars }, (_, bar) => (isIn(bar) ? 1 : 0));
  }

  draw() {
    const [width, height] = [this.canvas.clientWidth, HEIGHT];
    if (width === 0) return;
    this.canvas.width = Math.round(width * devicePixelRatio);
    this.canvas.height = Math.round(height * devicePixelRatio);
    const context = this.canvas.getContext("2d");
    context.scale(this.canvas.width / width, devicePixelRatio);
    const style = getComputedStyle(this.canvas);
    const chosen = this.chosen();
    const most = Math.sqrt(
      Math.max(
        1,
        this.counts.reduce((largest, count) => Math.max(largest, count), 0),
      ),
    );
    const step = width / this.bars;
    for (let bar = 0; bar < this.bars; bar++) {
      const tall = (Math.sqrt(this.counts[bar]) / most) * (height - 1);
      context.globalAlpha = chosen[bar] ? 1 : 0.25;
      context.fillStyle = this.colorOf(bar) ?? style.color;
      context.fillRect(bar * step, height - tall, Math.max(1, step - 0.5), tall);
    }
    for (const [input, bar] of [
      [this.from, this.from.valueAsNumber],
      [this.to, this.to.valueAsNumber],
    ]) {
      input.setAttribute("aria-valuetext", this.valueOf(bar));
    }
    this.text.textContent = `${this.valueOf(this.from.valueAsNumber)} to ${this.valueOf(this.to.valueAsNumber)}`;
  }
}

/** Both histograms, of the selected flow, and the pixels that they have brushed. */
export class HistogramPane {
  constructor(app) {
    this.app = app;
    this.layer = new Layer(app.size.width, app.size.height);
    this.isBrushed = false;
    const changed = () => this.brush();
    this.lengths = new Brush("Length", LENGTHS, changed);
    this.directions = new Brush("Direction", DIRECTIONS, changed);
    this.directions.valueOf = (bar) => `${(bar * 360) / DIRECTIONS}°`;
    this.directions.colorOf = (bar) => this.colorOfDirection(bar);
    this.result = byId("brushed");
    byId("brushes").append(this.lengths.element, this.directions.element);
    byId("brush-clear").addEventListener("click", () =>
      [this.lengths, this.directions].forEach((brush) => brush.clear()),
    );
    app.state.watch(["wheel"], () => this.directions.draw());
  }

  colorOfDirection(bar) {
    const middle = Math.round(((bar + 0.5) / DIRECTIONS) * TURN);
    return cssColor(colorOf(middle, 1, 0, 1, this.app.state.get("wheel")));
  }

  get isSeen() {
    return !this.app.isPlaying;
  }

  async later() {
    const { field } = this.app;
    const { lengths, directions } = histograms(field);
    this.lengths.counts = lengths;
    this.lengths.valueOf = (bar) => `${short((bar / LENGTHS) * field.longest)}${bar === LENGTHS ? " px" : ""}`;
    this.directions.counts = directions;
    const figures =
      field.known === 0 ? "no known vectors" : `mean ${short(field.mean)}, longest ${short(field.longest)} px`;
    this.lengths.canvas.setAttribute("aria-label", `Histogram of lengths: ${figures}`);
    this.directions.canvas.setAttribute("aria-label", "Histogram of directions: 0 degrees to the right, 90 downwards");
    this.brush();
  }

  /** Find the brushed pixels, and cover all others of the flow. */
  brush() {
    const { field } = this.app;
    this.isBrushed = !(this.lengths.isAll && this.directions.isAll);
    for (const brush of [this.lengths, this.directions]) brush.draw();
    this.result.textContent = field.known > 0 ? "Drag over bars to see their pixels." : "No vector is known.";
    if (this.isBrushed) {
      const pixels = this.layer.blank();
      const count = this.cover(field, pixels.numbers);
      this.layer.put(pixels);
      this.result.textContent = `${count.toLocaleString("en")} pixels, ${percent(count / field.length.length)}`;
    }
    byId("brush-clear").disabled = !this.isBrushed;
    this.app.redrawAll();
  }

  cover({ length, turn, longest }, numbers) {
    const lengths = this.lengths.chosen();
    const directions = this.directions.isAll ? null : this.directions.chosen();
    let count = 0;
    for (let i = 0; i < numbers.length; i++) {
      const distance = length[i];
      const isIn =
        distance === distance &&
        lengths[longest > 0 ? lengthBar(distance, longest) : 0] &&
        (directions === null || (distance > 0 && directions[directionBar(turn[i])]));
      if (isIn) count++;
      else numbers[i] = OTHERS;
    }
    return count;
  }

  /** Cover what is not brushed on the pane of a flow, while that flow is selected. */
  drawOn(pane, index) {
    pane.over.unshift((context, place) => {
      const isOfMoment = !this.app.isPlaying; // as histograms wait until it stops
      if (isOfMoment && this.isBrushed && index === this.app.state.get("selected"))
        pane.drawFrame(context, place, this.layer.canvas);
    });
  }
}

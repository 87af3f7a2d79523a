// The pane of pixels that have no partner in frame 2, and the same as an overlay.

import { make, percent, swatch } from "./dom.js";
import { Layer } from "./layer.js";
import { Pane } from "./pane.js";
import { opaque } from "./color.js";
import { pageData } from "./page_data.js";
import { leadsInside } from "./warp.js";

const HIDDEN = [240, 140, 0];
const LEAVING = [0, 150, 255];
const DIMMED = 0.4; // how much of frame 1 is left below
const OVERLAID = 0.75;

/** Hidden pixels and those whose flow leads out of the frame, for the selected flow. */
export class OcclusionPane {
  constructor(app) {
    this.app = app;
    this.hasMask = pageData.moments[0].hidden.some((mask) => mask !== null);
    this.layer = new Layer(app.size.width, app.size.height);
    this.pane = new Pane(app.view, "occlusion", this.hasMask ? "Occlusion" : "Out of frame");
    this.pane.isWanted = this.hasMask;
    this.pane.paint = (context, place) => this.paint(context, place);
    const item = (color, text) => make("span", { class: "key" }, swatch(color), text);
    if (this.hasMask) this.pane.controls.append(item(HIDDEN, "hidden"));
    this.pane.controls.append(item(LEAVING, "leads out"));
  }

  /** Draw the overlay on another pane, if it is asked for. */
  drawOn(pane) {
    pane.over.unshift((context, place) => {
      if (!this.app.state.get("occlusion")) return;
      context.globalAlpha = OVERLAID;
      pane.drawFrame(context, place, this.layer.canvas);
      context.globalAlpha = 1;
    });
    this.app.state.watch(["occlusion"], () => pane.invalidate());
  }

  get isSeen() {
    return this.pane.isShown || this.app.state.get("occlusion");
  }

  async later() {
    const { field, moment, size, state } = this.app;
    const hidden = moment.hidden[state.get("selected")];
    const pixels = this.layer.blank();
    const counts = this.mark(field, hidden, size, pixels.numbers);
    this.layer.put(pixels);
    this.pane.picture = this.layer.canvas;
    const [hiding, leaving] = counts.map((count) => percent(count / (size.width * size.height)));
    const out = `${leaving} lead out of the frame`;
    if (hidden !== null)
      this.pane.describe(`${hiding} hidden, ${leaving} out`, `${hiding} of the pixels are hidden, ${out}.`);
    else
      this.pane.describe(
        `${leaving}; no mask of hidden pixels`,
        `${out} of the pixels; there is no mask of hidden ones.`,
      );
    this.app.redrawAll();
  }

  /** Paint the pixels, and count both kinds. */
  mark({ u, v }, hidden, { width, height }, numbers) {
    const [hiding, leaving] = [opaque(HIDDEN), opaque(LEAVING)];
    const counts = [0, 0];
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        const isKnown = u[i] === u[i];
        if (isKnown && !leadsInside(u[i], v[i], x, y, width, height)) {
          numbers[i] = leaving;
          counts[1]++;
        } else if (hidden !== null && hidden[i]) {
          numbers[i] = hiding;
          counts[0]++;
        }
      }
    }
    return counts;
  }

  paint(context, place) {
    const { frame1 } = this.app.moment;
    const { width, height } = this.app.size;
    context.fillStyle = "rgb(40 40 40)";
    context.fillRect(place.left, place.top, width * place.scale, height * place.scale);
    if (frame1 !== null) {
      context.globalAlpha = DIMMED;
      this.pane.drawFrame(context, place, frame1);
      context.globalAlpha = 1;
    }
    this.pane.drawFrame(context, place, this.layer.canvas);
  }
}

// The panes of the two frames.

import { drawArrows } from "./arrows.js";
import { Pane } from "./pane.js";
import { pageData } from "./page_data.js";

/** The frames that there are. */
export class FramePanes {
  constructor(app) {
    this.app = app;
    this.panes = ["frame1", "frame2"]
      .filter((kind) => pageData.moments[0][kind] !== null)
      .map((kind) => new Pane(app.view, kind, kind === "frame1" ? "Frame 1" : "Frame 2"));
    this.first = this.panes.find((pane) => pane.kind === "frame1") ?? null;
    this.first?.over.push((context, place) => this.drawOver(context, place));
    app.state.watch(["arrows", "spacing", "scale", "wheel", "selected"], () => {
      if (app.state.get("arrows")) this.first?.invalidate();
    });
  }

  show() {
    const { moment, size } = this.app;
    for (const pane of this.panes) {
      pane.picture = moment[pane.kind];
      pane.describe("", `${size.width} x ${size.height} pixels, ${moment.name}.`);
      pane.invalidate();
    }
  }

  drawOver(context, place) {
    const { state, moment, field } = this.app;
    if (moment === null || !state.get("arrows")) return;
    drawArrows(context, this.first, place, field, state.get("spacing"), state.get("scale"), state.get("wheel"));
  }
}

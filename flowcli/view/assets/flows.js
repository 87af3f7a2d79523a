// The panes of flow in colours: the flows, and the true one.

import { drawArrows } from "./arrows.js";
import { paintField } from "./color.js";
import { percent, short } from "./dom.js";
import { Layer } from "./layer.js";
import { Pane } from "./pane.js";
import { pageData } from "./page_data.js";

/** One flow in colours; `fieldOf` finds it in a moment. */
class FlowPane {
  constructor(app, kind, title, fieldOf) {
    this.app = app;
    this.fieldOf = fieldOf;
    this.layer = new Layer(app.size.width, app.size.height);
    this.pane = new Pane(app.view, kind, title);
    this.pane.over.push((context, place) => this.drawOver(context, place));
    app.state.watch(["arrows", "spacing"], () => this.pane.invalidate());
  }

  recolor() {
    const { state, moment } = this.app;
    const pixels = this.layer.blank();
    paintField(this.fieldOf(moment), state.get("scale"), state.get("wheel"), pixels.numbers);
    this.layer.put(pixels);
    this.pane.picture = this.layer.canvas;
    this.pane.invalidate();
  }

  describe() {
    const { known, mean, longest } = this.fieldOf(this.app.moment);
    const { width, height } = this.app.size;
    const unknown = known < 1 ? `, ${percent(1 - known)} unknown` : "";
    if (known === 0) this.pane.describe("all unknown", `${width} x ${height} pixels, all vectors unknown.`);
    else {
      const figures = `mean ${short(mean)}, longest ${short(longest)} px${unknown}`;
      this.pane.describe(figures, `${width} x ${height} pixels, length: ${figures}.`);
    }
  }

  drawOver(context, place) {
    const { state, moment } = this.app;
    if (moment === null || !state.get("arrows")) return;
    drawArrows(context, this.pane, place, this.fieldOf(moment), state.get("spacing"), state.get("scale"), null);
  }
}

/** All flows in colours. */
export class FlowPanes {
  constructor(app) {
    const several = pageData.flows.length > 1;
    this.flows = pageData.flows.map((name, index) => {
      const flow = new FlowPane(app, "flow", several ? name : "Flow", (moment) => moment.fields[index]);
      flow.pane.element.dataset.flow = String(index);
      return flow;
    });
    this.truth = pageData.moments[0].truth === null ? null : new FlowPane(app, "truth", "Truth", ({ truth }) => truth);
    this.all = this.truth === null ? this.flows : [...this.flows, this.truth];
    app.state.watch(["scale", "wheel"], () => this.recolor());
    app.state.watch(["selected"], () => this.markSelected(app));
    this.markSelected(app);
  }

  markSelected(app) {
    if (this.flows.length < 2) return;
    this.flows.forEach(({ pane }, index) =>
      pane.element.toggleAttribute("data-selected", index === app.state.get("selected")),
    );
  }

  show() {
    this.recolor();
    for (const flow of this.all) flow.describe();
  }

  recolor() {
    for (const flow of this.all) flow.recolor();
  }
}

// The viewer. For scripts and tests, the page has
//
//   window.flowcli.ready          a promise: flow and frames of the first moment are shown
//   window.flowcli.settled        a promise: everything else of it, too
//   window.flowcli.readyAfter     milliseconds from opening until `ready`; `settledAfter` the same
//   window.flowcli.read(x, y, i)  {u, v} of a pixel, NaN where unknown, and `error` where there is a truth; of flow i,
//                                 0 if left out; null before `ready` and outside of the frame
//   window.flowcli.show(index)    show a moment of a timeline; a promise: it is shown
//   window.flowcli.place(kind, x, y, i)  where a pane shows the middle of a pixel: {x, y} in the window
//
// Every pane is an element with `data-pane`; those of flows have `data-flow`, their index. The numbers at the point are
// in the element with `data-readout`.

import { tellAbout } from "./about.js";
import { ComparePane } from "./compare.js";
import { connectChoices, shortcutsOf } from "./controls.js";
import { byId } from "./dom.js";
import { ErrorPane } from "./errors.js";
import { FlowPanes } from "./flows.js";
import { FramePanes } from "./frames.js";
import { listen } from "./gestures.js";
import { Grid } from "./grid.js";
import { connectHelp, connectKeys } from "./help.js";
import { HistogramPane } from "./histogram.js";
import { Legend } from "./legend.js";
import { markPoint } from "./marks.js";
import { errorAt } from "./measure.js";
import { Moments } from "./moments.js";
import { OcclusionPane } from "./occlusion.js";
import { drawDirty } from "./pane.js";
import { Readout } from "./readout.js";
import { breathe, painted } from "./slices.js";
import { State } from "./state.js";
import { Timeline } from "./timeline.js";
import { pageData } from "./page_data.js";
import { View } from "./view.js";

const ARROW_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FAST = 10; // pixels, with Shift

/** The page: its panes, what they show, and how they are told. */
class Viewer {
  constructor() {
    this.size = { width: pageData.width, height: pageData.height };
    this.state = new State({
      scale: pageData.scale,
      wheel: pageData.wheel,
      selected: 0,
      arrows: false,
      spacing: 34,
      occlusion: false,
      point: null,
    });
    this.moment = null;
    this.index = 0;
    this.wanted = 0;
    this.running = null;
    this.due = new Set();
    this.caughtUp = Promise.resolve();
    this.store = new Moments(pageData);
    this.view = new View(this.size.width, this.size.height);
    this.makeParts();
    this.makeGrid();
    this.connect();
  }

  makeParts() {
    const first = pageData.moments[0];
    this.flows = new FlowPanes(this);
    this.frames = new FramePanes(this);
    this.compare = first.frame2 === null ? null : new ComparePane(this);
    this.errors = first.truth === null ? null : new ErrorPane(this);
    this.occlusion = new OcclusionPane(this);
    this.histogram = new HistogramPane(this);
    this.slow = [this.compare, this.errors, this.occlusion, this.histogram].filter(Boolean);
    this.timeline = pageData.rate === null ? null : new Timeline(this);
    this.flows.flows.forEach(({ pane }, index) => {
      this.histogram.drawOn(pane, index);
      this.occlusion.drawOn(pane);
    });
    if (this.frames.first !== null) this.occlusion.drawOn(this.frames.first);
  }

  makeGrid() {
    const { flows, frames, compare, errors, occlusion } = this;
    const others = [compare, errors].filter(Boolean).map(({ pane }) => pane);
    const truth = flows.truth === null ? [] : [flows.truth.pane];
    this.panes = [...flows.flows.map(({ pane }) => pane), ...frames.panes, ...others, ...truth, occlusion.pane];
    this.grid = new Grid(byId("panes"), this.view, this.panes);
    for (const pane of this.panes) {
      listen(pane, (x, y) => this.pointAt(Math.floor(x), Math.floor(y), false));
      pane.stage.addEventListener("keydown", (event) => this.moveByKey(event));
    }
    this.view.watch(() => document.body.toggleAttribute("data-zoomed", this.view.zoom > 1));
    markPoint(this, this.panes);
  }

  connect() {
    byId("title").textContent = pageData.title;
    this.legend = new Legend(this);
    this.readout = new Readout(this);
    this.state.watch(["selected"], () => {
      this.slow.forEach((part) => this.due.add(part));
      this.catchUp();
    });
    this.state.watch(["occlusion"], () => this.catchUp());
    this.grid.watch(() => this.catchUp());
    connectChoices(this);
    const shortcuts = shortcutsOf(this);
    connectKeys(shortcuts);
    connectHelp(shortcuts);
    tellAbout();
  }

  /** The selected flow of the moment shown. */
  get field() {
    return this.moment.fields[this.state.get("selected")];
  }

  /** Let a part show the moment anew. */
  refresh(part) {
    this.due.add(part);
    return this.catchUp();
  }

  /** Let all parts show the moment that have not yet, and that can be seen; the rest stay due. One at a time. */
  catchUp() {
    this.caughtUp = this.caughtUp.catch(() => {}).then(() => this.showDue());
    return this.caughtUp;
  }

  async showDue() {
    const { moment } = this;
    const selected = this.state.get("selected");
    const isStale = () => moment !== this.moment || selected !== this.state.get("selected");
    for (const part of [...this.due]) {
      await breathe();
      if (moment === null || isStale()) return;
      if (!part.isSeen || !this.due.delete(part)) continue;
      await part.later(isStale);
    }
  }

  /** Have the figures shown that are left out while moments follow each other. */
  fillIn() {
    if (this.compare !== null) this.due.add(this.compare);
  }

  redrawAll() {
    for (const pane of this.panes) pane.invalidate();
  }

  /** Show a moment; fulfilled when it, or the one that was asked for last, is shown in all panes. */
  show(index) {
    this.wanted = Math.min(pageData.moments.length - 1, Math.max(0, Math.floor(index)));
    this.running ??= this.run().finally(() => (this.running = null));
    return this.running;
  }

  async run() {
    let index;
    do {
      index = this.wanted;
      await this.present(index);
    } while (index !== this.wanted);
  }

  async present(index) {
    const moment = await this.store.get(index);
    if (index !== this.wanted) return;
    this.store.shown = index;
    this.moment = moment;
    this.index = index;
    this.flows.show();
    this.frames.show();
    this.slow.forEach((part) => this.due.add(part));
    byId("subtitle").textContent = `${moment.name} · ${this.size.width} x ${this.size.height}`;
    this.readout.show();
    this.timeline?.shown(index);
    if (this.isPlaying) drawDirty();
    else await painted();
    hold("ready");
    await this.catchUp();
    if (index !== this.wanted) return;
    drawDirty();
    hold("settled");
  }

  /** Whether moments follow each other, so that nothing may take long. */
  get isPlaying() {
    return this.timeline !== null && this.timeline.isPlaying;
  }

  pointAt(x, y, byKey) {
    const { width, height } = this.size;
    const point = { x: Math.min(width - 1, Math.max(0, x)), y: Math.min(height - 1, Math.max(0, y)), byKey };
    const last = this.state.get("point");
    if (last === null || last.x !== point.x || last.y !== point.y) this.state.set("point", point);
  }

  moveByKey(event) {
    const direction = ARROW_KEYS[event.key];
    if (direction === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const { x, y } = this.state.get("point") ?? { x: this.size.width >> 1, y: this.size.height >> 1 };
    const far = event.shiftKey ? FAST : 1;
    this.pointAt(x + far * direction[0], y + far * direction[1], true);
    const point = this.state.get("point");
    this.view.reveal(point.x, point.y);
  }

  /** The vector of the selected flow at the point; null if there is no point. */
  vectorAtPoint() {
    const point = this.state.get("point");
    return point === null ? null : this.read(point.x, point.y, this.state.get("selected"));
  }

  read(x, y, flow = 0) {
    const { width, height } = this.size;
    const field = this.moment?.fields[flow];
    if (field === undefined || !(x >= 0 && y >= 0 && x < width && y < height)) return null;
    const i = Math.floor(y) * width + Math.floor(x);
    const vector = { u: field.u[i], v: field.v[i] };
    return this.moment.truth === null ? vector : { ...vector, error: errorAt(field, this.moment.truth, i) };
  }

  /** Where the middle of a pixel is in the window. */
  place(kind, x, y, flow = 0) {
    const pane = this.panes.filter((each) => each.kind === kind)[kind === "flow" ? flow : 0];
    const box = pane.canvas.getBoundingClientRect();
    const { scale, left, top } = pane.place();
    return { x: box.left + left + (x + 0.5) * scale, y: box.top + top + (y + 0.5) * scale };
  }

  /** The pane that has the focus, or the first. */
  focused() {
    return this.panes.find((pane) => pane.element.contains(document.activeElement)) ?? this.panes[0];
  }

  select(by) {
    const count = pageData.flows.length;
    this.state.set("selected", (this.state.get("selected") + by + count) % count);
  }
}

/** Fulfil a promise of `window.flowcli`, and note when. */
function hold(name) {
  if (`${name}After` in window.flowcli) return;
  window.flowcli[`${name}After`] = performance.now();
  promises[name].resolve();
}

const promises = {};
for (const name of ["ready", "settled"]) {
  promises[name] = {};
  promises[name].promise = new Promise((resolve, reject) => Object.assign(promises[name], { resolve, reject }));
}
for (const { promise } of Object.values(promises)) promise.catch(() => {}); // the page itself says what failed
window.flowcli = { ready: promises.ready.promise, settled: promises.settled.promise, read: () => null };

try {
  const viewer = new Viewer();
  window.flowcli.read = (x, y, flow) => viewer.read(x, y, flow);
  window.flowcli.show = (index) => viewer.show(index);
  window.flowcli.place = (kind, x, y, flow) => viewer.place(kind, x, y, flow);
  await viewer.show(0);
} catch (error) {
  const failed = byId("failed");
  failed.hidden = false;
  for (const { reject } of Object.values(promises)) reject(error);
  failed.textContent = `This page cannot be shown: ${error.message}. It needs a browser of 2023 or later.`;
  throw error;
}

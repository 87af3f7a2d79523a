// A pane: a picture of the frame's size, and marks on it.

import { make } from "./dom.js";

const dirty = new Set();

/** Draw all panes that have something new to show. */
export function drawDirty() {
  const panes = [...dirty];
  dirty.clear();
  for (const pane of panes) pane.draw();
}

/** A picture with a heading; all panes show the same part of the frame. */
export class Pane {
  constructor(view, kind, title) {
    this.view = view;
    this.kind = kind;
    this.title = title;
    this.picture = null;
    /** Whether it is shown at first. */
    this.isWanted = true;
    this.size = { width: 0, height: 0 };
    /** Drawn over the picture, in pixels of the page: functions of the context and the place. */
    this.over = [];
    /** The same for the marks, which are drawn more often. */
    this.mark = null;
    this.build();
    view.watch(() => this.invalidate());
  }

  build() {
    this.canvas = make("canvas", { role: "img", "aria-label": this.title });
    this.marks = make("canvas", { class: "marks", "aria-hidden": "true" });
    this.stage = make("div", { class: "stage", tabindex: "0", role: "application" }, this.canvas, this.marks);
    this.stage.setAttribute("aria-label", `${this.title}: arrow keys move the point`);
    this.note = make("p", { class: "note quiet number" });
    this.controls = make("div", { class: "controls" });
    this.enlarge = make(
      "button",
      { type: "button", class: "icon", "aria-pressed": "false", title: "Maximise (m)" },
      "⤢",
    );
    this.enlarge.setAttribute("aria-label", `Maximise: ${this.title}`);
    const heading = make("h2", { title: this.title }, this.title);
    const head = make("header", {}, heading, this.note, this.controls, this.enlarge);
    this.element = make("section", { "data-pane": this.kind, "aria-label": this.title }, head, this.stage);
  }

  /** Say what the picture shows: shortly beside the heading, and in words to screen readers. */
  describe(note, words) {
    this.note.textContent = note;
    this.note.title = note;
    this.canvas.setAttribute("aria-label", `${this.title}. ${words}`);
  }

  get isShown() {
    return this.element.isConnected && !this.element.hidden;
  }

  /** Draw soon; once, however often it is asked for. */
  invalidate() {
    if (dirty.size === 0) requestAnimationFrame(drawDirty);
    dirty.add(this);
  }

  /** Take the size that the grid has given to the stage. */
  measure() {
    this.size = { width: this.stage.clientWidth, height: this.stage.clientHeight };
    return this.size;
  }

  place() {
    return this.view.place(this.size);
  }

  /** The point of the frame at a place of the window. */
  pointAt(clientX, clientY) {
    const box = this.canvas.getBoundingClientRect();
    const { scale, left, top } = this.place();
    return { x: (clientX - box.left - left) / scale, y: (clientY - box.top - top) / scale };
  }

  draw() {
    if (!this.isShown || this.size.width === 0) return;
    const place = this.place();
    const context = prepared(this.canvas, this.size);
    if (this.picture === null) return;
    this.paint(context, place);
    for (const draw of this.over) draw(context, place);
    this.drawMarks();
  }

  /** Draw the picture; panes that show more than one have their own. */
  paint(context, place) {
    this.drawFrame(context, place, this.picture);
  }

  /** Draw something of the frame's size: with its pixels to be seen when they are larger than those of the screen. */
  drawFrame(context, { scale, left, top }, source) {
    context.imageSmoothingEnabled = scale * devicePixelRatio < 1;
    context.imageSmoothingQuality = "medium";
    context.drawImage(source, left, top, this.view.width * scale, this.view.height * scale);
  }

  drawMarks() {
    if (!this.isShown || this.size.width === 0) return;
    const context = prepared(this.marks, this.size);
    this.mark?.(context, this.place());
  }
}

/** The context of an empty canvas of a size in pixels of the page. */
function prepared(canvas, { width, height }) {
  const ratio = devicePixelRatio;
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = canvas.getContext("2d");
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
    canvas.style.width = `${across / ratio}px`;
    canvas.style.height = `${down / ratio}px`;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

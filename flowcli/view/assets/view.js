// Which part of the frame all panes show.

const CLOSEST = 64; // screen pixels for one of the frame
const MARGIN = 0.1; // of the pane, around a point that is brought into view

/** Zoom, as a multiple of what fits, and the point in the middle, in pixels of the frame. */
export class View {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.pane = { width: 1, height: 1 };
    this.watchers = [];
    this.zoom = 1;
    this.x = width / 2;
    this.y = height / 2;
  }

  watch(act) {
    this.watchers.push(act);
  }

  /** The scale at which the frame fits into a pane. */
  fitting(pane = this.pane) {
    return Math.min(pane.width / this.width, pane.height / this.height);
  }

  /**
   * Where a pane shows the frame: pixels of the page for one of the frame, and the place of its corner, on a whole
   * pixel of the screen: pictures at 100 % stay sharp.
   */
  place(pane = this.pane) {
    const { scale, left, top } = this.exactPlace(pane);
    const whole = (at) => Math.round(at * devicePixelRatio) / devicePixelRatio;
    return { scale, left: whole(left), top: whole(top) };
  }

  exactPlace(pane) {
    const scale = this.fitting(pane) * this.zoom;
    return {
      scale,
      left: corner(this.x * scale, this.width * scale, pane.width),
      top: corner(this.y * scale, this.height * scale, pane.height),
    };
  }

  /** The panes have got another size. */
  resize(pane) {
    this.pane = pane;
    this.change();
  }

  /** Zoom by a factor; the point of the frame stays where it is on the screen, moved by (dx, dy) pixels of the page. */
  zoomBy(factor, x = this.x, y = this.y, dx = 0, dy = 0) {
    const before = this.exactPlace(this.pane);
    const actual = 1 / devicePixelRatio / this.fitting();
    this.zoom = Math.min(Math.max(1, CLOSEST / this.fitting()), Math.max(Math.min(1, actual), this.zoom * factor));
    const scale = this.fitting() * this.zoom;
    this.x = x - (before.left + x * before.scale + dx - this.pane.width / 2) / scale;
    this.y = y - (before.top + y * before.scale + dy - this.pane.height / 2) / scale;
    this.change();
  }

  fit() {
    this.zoom = 1;
    this.change();
  }

  /** One pixel of the frame for one of the screen. */
  actual() {
    this.zoomBy(1 / devicePixelRatio / this.fitting() / this.zoom);
  }

  /** Bring a point of the frame into view. */
  reveal(x, y) {
    const { scale, left, top } = this.place();
    const outside = (at, length) => Math.min(0, at - length * MARGIN) + Math.max(0, at - length * (1 - MARGIN));
    const dx = outside(left + x * scale, this.pane.width);
    const dy = outside(top + y * scale, this.pane.height);
    if (dx === 0 && dy === 0) return;
    this.x += dx / scale;
    this.y += dy / scale;
    this.change();
  }

  change() {
    const scale = this.fitting() * this.zoom;
    this.x = within(this.x, this.width, this.pane.width / scale);
    this.y = within(this.y, this.height, this.pane.height / scale);
    for (const act of this.watchers) act();
  }
}

/** Where a side of the frame begins in a pane. */
function corner(middle, side, room) {
  return side <= room ? (room - side) / 2 : Math.min(0, Math.max(room - side, room / 2 - middle));
}

/** The nearest middle to `middle` that leaves no room beside the frame. */
function within(middle, side, shown) {
  return shown >= side ? side / 2 : Math.min(side - shown / 2, Math.max(shown / 2, middle));
}

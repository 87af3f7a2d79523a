// Where the panes are: as large as the window allows, or one alone.

const GAP = 8; // pixels of the page
const HEAD = 32; // a pane's heading
const SMALLEST = 150; // a picture's height, below which the page rather scrolls
const ONE_ABOVE_THE_OTHER = matchMedia("(max-width: 900px)"); // where the page scrolls, as in viewer.css
const COLUMN = 400; // the width of a column there, about
const SHARE = 0.7; // of the window's height that a picture may take there

/** The panes on the page. */
export class Grid {
  constructor(container, view, panes) {
    this.container = container;
    this.view = view;
    this.panes = panes;
    this.maximised = null;
    this.act = () => {};
    this.hidden = new Set(panes.filter((pane) => !pane.isWanted).map((pane) => pane.kind));
    for (const pane of panes) {
      container.append(pane.element);
      pane.enlarge.addEventListener("click", () => this.maximise(pane));
    }
    new ResizeObserver(() => this.arrange()).observe(container);
  }

  /** Have a function called when other panes are shown. */
  watch(act) {
    this.act = act;
  }

  /** Show one pane alone, or all again. */
  maximise(pane) {
    if (pane === null && this.maximised === null) return;
    this.maximised = this.maximised === pane ? null : pane;
    this.arrange();
    (pane ?? this.panes[0]).element.scrollIntoView({ block: "nearest" });
  }

  /** Show the panes of a kind, or hide them. */
  show(kind, isShown) {
    if (isShown) this.hidden.delete(kind);
    else this.hidden.add(kind);
    this.maximised = null;
    this.arrange();
  }

  isVisible(pane) {
    return this.maximised === null ? !this.hidden.has(pane.kind) : pane === this.maximised;
  }

  arrange() {
    for (const pane of this.panes) {
      pane.element.hidden = !this.isVisible(pane);
      const isAlone = pane === this.maximised;
      pane.enlarge.setAttribute("aria-pressed", String(isAlone));
      pane.enlarge.title = isAlone ? "Show all (Escape)" : "Maximise (m)";
    }
    const shown = this.panes.filter((pane) => !pane.element.hidden);
    const { columns, width, height } = this.best(shown.length);
    this.container.style.gridTemplateColumns = `repeat(${columns}, ${width}px)`;
    this.container.style.gridAutoRows = `${height + HEAD}px`;
    const sizes = shown.map((pane) => pane.measure());
    if (sizes.length > 0) this.view.resize(sizes[0]);
    this.act();
  }

  /** The number of columns, and the size of pictures, at which these are largest. */
  best(count) {
    const { clientWidth, clientHeight } = this.container;
    const aspect = this.view.width / this.view.height;
    if (ONE_ABOVE_THE_OTHER.matches) {
      const columns = Math.min(Math.max(1, count), Math.max(1, Math.floor(clientWidth / COLUMN)));
      const width = Math.floor((clientWidth - GAP * (columns - 1)) / columns);
      const tall = Math.min(width / aspect, innerHeight * SHARE);
      return { columns, width, height: Math.ceil(Math.max(SMALLEST / 2, tall)) };
    }
    let best = { scale: 0, columns: 1, width: 1, height: 1 };
    for (let columns = 1; columns <= Math.max(1, count); columns++) {
      const rows = Math.ceil(count / columns);
      const width = Math.floor((clientWidth - GAP * (columns - 1)) / columns);
      const height = Math.max(SMALLEST, Math.floor((clientHeight - GAP * (rows - 1)) / rows - HEAD));
      const scale = Math.min(width / aspect, height);
      if (scale > best.scale) best = { scale, columns, width, height };
    }
    return best;
  }
}

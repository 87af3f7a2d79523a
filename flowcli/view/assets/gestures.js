// Pointers and the mouse wheel on panes: point, pan, zoom, pinch.

const WHEEL = 0.0015; // of a zoom's logarithm, for each pixel that the wheel scrolls
const LINE = 16; // pixels, where the wheel counts lines

/** Let a pane be pointed at; `point(x, y)` gets the point of the frame. */
export function listen(pane, point) {
  const { stage, view } = pane;
  const pointers = new Map();
  let grabbed = false;

  const say = (event) => {
    const { x, y } = pane.pointAt(event.clientX, event.clientY);
    point(x, y);
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    grabbed = pointers.size === 0 && (pane.grab?.(event) ?? false);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    say(event);
  });
  stage.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (last === undefined) {
      if (event.pointerType !== "touch") say(event);
      return;
    }
    if (grabbed) pane.drag(event);
    else if (pointers.size === 2) pinch(pane, pointers, event);
    else if (pointers.size === 1) pan(view, event.clientX - last.x, event.clientY - last.y);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    stage.addEventListener(end, (event) => {
      pointers.delete(event.pointerId);
      if (pointers.size === 0) grabbed = false;
    });
  }
  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const { x, y } = pane.pointAt(event.clientX, event.clientY);
      const pixels = event.deltaY * (event.deltaMode === 0 ? 1 : LINE);
      view.zoomBy(Math.exp(-pixels * WHEEL * (event.ctrlKey ? 4 : 1)), x, y);
    },
    { passive: false },
  );
}

function pan(view, dx, dy) {
  view.zoomBy(1, view.x, view.y, dx, dy);
}

/** Two fingers: what lies between them stays between them. */
function pinch(pane, pointers, event) {
  const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
  const last = pointers.get(event.pointerId);
  const now = { x: event.clientX, y: event.clientY };
  const apart = (place) => Math.max(1, Math.hypot(place.x - other.x, place.y - other.y));
  const { x, y } = pane.pointAt((last.x + other.x) / 2, (last.y + other.y) / 2);
  pane.view.zoomBy(apart(now) / apart(last), x, y, (now.x - last.x) / 2, (now.y - last.y) / 2);
}

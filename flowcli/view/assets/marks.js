// Marks of the point on all panes, and of where it goes on frame 2.

const ARM = 11; // pixels of the page
const GAP_AROUND = 4;

/** Give each pane its marks. */
export function markPoint(app, panes) {
  for (const pane of panes) {
    pane.mark = (context, place) => {
      const point = app.state.get("point");
      if (point === null) return;
      const here = onScreen(place, point.x, point.y);
      const vector = app.vectorAtPoint();
      if (pane.kind !== "frame2" || vector === null || Number.isNaN(vector.u)) drawCross(context, here, place.scale);
      else drawWay(context, here, onScreen(place, point.x + vector.u, point.y + vector.v));
    };
  }
  app.state.watch(["point", "selected"], () => panes.forEach((pane) => pane.drawMarks()));
}

/** Where the middle of a pixel is. */
const onScreen = ({ scale, left, top }, x, y) => ({ x: left + (x + 0.5) * scale, y: top + (y + 0.5) * scale });

/** A cross whose middle stays open; once pixels are large, a frame around the pixel. */
function drawCross(context, { x, y }, scale) {
  const gap = Math.max(GAP_AROUND, scale / 2);
  strokeTwice(context, () => {
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ]) {
      context.moveTo(x + dx * gap, y + dy * gap);
      context.lineTo(x + dx * (gap + ARM), y + dy * (gap + ARM));
    }
    if (scale >= 2 * GAP_AROUND) context.rect(x - scale / 2, y - scale / 2, scale, scale);
  });
}

/** From where a point was in frame 1 to where it is. */
function drawWay(context, from, to) {
  strokeTwice(context, () => {
    context.moveTo(from.x + 3, from.y);
    context.arc(from.x, from.y, 3, 0, 2 * Math.PI);
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
  });
  drawCross(context, to, 0);
}

/** Dark below light, to be seen on any picture. */
function strokeTwice(context, trace) {
  context.beginPath();
  trace();
  context.strokeStyle = "rgb(0 0 0 / 80%)";
  context.lineWidth = 3.5;
  context.stroke();
  context.strokeStyle = "rgb(255 255 255)";
  context.lineWidth = 1.5;
  context.stroke();
}

// Warps frame 2 to frame 1, as flowcli/flows/warp.py does, and compares frames.

/** Whether the vector of pixel (x, y) leads to a point between pixels of the frame; false where it is unknown. */
export function leadsInside(u, v, x, y, width, height) {
  const toX = x + u;
  const toY = y + v;
  return toX >= 0 && toY >= 0 && toX <= width - 1 && toY <= height - 1;
}

/**
 * Warp some rows: each pixel shows the point of `pixels2` that its vector leads to, bilinearly interpolated; black where
 * there is none. Pixels are red, green, blue, opacity, and 0 before; so is `inside`, which gets 1 where there is a point.
 */
export function warpRows({ u, v }, pixels2, { width, height }, warped, inside, from, to) {
  for (let y = from, i = from * width; y < to; y++) {
    for (let x = 0; x < width; x++, i++) {
      warped[4 * i + 3] = 255;
      const toX = x + u[i];
      const toY = y + v[i];
      if (!(toX >= 0 && toY >= 0 && toX <= width - 1 && toY <= height - 1)) continue; // of unknown ones, too
      inside[i] = 1;
      const left = toX | 0;
      const top = toY | 0;
      const across = toX - left;
      const down = toY - top;
      const upper = 4 * (top * width + left);
      const lower = down > 0 ? upper + 4 * width : upper;
      const right = across > 0 ? 4 : 0;
      for (let channel = 0; channel < 3; channel++) {
        const above = pixels2[upper + channel] * (1 - across) + pixels2[upper + right + channel] * across;
        const below = pixels2[lower + channel] * (1 - across) + pixels2[lower + right + channel] * across;
        warped[4 * i + channel] = Math.fround(above * (1 - down) + below * down); // rounds half to even
      }
    }
  }
}

/** Absolute differences of some rows, `gain` times; black where `inside`, if given, is 0. */
export function differenceRows(pixels1, pixels2, inside, gain, width, difference, from, to) {
  for (let i = from * width; i < to * width; i++) {
    const weight = inside === null || inside[i] ? gain : 0;
    for (let at = 4 * i; at < 4 * i + 3; at++) difference[at] = Math.abs(pixels1[at] - pixels2[at]) * weight;
    difference[4 * i + 3] = 255;
  }
}

/** The mean absolute difference over the pixels `inside` and their channels, in grey levels; NaN if there are none. */
export function meanDifference(pixels1, pixels2, inside) {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < inside.length; i++) {
    if (!inside[i]) continue;
    count += 3;
    for (let at = 4 * i; at < 4 * i + 3; at++) sum += Math.abs(pixels1[at] - pixels2[at]);
  }
  return sum / count;
}

// Warps frame 2 to frame 1, as flowcli/flows/warp.py does, and compares frames.

const OPAQUE_BLACK = 0xff << 24;
const WHOLE = 2 ** 23; // from here on, float32 has whole numbers only

/** Whether the vector of pixel (x, y) leads to a point between pixels of the frame; false where it is unknown. */
export function leadsInside(u, v, x, y, width, height) {
  const toX = x + u;
  const toY = y + v;
  return toX >= 0 && toY >= 0 && toX <= width - 1 && toY <= height - 1;
}

/**
 * Warp some rows: each pixel shows the point of `pixels2` that its vector leads to, bilinearly interpolated; black
 * where there is none. Pixels are numbers, as in `Layer`; `inside` is 0 before, and gets 1 where there is a point.
 */
export function warpRows({ u, v }, pixels2, { width, height }, warped, inside, from, to) {
  for (let y = from, i = from * width; y < to; y++) {
    for (let x = 0; x < width; x++, i++) {
      const toX = x + u[i];
      const toY = y + v[i];
      if (!(toX >= 0 && toY >= 0 && toX <= width - 1 && toY <= height - 1)) {
        warped[i] = OPAQUE_BLACK;
        continue;
      }
      inside[i] = 1;
      const left = toX | 0;
      const top = toY | 0;
      const across = toX - left;
      const down = toY - top;
      const upper = top * width + left;
      const lower = down > 0 ? upper + width : upper;
      const right = across > 0 ? 1 : 0;
      const [a, b, c, d] = [pixels2[upper], pixels2[upper + right], pixels2[lower], pixels2[lower + right]];
      const red = blend(a & 255, b & 255, c & 255, d & 255, across, down);
      const green = blend((a >> 8) & 255, (b >> 8) & 255, (c >> 8) & 255, (d >> 8) & 255, across, down);
      const blue = blend((a >> 16) & 255, (b >> 16) & 255, (c >> 16) & 255, (d >> 16) & 255, across, down);
      warped[i] = OPAQUE_BLACK | (blue << 16) | (green << 8) | red;
    }
  }
}

/** The same by whole pixels, in a quarter of the time. */
export function warpRoughly({ u, v }, pixels2, { width, height }, warped, inside, from, to) {
  for (let y = from, i = from * width; y < to; y++) {
    for (let x = 0; x < width; x++, i++) {
      const toX = x + u[i];
      const toY = y + v[i];
      if (toX >= 0 && toY >= 0 && toX <= width - 1 && toY <= height - 1) {
        inside[i] = 1;
        warped[i] = pixels2[((toY + 0.5) | 0) * width + ((toX + 0.5) | 0)];
      } else warped[i] = OPAQUE_BLACK;
    }
  }
}

/** Interpolate in the arithmetic of Python's side: float64, then float32, then to whole numbers, halves to even. */
function blend(a, b, c, d, across, down) {
  const above = a * (1 - across) + b * across;
  const below = c * (1 - across) + d * across;
  return Math.fround(Math.fround(above * (1 - down) + below * down) + WHOLE) - WHOLE;
}

/** Absolute differences, `gain` times; black where `inside`, if given, is 0. */
export function difference(pixels1, pixels2, inside, gain, numbers) {
  const channel = (one, other) => Math.min(255, gain * Math.abs((one & 255) - (other & 255)));
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = OPAQUE_BLACK;
    if (inside !== null && !inside[i]) continue;
    const [a, b] = [pixels1[i], pixels2[i]];
    numbers[i] |= (channel(a >> 16, b >> 16) << 16) | (channel(a >> 8, b >> 8) << 8) | channel(a, b);
  }
}

/** The mean absolute difference over the pixels `inside` and their channels, in grey levels; NaN if there are none. */
export function meanDifference(pixels1, pixels2, inside) {
  const channel = (one, other) => Math.abs((one & 255) - (other & 255));
  let sum = 0;
  let count = 0;
  for (let i = 0; i < inside.length; i++) {
    if (!inside[i]) continue;
    const [a, b] = [pixels1[i], pixels2[i]];
    count += 3;
    sum += channel(a, b) + channel(a >> 8, b >> 8) + channel(a >> 16, b >> 16);
  }
  return sum / count;
}

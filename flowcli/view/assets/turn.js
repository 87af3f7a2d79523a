// Directions in whole steps of a turn, as colours and histograms need them.

const HUES = 54; // between the 55 of Middlebury's wheel
/** Steps from hue to hue; neighbours differ by at most a quarter of a grey level. */
export const STEPS_PER_HUE = 256;
/** How many steps a full turn has. */
export const TURN = HUES * STEPS_PER_HUE;

/**
 * The direction of a vector in steps, 0..TURN: clockwise on the screen from the right, as v points down. A polynomial
 * off by less than a twentieth of a step, as Math.atan2 takes longer than all else that is done for a pixel.
 */
export function turnOf(u, v) {
  const across = Math.abs(u);
  const down = Math.abs(v);
  const most = Math.max(across, down);
  if (most === 0) return 0;
  const slope = Math.min(across, down) / most;
  const s = slope * slope;
  const even = ((((-0.0117212 * s + 0.05265332) * s - 0.11643287) * s + 0.19354346) * s - 0.33262347) * s + 0.99997726;
  let angle = even * slope;
  if (down > across) angle = Math.PI / 2 - angle;
  if (u < 0) angle = Math.PI - angle;
  if (v < 0) angle = 2 * Math.PI - angle;
  return (angle * (TURN / (2 * Math.PI)) + 0.5) | 0;
}

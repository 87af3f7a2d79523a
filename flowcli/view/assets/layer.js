// Pictures of the frame's size that are painted pixel by pixel.

import { make } from "./dom.js";

/** A canvas of the frame's size, which panes draw. */
export class Layer {
  constructor(width, height) {
    this.canvas = make("canvas", { width, height });
    this.context = this.canvas.getContext("2d");
  }

  /** Pixels to paint, transparent at first; each is one number: opacity, blue, green and red, from the high bits on. */
  blank() {
    const image = this.context.createImageData(this.canvas.width, this.canvas.height);
    return { image, numbers: new Int32Array(image.data.buffer) };
  }

  put({ image }) {
    this.context.putImageData(image, 0, 0);
  }
}

let scratch = null;

/** The pixels of a picture as numbers. */
export function pixelsOf(bitmap) {
  const { width, height } = bitmap;
  if (scratch === null || scratch.canvas.width !== width || scratch.canvas.height !== height) {
    scratch = make("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  }
  scratch.drawImage(bitmap, 0, 0);
  return new Int32Array(scratch.getImageData(0, 0, width, height).data.buffer);
}

// Pictures of the frame's size that are painted pixel by pixel.

import { make } from "./dom.js";

/** A canvas of the frame's size, which panes draw. */
export class Layer {
  constructor(width, height) {
    this.canvas = make("canvas", { width, height });
    this.context = this.canvas.getContext("2d");
  }

  /** Pixels to paint, transparent at first: `data` has their bytes, `numbers` each pixel as one number. */
  blank() {
    const image = this.context.createImageData(this.canvas.width, this.canvas.height);
    return { image, data: image.data, numbers: new Int32Array(image.data.buffer) };
  }

  put({ image }) {
    this.context.putImageData(image, 0, 0);
  }
}

let scratch = null;

/** The bytes of a picture's pixels: red, green, blue, opacity. */
export function pixelsOf(bitmap) {
  const { width, height } = bitmap;
  if (scratch === null || scratch.canvas.width !== width || scratch.canvas.height !== height) {
    scratch = make("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  }
  scratch.drawImage(bitmap, 0, 0);
  return scratch.getImageData(0, 0, width, height).data;
}

// Decoded moments: those shown last and those to come, never all.

import { unpackFlow, unpackMask, unpackPicture } from "./unpack.js";

const ROOM = 256e6; // bytes
const BYTES_OF_PIXEL = { flow: 14, picture: 4 };
const FEWEST = 3; // the one shown, the one to come, and one on the way
const MOST = 12;

/** Decodes moments, and keeps the last ones. */
export class Moments {
  constructor({ moments, width, height }) {
    this.packed = moments;
    this.size = { width, height };
    this.kept = new Map();
    this.shown = -1;
    const flows = moments[0].flows.length + (moments[0].truth === null ? 0 : 1);
    const each = width * height * (flows * BYTES_OF_PIXEL.flow + 2 * BYTES_OF_PIXEL.picture);
    this.capacity = Math.max(FEWEST, Math.min(MOST, Math.floor(ROOM / each)));
  }

  /** A moment: its fields, its truth, its masks (1 where hidden), and its frames as bitmaps. */
  get(index) {
    const moment = this.kept.get(index) ?? this.decode(this.packed[index], this.shown < 0);
    this.kept.delete(index);
    this.kept.set(index, moment); // as the one used last
    for (const [old, evicted] of this.kept) {
      if (this.kept.size <= this.capacity) break;
      if (old === this.shown || old === index) continue;
      this.kept.delete(old);
      evicted.then(close);
    }
    return moment;
  }

  /** The very first moment is decoded by both cores: one flow here, others by the worker. */
  async decode(packed, isFirst) {
    const { width, height } = this.size;
    const picture = (frame) => (frame === null ? null : unpackPicture(frame));
    const frames = Promise.all([picture(packed.frame1), picture(packed.frame2)]);
    const unpack = (flow, isHere) => unpackFlow(flow, width, height, isHere);
    const truth = packed.truth === null ? null : unpack(packed.truth, false);
    const fields = packed.flows.map((flow, index) => unpack(flow, isFirst && index === 0));
    const hidden = packed.hidden.map((mask) => unpackMask(mask, width, height));
    const [frame1, frame2] = await frames;
    return {
      name: packed.name,
      time: packed.time,
      fields: await Promise.all(fields),
      truth: await truth,
      hidden: await Promise.all(hidden),
      frame1,
      frame2,
    };
  }
}

function close(moment) {
  moment.frame1?.close();
  moment.frame2?.close();
}

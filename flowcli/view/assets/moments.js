// Decoded moments: those shown last and those to come, never all.

import { measured } from "./measure.js";
import { breathe } from "./slices.js";
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
    const moment = this.kept.get(index) ?? this.decode(this.packed[index]);
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

  async decode(packed) {
    const { width, height } = this.size;
    const picture = (frame) => (frame === null ? null : unpackPicture(frame));
    const frames = Promise.all([picture(packed.frame1), picture(packed.frame2)]);
    const fields = [];
    for (const flow of [...packed.flows, ...(packed.truth === null ? [] : [packed.truth])]) {
      fields.push(measured(await unpackFlow(flow, width, height), flow.step));
      await breathe();
    }
    const hidden = packed.hidden.map((mask) => (mask === null ? null : unpackMask(mask, width * height)));
    const [frame1, frame2] = await frames;
    return {
      name: packed.name,
      time: packed.time,
      fields: fields.slice(0, packed.flows.length),
      truth: packed.truth === null ? null : fields.at(-1),
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

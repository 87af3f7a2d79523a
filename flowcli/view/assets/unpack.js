// Unpacks the data of the page; flowcli/view/encoding.py is the other side.

/** What Python wrote about the page. */
export const pageData = JSON.parse(document.getElementById("page-data").textContent);

const letters = [];
for (let code = 33; code < 127; code++) {
  if (!"\"&'-/<>\\`".includes(String.fromCharCode(code))) letters.push(code);
}
const digits = new Uint8Array(128);
letters.forEach((code, digit) => (digits[code] = digit));

/** The bytes of a blob; `as_text` in flowcli/view/page.py is the other side. */
export function bytesOf(number) {
  const element = document.getElementById(`blob-${number}`);
  const text = element.textContent;
  const words = new DataView(new ArrayBuffer((text.length / 5) * 4));
  for (let i = 0, at = 0; i < text.length; i += 5, at += 4) {
    let value = 0;
    for (let digit = 0; digit < 5; digit++) value = value * 85 + digits[text.charCodeAt(i + digit)];
    words.setUint32(at, value);
  }
  return new Uint8Array(words.buffer, 0, Number(element.dataset.bytes));
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A mask: a Uint8Array with 1 where it is true. */
export async function unpackMask(number, size) {
  const packed = await inflate(bytesOf(number));
  const mask = new Uint8Array(size);
  for (let i = 0; i < size; i++) mask[i] = (packed[i >> 3] >> (7 - (i & 7))) & 1;
  return mask;
}

/** A flow: Float32Arrays u and v in pixels, row by row; NaN where unknown. */
export async function unpackFlow(packed, width, height) {
  const size = width * height;
  const [bytes, unknown] = await Promise.all([
    inflate(bytesOf(packed.blob)),
    packed.unknown === null ? null : unpackMask(packed.unknown, size),
  ]);
  const components = [];
  let start = 0;
  for (let component = 0; component < 2; component++) {
    const end = start + packed.planes[component] * size;
    const steps = unpredict(joinPlanes(bytes.subarray(start, end), size), width, height, packed.predictors[component]);
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) values[i] = unknown !== null && unknown[i] ? NaN : steps[i] * packed.step;
    components.push(values);
    start = end;
  }
  return { u: components[0], v: components[1] };
}

/** Planes of bytes, low first, as the numbers of both signs that they stand for. */
function joinPlanes(planes, size) {
  const values = new Int32Array(size);
  for (let start = 0, shift = 0; start < planes.length; start += size, shift += 8) {
    for (let i = 0; i < size; i++) values[i] |= planes[start + i] << shift;
  }
  for (let i = 0; i < size; i++) values[i] = (values[i] >>> 1) ^ -(values[i] & 1);
  return values;
}

/** Add each pixel's prediction, in place; pixels beyond the first row and column count as 0. */
function unpredict(values, width, height, predictor) {
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const left = x > 0 ? values[i - 1] : 0;
      if (predictor === 0) {
        values[i] += left;
        continue;
      }
      const above = y > 0 ? values[i - width] : 0;
      const corner = x > 0 && y > 0 ? values[i - width - 1] : 0;
      const both = left + above - corner;
      if (predictor === 1) values[i] += both;
      else values[i] += Math.min(Math.max(both, Math.min(left, above)), Math.max(left, above));
    }
  }
  return values;
}

/** A picture, ready to be drawn. */
export async function unpackPicture(picture) {
  return createImageBitmap(new Blob([bytesOf(picture.blob)], { type: picture.type }));
}

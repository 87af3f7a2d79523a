// The viewer.

import { pageData, unpackFlow } from "./unpack.js";

document.getElementById("title").textContent = pageData.title;
const moment = pageData.moments[0];
const { u, v } = await unpackFlow(moment.flows[0], pageData.width, pageData.height);
window.flowcli = { read: (x, y) => ({ u: u[y * pageData.width + x], v: v[y * pageData.width + x] }) };

// Buttons, choices and keys of the whole page.

import { byId, make } from "./dom.js";
import { openHelp } from "./help.js";
import { pageData } from "./page_data.js";

const ZOOM = 1.5; // for a key or a button

/** Connect the buttons and choices beside the panes. */
export function connectChoices(viewer) {
  const { state, view, grid } = viewer;
  const actions = { "zoom-in": () => view.zoomBy(ZOOM), "zoom-out": () => view.zoomBy(1 / ZOOM) };
  Object.assign(actions, { "zoom-fit": () => view.fit(), "zoom-actual": () => view.actual() });
  for (const [id, act] of Object.entries(actions)) byId(id).addEventListener("click", act);
  view.watch(() => {
    byId("zoom").textContent = `${Math.round(view.place().scale * devicePixelRatio * 100)} %`;
  });
  for (const name of ["arrows", "occlusion"]) {
    byId(name).addEventListener("change", () => state.set(name, byId(name).checked));
    state.watch([name], () => (byId(name).checked = state.get(name)));
  }
  const density = byId("density");
  density.addEventListener("input", () => {
    state.set("spacing", Number(density.max) + Number(density.min) - density.valueAsNumber);
    state.set("arrows", true);
  });
  connectFlowChoice(state);
  connectPaneChoice(viewer, grid);
}

function connectFlowChoice(state) {
  if (pageData.flows.length < 2) return;
  const select = byId("flow-choice");
  byId("flow-choices").hidden = false;
  pageData.flows.forEach((name, index) => select.append(make("option", { value: index }, name)));
  select.addEventListener("change", () => state.set("selected", Number(select.value)));
  state.watch(["selected"], () => (select.value = String(state.get("selected"))));
}

/** A button for each kind of pane, which shows or hides it. */
function connectPaneChoice({ panes }, grid) {
  const kinds = new Map(panes.map((pane) => [pane.kind, pane.kind === "flow" ? "Flow" : pane.title]));
  for (const [kind, title] of kinds) {
    const button = make("button", { type: "button", "aria-pressed": String(!grid.hidden.has(kind)) }, title);
    button.addEventListener("click", () => {
      const isShown = grid.hidden.has(kind);
      if (!isShown && grid.hidden.size === kinds.size - 1) return; // one stays
      button.setAttribute("aria-pressed", String(isShown));
      grid.show(kind, isShown);
    });
    byId("pane-choices").append(button);
  }
}

/** What keys do. */
export function shortcutsOf(viewer) {
  const { view, state, grid, timeline } = viewer;
  const key = (keys, label, text, act) => ({ keys, label, text, act });
  return [
    key(["+", "="], "+", "Zoom in", () => view.zoomBy(ZOOM)),
    key(["-"], "-", "Zoom out", () => view.zoomBy(1 / ZOOM)),
    key(["0"], "0", "Fit the frame", () => view.fit()),
    key(["1"], "1", "100 %: a pixel of the frame for one of the screen", () => view.actual()),
    key(["m"], "m", "Maximise the pane that has the focus, or show all", () => grid.maximise(viewer.focused())),
    key(["Escape"], "Escape", "Show all panes", () => grid.maximise(null)),
    key(["a"], "a", "Arrows", () => state.toggle("arrows")),
    key(["o"], "o", "Mark occluded pixels in flow and frame 1", () => state.toggle("occlusion")),
    ...(viewer.compare === null
      ? []
      : [key(["c"], "c", "Compare: plain, divider, blink, difference", () => viewer.compare.nextMode())]),
    ...(pageData.flows.length < 2
      ? []
      : [
          key(["["], "[", "Select the previous flow", () => viewer.select(-1)),
          key(["]"], "]", "Select the next flow", () => viewer.select(1)),
        ]),
    ...(timeline === null
      ? []
      : [
          key([" "], "Space", "Play or pause", () => timeline.toggle()),
          key([","], ",", "Previous moment", () => timeline.step(-1)),
          key(["."], ".", "Next moment", () => timeline.step(1)),
        ]),
    key(["?"], "?", "This help", openHelp),
  ];
}

// From the findings to the page. A part that cannot be drawn says so and does not take the others with it.

const PARTS = [
  ["Answer", answer], ["Recipes", recipes], ["What moves what", effects], ["Swaps", swaps], ["Landscape", pictures],
  ["Models", models], ["Shape", curvature], ["Certificate", certificates], ["Data", trials], ["Methods", methods],
];

const faults = [];

function fault(name, error) {
  faults.push(`${name}: ${error && error.message}`);
  document.documentElement.dataset.error = faults.join("; ");
  console.error(name, error);
  return h("section", null, h("p", { class: "failed" }, `The part “${name}” could not be drawn. The numbers are in results.json.`));
}

function draw() {
  const data = JSON.parse(document.getElementById("findings").textContent);
  learnAmounts(data.inputs);
  const main = document.getElementById("report"), contents = document.getElementById("contents");
  for (const [name, part] of data.kind === "sensitivity" ? SENSITIVITY : PARTS) {
    let node;
    try { node = part(data); } catch (error) { node = fault(name, error); }
    if (!node) continue;
    main.append(node);
    if (node.id) contents.append(h("a", { href: `#${node.id}` }, name));
  }
  try { drawFigures(); } catch (error) { main.append(fault("pictures", error)); }
}

// Paper has another width and no buttons: everything is drawn for it, then put back.
let opened = [];

window.addEventListener("beforeprint", () => {
  document.body.classList.add("printing");
  opened = [...document.querySelectorAll("details:not([open])")].filter((details) => details.querySelectorAll("tr").length <= 40);
  for (const details of opened) details.open = true;
  for (const { panel, before } of printed) if (panel.isConnected) before();
  drawFigures();
  for (const frame of shown) if (frame.isConnected) drawFigure(frame);
});

window.addEventListener("afterprint", () => {
  document.body.classList.remove("printing");
  for (const details of opened) details.open = false;
  for (const { panel, after } of printed) if (panel.isConnected) after();
  for (const gone of printed.filter(({ panel }) => !panel.isConnected)) printed.splice(printed.indexOf(gone), 1);
  for (const frame of shown) if (frame.isConnected) drawFigure(frame);
});

window.addEventListener("error", (event) => { document.documentElement.dataset.error = String(event.message); });

try { draw(); } catch (error) { document.getElementById("report").append(fault("report", error)); }
document.documentElement.dataset.drawn = faults.length ? "with faults" : "yes";

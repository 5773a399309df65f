// The trials as they came, what was done to them, and how every number was obtained.

const FIRST_ROWS = 200;

function trials(data) {
  const { rows, closed, left_out: left, health, replicates } = data.table;
  return section("data", "The data",
    `${rows.length} trials used${left.length ? `, ${left.length} left out` : ""}${closed.length ? `, ${closed.length} closed to the total` : ""}; ${replicates.groups ? `${replicates.groups} groups of replicates with ${replicates.trials} trials` : "no replicates"}.`,
    health.length > 0 && [h("h3", null, "Worth a second look"), h("p", { class: "soft" }, "Nothing was changed because of these."), table({
      caption: "Suspicious cells", className: "plain", rows: health, columns: [
        { head: "Row", width: "3.5em", cell: (x) => x.row }, { head: "Trial", cell: (x) => x.trial }, { head: "Column", row: true, cell: (x) => x.column },
        { head: "Value", number: true, cell: (x) => (known(x.value) ? figures(x.value, 5) : x.value) }, { head: "Suspicion", cell: (x) => x.kind }, { head: "Why", cell: (x) => x.words }] })],
    left.length > 0 && [h("h3", null, "Left out"), list(left.map((x) => `row ${x.row}: ${x.words}`))],
    closed.length > 0 && [h("h3", null, "Closed to the total"), table({
      caption: "Rows closed to the total", className: "plain", rows: closed, columns: [
        { head: "Row", width: "3.5em", cell: (x) => x.row }, { head: "Trial", row: true, cell: (x) => x.trial }, { head: "Sum", number: true, cell: (x) => figures(x.sum, 6) },
        { head: "Changed", cell: (x) => x.changes.map((c) => `${c.input} ${figures(c.from, 5)} → ${figures(c.to, 5)}`).join(", ") }, { head: "", cell: (x) => (x.changes.length ? "" : x.words) }] })],
    h("h3", null, "Trials"), trialTable(data, rows));
}

function trialTable(data, rows) {
  const labeled = rows.some((row) => trialName(row) !== row.trial);
  const blocks = rows.some((row) => row.block !== null), most = Math.max(...rows.map((row) => row.leverage || 0), 1e-12);
  const columns = [
    { head: "Row", className: "soft", width: "3.5em", row: !labeled, cell: (r) => r.row }, labeled && { head: "Trial", row: true, cell: (r) => r.trial },
    blocks && { head: "Block", cell: (r) => r.block },
    ...data.inputs.map((i) => ({ head: [i.name, unitOf(i.unit)], number: true, cell: (r) => [fixed(r.inputs[i.name], Math.max(0, amountDecimals(i))), ""] })),
    ...data.properties.map((p) => {
      const decimals = measuredDecimals(rows, p.name);
      return { head: [p.name, unitOf(p.unit)], number: true, cell: (r) => fixed(r.properties[p.name], decimals) };
    }),
    { head: "Leverage", className: "glyph tiny", cell: (r) => known(r.leverage) && h("span", { class: "leverage", title: figures(r.leverage), style: `--size:${((100 * r.leverage) / most).toFixed(1)}%` }, h("span", { class: "hidden" }, figures(r.leverage))) },
    { head: "", cell: (r) => r.closed && h("span", { class: "soft" }, "closed") },
  ].filter(Boolean);
  const wrapper = table({ caption: "Trials", columns, rows: rows.slice(0, FIRST_ROWS), className: columns.length > 10 ? "plain trials broad" : "plain trials" });
  if (rows.length <= FIRST_ROWS) return wrapper;
  const button = h("button", { type: "button", class: "more", click: () => {
    wrapper.querySelector("tbody").append(...rows.slice(FIRST_ROWS).map((row, k) => tableRow(columns, row, FIRST_ROWS + k)));
    more.remove();
  } }, `Show all ${rows.length} trials`);
  const more = h("p", null, button, h("span", { class: "soft" }, ` The first ${FIRST_ROWS} are shown; all are in tables/trials.csv.`));
  return [wrapper, more];
}

// The most decimals any trial needs, to five figures: the column lines up and nothing measured is lost.
function measuredDecimals(rows, name) {
  const needs = rows.map((row) => (figures(row.properties[name], 5).split(".")[1] || "").replace(/\D.*/, "").length);
  return Math.min(6, needs.reduce((a, b) => Math.max(a, b), 0));
}

function methods(data) {
  const made = data.made_by, versions = ["landform", "python", "jax", "scikit-learn", "numpy", "scipy"];
  return section("methods", "How every number was obtained", null,
    pairs(Object.entries(data.methods)),
    h("h3", null, "The problem"), inputsTable(data), propertiesTable(data), constraints(data),
    h("h3", null, "Made by"),
    pairs([
      ["data", `${data.source.file}${data.source.sheet ? `, sheet ${data.source.sheet}` : ""}, ${data.source.rows} trials`],
      ["problem", data.source.problem || "none given: what the columns looked like"],
      ["versions", versions.map((name) => made[name] && `${name} ${made[name]}`).filter(Boolean).join(", ")],
      ["seed", String(made.seed)], ["made", `${made.created} in ${figures(made.seconds, 2)} s`]]));
}

function inputsTable(data) {
  const costs = data.inputs.some((input) => known(input.cost));
  const columns = [
    { head: "Input", row: true, cell: (i) => [i.name, i.balance && h("span", { class: "soft" }, " (balance)")] }, { head: "Kind", cell: (i) => i.kind },
    { head: "Limits", number: true, cell: (i) => [range(i.lower, i.upper, amountDecimals(i)), unitOf(i.unit)] },
    { head: "In the trials", number: true, cell: (i) => range(i.observed[0], i.observed[1], amountDecimals(i)) },
    { head: "Step", number: true, cell: (i) => i.step_words }, costs && { head: "Cost", number: true, cell: (i) => figures(i.cost, 4) },
  ].filter(Boolean);
  return table({ caption: "Inputs and their limits", columns, rows: data.inputs, className: "plain" });
}

function propertiesTable(data) {
  const columns = [
    { head: "Property", row: true, cell: (p) => [p.name, unitOf(p.unit)] }, { head: "Goal", cell: (p) => wish(p) },
    { head: "Weight", number: true, cell: (p) => figures(p.weight) }, { head: "Shape", number: true, cell: (p) => figures(p.shape) },
    { head: "Scale", cell: (p) => (p.transform === "log" ? "logarithm" : "as measured") },
    { head: "In the trials", number: true, cell: (p) => `${figures(p.observed[0], 4)} to ${figures(p.observed[1], 4)}` },
    { head: "Measured", number: true, cell: (p) => (p.missing ? `${p.measured}, ${p.missing} missing` : p.measured) },
    { head: "Optimized", cell: (p) => (p.optimized ? "yes" : p.why_not ? `no: ${p.why_not}` : "no") },
  ];
  return table({ caption: "Properties and their goals", columns, rows: data.properties, className: "plain" });
}

function constraints(data) {
  if (!data.constraints.length) return null;
  const side = (c) => Object.entries(c.terms).map(([name, x], k) => `${k ? (x < 0 ? ` ${MINUS} ` : " + ") : x < 0 ? MINUS : ""}${Math.abs(x) === 1 ? "" : figures(Math.abs(x)) + " × "}${name}`).join("");
  return [h("h4", null, "Constraints"), list(data.constraints.map((c) =>
    `${c.name}: ${known(c.lower) ? figures(c.lower, 5) + " ≤ " : ""}${side(c)}${known(c.upper) ? " ≤ " + figures(c.upper, 5) : ""}`))];
}

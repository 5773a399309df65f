// The first screen: what to make, how surely, what matters most. Then the recipes side by side.

const GOALS = { maximize: "as high as possible", minimize: "as low as possible", target: "on target", "in range": "within limits", none: "no goal" };

function answer(data) {
  const best = data.recipes[0], make = data.summary.make;
  return h("section", { id: "answer", "aria-labelledby": "answer-title" },
    h("p", { class: "eyebrow" }, masthead(data)),
    h("h1", { id: "answer-title", class: make.length > 130 ? "long" : null }, make.replace(/ (?=\d)/g, NBSP)),
    h("p", { class: "lead" }, data.summary.sure),
    best && tiles(data, best),
    best && h("div", { class: "columns" },
      h("div", null, h("h2", { class: "small" }, "The recipe"), recipeTable(data, best)),
      h("div", null, h("h2", { class: "small" }, "What to expect"), expected(data, best))),
    h("div", { class: "columns" },
      data.summary.matters.length > 0 && h("div", null, h("h2", { class: "small" }, "What matters most"),
        h("ol", { class: "matters" }, data.summary.matters.slice(0, 6).map((words) => h("li", null, words)))),
      data.summary.notes.length > 0 && h("div", null, h("h2", { class: "small" }, "Keep in mind"), notes(data.summary.notes))));
}

function masthead(data) {
  const { file, sheet, rows } = data.source, when = data.made_by.created.slice(0, 10);
  return [h("b", null, "landform study"), ` · ${file}${sheet ? `, sheet ${sheet}` : ""} · ${rows} trials · ${when}`];
}

function notes(entries) {
  const order = { warning: 0, caution: 1, info: 2 };
  const sorted = [...entries].sort((a, b) => order[a.level] - order[b.level]);
  return h("ul", { class: "notes" }, sorted.map((note) => h("li", { class: note.level },
    note.level !== "info" && h("b", null, note.level === "warning" ? "Warning. " : "Caution. "), note.text)));
}

function tiles(data, best) {
  const { certificate, leverage } = best;
  const tile = (name, value, words, state) => h("div", { class: `tile ${state || ""}` },
    h("dt", null, name), h("dd", null, h("strong", null, value), h("span", null, words)));
  return h("dl", { class: "tiles" },
    tile("Desirability", figures(best.desirability, 3), "from 0, useless, to 1, every goal fully met"),
    known(best.chance) && tile("Chance", percent(best.chance), "that one new batch is within all limits"),
    tile("Certificate", certificate.certified ? "✓ certified" : "✗ not certified", certificate.words, certificate.certified ? "" : "bad"),
    tile("Extrapolation", leverage.extrapolates ? "✗ outside the trials" : "✓ within the trials", leverage.words, leverage.extrapolates ? "bad" : ""));
}

function recipeTable(data, recipe) {
  const shown = roundedAmounts(data.inputs, recipe.inputs, data.total), wander = recipe.inputs_sd;
  const kinds = new Set(data.inputs.map((input) => input.kind));
  const columns = [
    { head: kinds.size > 1 ? "Input" : kinds.has("factor") ? "Setting" : "Ingredient", row: true, cell: (i) => i.name },
    { head: "within its limits", className: "glyph", cell: (i) => amountGlyph(i, recipe.inputs[i.name], wander && wander[i.name]) },
    { head: "Amount", number: true, className: "strong", cell: (i) => [shown.get(i.name), unitOf(i.unit)] },
    wander && { head: "may wander", number: true, className: "soft", cell: (i) => known(wander[i.name]) ? "± " + amount(i, wander[i.name]) : "" },
  ].filter(Boolean);
  const mixed = data.inputs.filter((input) => input.kind === "ingredient"), decimals = mixed.length ? amountDecimals(mixed[0]) : 0;
  const unit = mixed.length ? mixed[0].unit : "";
  const total = known(data.total) && mixed.length > 1 && h("tr", null, h("th", { scope: "row" }, "total"), h("td"),
    h("td", { class: "number" }, fixed(data.total, decimals), unitOf(unit)), wander && h("td"));
  return [table({ caption: "The best recipe", columns, rows: data.inputs, foot: total, className: data.inputs.length > 8 ? "plain many" : "plain" }),
    key([["observed", "range of the trials"], ["amount", "this recipe"]].concat(wander ? [["line whisker", "how far the best recipe wanders with the data's noise (± 1 sd)"]] : []))];
}

function amountGlyph(input, value, sd) {
  const sx = scale(input.lower, input.upper, 2, 158), [low, high] = input.observed, at = sx(Math.max(input.lower, Math.min(input.upper, value)));
  const clamp = (x) => Math.max(2, Math.min(158, sx(x))), span = input.upper - input.lower;
  const edge = Math.abs(value - input.lower) < 1e-6 * span ? "at its minimum" : Math.abs(value - input.upper) < 1e-6 * span ? "at its maximum" : "";
  const limits = `limits ${amount(input, input.lower)} to ${amount(input, input.upper)}`;
  return [s("svg", { viewBox: "0 0 160 16", class: "glyph", role: "img", "aria-label": `${input.name} ${amount(input, value)}, ${limits} ${edge}` },
    s("rect", { x: 2, y: 4, width: 156, height: 8, class: "track" }),
    s("rect", { x: clamp(low), y: 4, width: Math.max(0, clamp(high) - clamp(low)), height: 8, class: "observed" }),
    s("rect", { x: 2, y: 4, width: Math.max(0, at - 2), height: 8, class: "amount" }),
    line(at, 1, at, 15, "mark"),
    known(sd) && line(clamp(value - sd), 8, clamp(value + sd), 8, "whisker")),
  h("small", null, h("span", null, amount(input, input.lower)), h("em", null, edge), h("span", null, amount(input, input.upper)))];
}

function expected(data, recipe) {
  const level = fixed(100 * data.level, 0) + NBSP + "%";
  const rows = recipe.properties.map((p) => ({ p, property: data.properties.find((q) => q.name === p.property) }));
  const limited = rows.some(({ property }) => property.limits.some(known));
  const columns = [
    { head: "Property", row: true, cell: ({ property: q }) => q.name },
    { head: "wanted and expected", className: "glyph", cell: ({ p, property }) => [propertyGlyph(p, property), h("small", null, wish(property))] },
    { head: `Mean, ${level}`, number: true, className: "strong", cell: ({ p, property }) => estimateCell(p.mean, property.unit) },
    rows.some(({ p }) => known(p.chance)) && { head: "In limits", number: true, cell: ({ p }) => (known(p.chance) ? percent(p.chance) : NONE) },
    { head: "Desirability", number: true, className: "spare", cell: ({ p }) => (known(p.desirability) ? fixed(p.desirability, 2) : NONE) },
  ].filter(Boolean);
  return [table({ caption: "Predicted properties of the best recipe", columns, rows, className: "plain" }),
    key([["line mean", `mean, ${level}`], ["line whisker", `one new batch, ${level}`], limited && ["allowed", "within limits"], ["observed", "range of the trials"]].filter(Boolean))];
}

function estimateCell(estimate, unit, options) {
  const [value, doubt] = estimated(estimate, options);
  return [h("span", { class: "nowrap" }, value, !doubt && unitOf(unit)), doubt && h("small", { class: "nowrap" }, doubt, unitOf(unit))];
}

function wish(property) {
  const limits = limitsText(property.limits, property.unit);
  const goal = property.goal === "target" ? `target ${withUnit(figures(property.target, 4), property.unit)}` : GOALS[property.goal];
  return property.goal === "in range" ? limits || goal : [goal, limits].filter(Boolean).join(", ");
}

function propertyGlyph({ mean, prediction }, property) {
  const [low, high] = property.limits;
  const ends = [...property.observed, low, high, property.target, mean.value, mean.lower, mean.upper, prediction.lower, prediction.upper].filter(known);
  const least = Math.min(...ends), most = Math.max(...ends), pad = 0.03 * (most - least || 1);
  const sx = scale(least - pad, most + pad, 1, 199), limited = known(low) || known(high);
  const from = known(low) ? sx(low) : 1, to = known(high) ? sx(high) : 199;
  const words = `${property.name}: mean ${estimated(mean).join(" ")}; ${wish(property)}; trials from ${figures(property.observed[0])} to ${figures(property.observed[1])}`;
  return s("svg", { viewBox: "0 0 200 24", class: "glyph wide", role: "img", "aria-label": words },
    s("title", null, words),
    limited && s("rect", { x: from, y: 2, width: Math.max(0, to - from), height: 20, class: "allowed" }),
    s("rect", { x: sx(property.observed[0]), y: 10, width: Math.max(0, sx(property.observed[1]) - sx(property.observed[0])), height: 4, class: "observed" }),
    [low, high].filter(known).map((x) => line(sx(x), 1, sx(x), 23, "limit")),
    known(property.target) && s("path", { d: `M${sx(property.target)} 5l4 -5h-8z`, class: "target" }),
    known(prediction.lower) && known(prediction.upper) && [line(sx(prediction.lower), 12, sx(prediction.upper), 12, "whisker"),
      [prediction.lower, prediction.upper].map((x) => line(sx(x), 8, sx(x), 16, "whisker"))],
    known(mean.lower) && known(mean.upper) && line(sx(mean.lower), 12, sx(mean.upper), 12, "mean"),
    s("circle", { cx: sx(mean.value), cy: 12, r: 4, class: "mean-dot" }));
}

// The recipes side by side, with what each differs by from the best.
function recipes(data) {
  const all = data.recipes, best = all[0];
  if (!all.length) return null;
  const rounded = all.map((recipe) => roundedAmounts(data.inputs, recipe.inputs, data.total));
  const row = (name, unit, value, difference, className) => ({ name, unit, value, difference, className });
  const rows = [
    ...data.inputs.map((i) => row(i.name, i.unit, (r, k) => rounded[k].get(i.name), (r) => [r.inputs[i.name] - best.inputs[i.name], amountDecimals(i)])),
    ...data.properties.map((p, k) => comparedProperty(row, p, k, best)),
    row("desirability", "", (r) => fixed(r.desirability, 3), (r) => [r.desirability - best.desirability, 3], "start"),
    all.some((r) => known(r.chance)) && row("chance within all limits", "", (r) => percent(r.chance)),
    all.some((r) => known(r.cost)) && row("cost", "", (r) => figures(r.cost, 4), (r) => (known(r.cost) && known(best.cost) ? [r.cost - best.cost, decimalsFor(best.cost, 4)] : null)),
    row("within the trials", "", (r) => (r.leverage.extrapolates ? "no, extrapolates" : "yes")),
    row("nearest trial", "", (r) => nearestText(r.nearest_trial)),
    row("certificate", "", (r) => (r.certificate.certified ? r.certificate.nature : "not certified")),
  ].filter(Boolean);
  const columns = [
    { head: "", row: true, cell: (r) => [r.name, unitOf(r.unit)] },
    ...all.map((recipe, k) => ({
      head: [h("span", { class: "rank" }, recipe.rank), " ", recipe.kind], number: true,
      cell: (r) => [h("span", { class: "nowrap" }, r.value(recipe, k)), k > 0 && differenceText(r, recipe)] })),
  ];
  return section("recipes", all.length > 1 ? "Recipes side by side" : "The recipe in numbers",
    all.length > 1 && "Distinct good recipes, best first; the small figures are the difference to the best.",
    table({ caption: "Recipes side by side", columns, rows, className: "compare" }));
}

function comparedProperty(row, property, k, best) {
  const base = best.properties[k].mean, decimals = decimalsOf(base);
  return row(property.name, property.unit, (r) => fixed(r.properties[k].mean.value, decimals),
    (r) => [r.properties[k].mean.value - base.value, decimals], k === 0 ? "start" : null);
}

function nearestText(near) {
  if (!near) return NONE;
  return near.distance < 1e-9 ? `it is ${trialName(near)}` : `${trialName(near)}, ${figures(near.distance, 2)} away`;
}

function differenceText(row, recipe) {
  const difference = row.difference && row.difference(recipe);
  if (!difference) return null;
  const text = signed(fixed(...difference), difference[0]);
  return h("small", { class: "difference" }, /[1-9]/.test(text) ? text : "same");
}

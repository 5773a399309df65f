// How well each property is predicted, and by what.

function models(data) {
  if (!data.surrogates.length) return null;
  return section("models", "How well each property is predicted",
    "Every point was predicted by a model that had not seen it.",
    data.surrogates.map((surrogate) => model(data, surrogate)));
}

function model(data, surrogate) {
  const property = data.properties.find((entry) => entry.name === surrogate.property) || { unit: "", transform: "none" };
  const level = fixed(100 * data.level, 0) + NBSP + "%", { scores } = surrogate, chosen = surrogate.candidates.find((c) => c.chosen);
  const widened = chosen && known(chosen.coverage_after) && known(scores.coverage) && Math.abs(chosen.coverage_after - scores.coverage) > 0.004;
  return h("article", { class: "model" },
    h("h3", null, surrogate.property, h("span", { class: "unit" }, ` ${surrogate.model_words}${surrogate.forced ? ", as asked for" : ""}${property.transform === "log" ? ", of the logarithm" : ""}`)),
    h("p", { class: surrogate.predictable ? null : "failed" }, surrogate.words, property.why_not && ` Not optimized: ${property.why_not.replace(/\.$/, "")}.`),
    h("div", { class: "columns uneven" },
      surrogate.held_out.length > 0 && h("figure", null,
        picture(`${surrogate.property}: measured against predicted`, (width) => heldOut(surrogate, width), { most: 420 }),
        key([["dot trial-dot", `held-out trial, ${level} interval`], ["dot missed", "measured outside its interval"]])),
      h("div", null,
        pairs([
          ["typical error (RMSE)", withUnit(withError(scores.rmse, scores.rmse_standard_error).filter(Boolean).join(" "), surrogate.unit)],
          ["of predicting the mean", known(scores.mean_rmse) && withUnit(figures(scores.mean_rmse), surrogate.unit)],
          ["noise between replicates", known(scores.noise) ? withUnit(figures(scores.noise), surrogate.unit) + (known(scores.noise_degrees) ? ` (${scores.noise_degrees} degrees of freedom)` : "") : "not known: no replicates"],
          ["R², held out", known(scores.r2) && fixed(scores.r2, 3)],
          [`inside their ${level} interval`, known(scores.coverage) && counted(scores.coverage) + (widened ? `, ${counted(chosen.coverage_after)} once widened` : "")],
          ["intervals widened by", known(scores.widening) && Math.abs(scores.widening - 1) > 0.005 && `× ${fixed(scores.widening, 2)}`]].map(([a, b]) => [a, b || null])),
        candidates(surrogate),
        terms(surrogate))));
}

function heldOut(surrogate, width) {
  const points = surrogate.held_out.filter((p) => known(p.measured) && known(p.predicted)), many = points.length > 300;
  const core = points.flatMap((p) => [p.measured, p.predicted]).reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity]);
  const room = 0.35 * (core[1] - core[0] || 1);
  const ends = points.flatMap((p) => [p.lower, p.upper]).filter(known).reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], core);
  const span = [Math.max(ends[0], core[0] - room), Math.min(ends[1], core[1] + room)], pad = 0.03 * (span[1] - span[0] || 1);
  const domain = [span[0] - pad, span[1] + pad], unit = surrogate.unit ? `, ${surrogate.unit}` : "", left = 60, bottom = 44;
  const { sx, sy, group } = axes({ width, height: width - 16, left, bottom, right: 10, top: 10, x: domain, y: domain, titleX: `measured${unit}`, titleY: `predicted${unit}` });
  const clip = (v) => Math.max(domain[0], Math.min(domain[1], v));
  const bars = points.filter((p) => known(p.lower) && known(p.upper)).map((p) => `M${sx(p.measured).toFixed(1)} ${sy(clip(p.lower)).toFixed(1)}V${sy(clip(p.upper)).toFixed(1)}`).join("");
  const spots = points.map((p) => [sx(p.measured), sy(p.predicted)]);
  const missed = points.map((p) => known(p.lower) && known(p.upper) && (p.measured < p.lower || p.measured > p.upper));
  const svg = canvas(width, width - 16, group, line(sx(domain[0]), sy(domain[0]), sx(domain[1]), sy(domain[1]), "diagonal"),
    s("path", { d: bars, class: "interval", opacity: many ? 0.18 : 0.5 }),
    dots(spots.filter((_, k) => !missed[k]), "trial-dot", many ? 3.5 : 6, many ? 0.55 : 0.9),
    spots.filter((_, k) => missed[k]).map(([x, y]) => s("circle", { cx: x, cy: y, r: many ? 2.5 : 3.6, class: "missed" })));
  return hover(svg, width, spots, (k) => `${trialAndRow(points[k])}: measured ${figures(points[k].measured, 4)}, predicted ${figures(points[k].predicted, 4)}`);
}

function candidates(surrogate) {
  if (!surrogate.candidates.length) return null;
  const { scores } = surrogate, all = surrogate.candidates.filter((c) => known(c.rmse)).map((c) => c.rmse + (c.rmse_standard_error || 0));
  const most = Math.min(Math.max(...all, scores.mean_rmse || 0), 3 * (scores.mean_rmse || Infinity)) || 1;
  const columns = [
    { head: "Candidate", row: true, cell: (c) => [c.model_words, c.chosen && h("span", { class: "chosen" }, " ✓ chosen"),
      known(c.parameters) && c.parameters > 0 && h("small", { class: "block" }, `${c.parameters} ${c.parameters === 1 ? "parameter" : "parameters"}`), c.words && !(c.chosen && c.words === "chosen") && h("small", { class: "block" }, c.words)] },
    { head: "Error", className: "glyph", cell: (c) => errorGlyph(c, scores, most) },
    { head: "RMSE", number: true, cell: (c) => withError(c.rmse, c.rmse_standard_error).map((text, k) => (k ? text && h("small", null, text) : text)) },
    { head: "R²", number: true, cell: (c) => fixed(c.r2, 2) },
    { head: "Covered", number: true, cell: (c) => [counted(c.coverage_after), known(c.coverage) && known(c.coverage_after) && Math.abs(c.coverage - c.coverage_after) > 0.004 && h("small", null, "from " + counted(c.coverage))] },
  ];
  return [table({ caption: `Candidate models of ${surrogate.property}`, columns, rows: surrogate.candidates.map((c) => ({ ...c, className: c.chosen ? "best" : null })), className: "plain" }),
    key([["line noise", "noise floor"], ["line mean-error", "predicting the mean"]].slice(known(scores.noise) ? 0 : 1))];
}

function errorGlyph(candidate, scores, most) {
  const sx = scale(0, most * 1.04, 2, 118), to = (x) => Math.min(119, sx(x));
  if (!known(candidate.rmse)) return null;
  const error = candidate.rmse_standard_error;
  return s("svg", { viewBox: "0 0 120 18", class: "glyph", role: "img", "aria-label": `error ${figures(candidate.rmse)}` },
    s("rect", { x: 2, y: 6, width: Math.max(0, to(candidate.rmse) - 2), height: 6, class: candidate.chosen ? "amount" : "observed" }),
    known(error) && line(to(candidate.rmse - error), 9, to(candidate.rmse + error), 9, "whisker"),
    known(scores.noise) && line(to(scores.noise), 1, to(scores.noise), 17, "noise"),
    known(scores.mean_rmse) && line(to(scores.mean_rmse), 1, to(scores.mean_rmse), 17, "mean-error"));
}

function terms(surrogate) {
  const parts = [];
  if (surrogate.coefficients.length) {
    parts.push(folded(`Coefficients (${surrogate.coefficients.length})`, table({
      caption: `Coefficients of ${surrogate.property}`, className: "plain", rows: surrogate.coefficients,
      columns: [
        { head: "Term", row: true, cell: (c) => c.term },
        { head: "Coefficient", number: true, cell: (c) => fixed(c.estimate.value, decimalsOf(c.estimate)) },
        { head: "Standard error", number: true, cell: (c) => figures(c.estimate.standard_error) },
        { head: "Interval", number: true, cell: (c) => (known(c.estimate.lower) && known(c.estimate.upper) ? range(c.estimate.lower, c.estimate.upper, decimalsOf(c.estimate)) : NONE) },
      ] })));
  }
  if (surrogate.hyperparameters.length) {
    parts.push(folded(`Fitted settings of the model (${surrogate.hyperparameters.length})`,
      pairs(surrogate.hyperparameters.map((p) => [p.name, `${known(p.value) ? figures(p.value, 4) : p.value}${p.words ? ` · ${p.words}` : ""}`]))));
  }
  return parts;
}

// The shape around the recipe and at each property's stationary point; and the certificate of each recipe.

function curvature(data) {
  const { recipe, properties } = data.curvature;
  if (!recipe && !properties.length) return null;
  return section("curvature", data.recipes.length ? "The shape around the recipe" : "The shape at the center of the trials",
    "Curvature says how far one may stray: a stiff direction loses much in a small step, a sloppy one may be chosen for cost or ease.",
    recipe && recipeCurvature(recipe),
    properties.length > 0 && [h("h3", null, "Where each property would turn by itself"),
      h("div", { class: "grid wide" }, properties.map((property) => stationary(data, property)))]);
}

function recipeCurvature(recipe) {
  const flat = recipe.directions.every((direction) => Math.abs(direction.eigenvalue) < 1e-12);
  const rows = flat ? [] : recipe.directions.map((direction, k) => ({
    name: `direction ${k + 1}`, note: "", words: direction.words, sure: true, estimate: { value: direction.eigenvalue, lower: null, upper: null } }));
  return h("div", null,
    h("h3", null, `Curvature of the ${recipe.of}`, h("span", { class: "unit" }, ` ${recipe.place_words}, ${recipe.tangent_dimension} free ${recipe.tangent_dimension === 1 ? "direction" : "directions"}`)),
    h("p", null, recipe.words),
    rows.length > 0 && [picture("Eigenvalues: " + recipe.directions.map((d) => `${figures(d.eigenvalue)} along ${d.words}`).join("; "), (width) => bars(rows, width), { most: 640 }),
      h("div", { class: "grid fine" }, recipe.directions.map((direction, k) => h("figure", { class: "card" },
        h("h4", null, `direction ${k + 1}`, h("span", { class: "unit" }, ` eigenvalue ${figures(direction.eigenvalue)}`)),
        h("p", { class: "tight" }, direction.words), movesPicture(direction))))]);
}

// What a step along a direction changes, the largest first.
function movesPicture(direction) {
  const all = Object.entries(direction.moves).filter(([, x]) => known(x)).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const shown = all.slice(0, 6).filter(([, x]) => Math.abs(x) > 0.005);
  if (!shown.length) return null;
  const rows = shown.map(([name, value]) => ({ name, note: "", sure: true, estimate: { value, lower: null, upper: null } }));
  const step = 20;
  return picture("Moves: " + shown.map(([name, x]) => `${name} ${figures(x, 2)}`).join(", "), (width) => {
    const room = width * 0.44, sx = scale(-1, 1, room + 8, width - 42), height = rows.length * step;
    return canvas(width, height, rows.map(({ name, estimate: { value } }, k) => s("g", null,
      fitted(0, k * step + 14, name, room, { "font-size": 12, class: "name" }),
      s("rect", { x: Math.min(sx(0), sx(value)), y: k * step + 5, width: Math.abs(sx(value) - sx(0)), height: 10, class: `bar sure ${value < 0 ? "against" : "along"}` }),
      label(width, k * step + 14, signed(fixed(value, 2), value), { "text-anchor": "end", class: "value", "font-size": 12 }))),
    line(sx(0), 0, sx(0), height, "zero"));
  }, { most: 420 });
}

function stationary(data, property) {
  const unit = (data.properties.find((entry) => entry.name === property.property) || {}).unit || "";
  const rows = property.directions.map((direction, k) => ({
    name: direction.words || `direction ${k + 1}`, note: "", words: direction.words, estimate: direction.eigenvalue, sure: sureOf(direction.eigenvalue) }));
  const where = property.point && [property.inside_limits ? "inside the limits" : "outside the limits", property.inside_data ? "inside the data" : "outside the data",
    known(property.distance) && `${figures(property.distance, 2)} away`].filter(Boolean).join(", ");
  return h("article", { class: "card" },
    h("h4", null, property.property, h("span", { class: "unit" }, property.nature === "none" ? " no stationary point" : ` ${property.nature}${where ? ", " + where : ""}`)),
    h("p", null, property.words),
    property.point && pairs(data.inputs.map((i) => [i.name, withUnit(amount(i, property.point[i.name]), i.unit)]).concat(
      property.value ? [[`${property.property} there`, withUnit(estimated(property.value).join(" "), unit)]] : [])),
    rows.some((row) => Math.abs(row.estimate.value) > 1e-12) && [h("p", { class: "soft tight" }, "Eigenvalues of its Hessian; hollow: the sign is not sure"),
      picture(`Eigenvalues of the Hessian of ${property.property}`, (width) => bars(rows, width, { names: 0.56 }), { most: 560 })]);
}

const sureOf = (e) => known(e.lower) && known(e.upper) && (e.lower > 0 || e.upper < 0);

function certificates(data) {
  if (!data.recipes.length) return null;
  return section("certificate", "The certificate",
    "What was checked about each recipe, so that it need not be taken on trust.",
    h("div", { class: "grid wide" }, data.recipes.map((recipe) => certificate(recipe))));
}

function certificate({ rank, kind, words, certificate: c, leverage, nearest_trial: near }) {
  const columns = [
    { head: "Active limit", row: true, cell: (a) => a.limit },
    { head: "Multiplier", number: true, cell: (a) => [figures(a.multiplier), a.unit && h("small", null, a.unit)] },
    { head: "In words", cell: (a) => a.words },
  ];
  return h("article", { class: "card" },
    h("h3", null, h("span", { class: "rank" }, rank), " ", kind, h("span", { class: "unit" }, c.certified ? ` ✓ certified: ${c.nature}` : " ✗ not certified")),
    h("p", null, c.words),
    h("p", { class: "soft" }, words),
    pairs([
      ["limits missed by", figures(c.violation, 2)],
      ["KKT residual", figures(c.kkt_residual, 2)],
      ["eigenvalues of the reduced Hessian", c.eigenvalues.length ? c.eigenvalues.map((x) => figures(x)).join(",  ") : "none: every direction is stopped by a limit"],
      ["leverage", `${figures(leverage.value)} (largest of the trials ${figures(leverage.largest_of_trials)}). ${leverage.words}`],
      ["nearest trial", near && nearestText(near)]]),
    c.active.length > 0 ? table({ caption: `Active limits of recipe ${rank}`, columns, rows: c.active, className: "plain wrap" }) : h("p", { class: "soft" }, "No limit is active: the recipe lies inside all of them."));
}

// Three ingredients in a triangle, the rest held: bands, lines, the trials, the recipes.

function ternary(data, view) {
  const layers = view.layers.filter((layer) => layer.values.some(known));
  if (!layers.length) return null;
  return h("div", null,
    h("h3", null, "Ingredients in a triangle"),
    h("p", { class: "soft" }, `${view.inputs.join(", ")} share ${figures(view.span, 4)}${heldText(data, view.held)}. Dots are trials, fainter and smaller the further they lie off this plane; numbers are recipes.`),
    sideBySide(layers, (layer) => layerFigure(layer, `Ternary contour picture of ${layer.name}`,
      (width) => ternaryPicture(data, view, layer, width), 600)));
}

// Two pictures to compare, each with its own choice; on paper every layer once.
function sideBySide(layers, draw) {
  if (layers.length < 2) return switcher("What is shown", layers, draw);
  const overall = layers.find((layer) => layer.name === "desirability") || layers[layers.length - 1];
  const pair = h("div", { class: "grid" },
    switcher("What is shown at the left", layers, draw, { everything: false, first: layers.find((layer) => layer !== overall) }),
    switcher("What is shown at the right", layers, draw, { everything: false, first: overall }));
  let kept = [];
  printed.push({
    panel: pair,
    before: () => { kept = [...pair.childNodes]; pair.replaceChildren(...layers.map(draw)); },
    after: () => pair.replaceChildren(...kept),
  });
  return pair;
}

function heldText(data, held) {
  const entries = Object.entries(held);
  if (!entries.length) return "";
  const find = (name) => data.inputs.find((input) => input.name === name);
  return "; held: " + entries.map(([name, value]) => `${name} ${withUnit(amount(find(name), value), find(name).unit)}`).join(", ");
}

function layerFigure(layer, words, draw, most) {
  return h("figure", { class: "contour", style: `max-width:${most}px` },
    h("p", { class: "tight soft" }, layer.name, layer.unit && `, ${layer.unit}`),
    picture(words, draw, { most }),
    picture(`Color scale of ${layer.name}`, (width) => colorStrip(layer.values.flat(), width), { most }));
}

// The part of the whole triangle that holds everything there is to show.
function corner(view) {
  const seen = [...view.points, ...view.trials.map((trial) => trial.point), ...view.recipes.map((recipe) => recipe.point)];
  const low = [0, 1, 2].map((c) => Math.max(0, seen.reduce((least, p) => Math.min(least, p[c]), view.lower[c])));
  return { low, room: view.span - low[0] - low[1] - low[2] };
}

function ternaryPicture(data, view, layer, width) {
  const side = Math.max(40, width - 108), tall = side * Math.sqrt(0.75), x0 = (width - side) / 2, y0 = 20;
  const { low, room } = corner(view);
  const place = (p) => {
    const a = (p[0] - low[0]) / room, c = (p[2] - low[2]) / room;
    return [x0 + side * (c + a / 2), y0 + tall * (1 - a)];
  };
  const mesh = meshOf(view.points.map(place), view.triangles);
  const spots = view.trials.map((trial) => place(trial.point));
  const svg = canvas(width, y0 + tall + 58,
    s("path", { d: path([[x0 + side / 2, y0], [x0, y0 + tall], [x0 + side, y0 + tall]], true), class: "ground" }),
    contours(mesh, layer.values),
    ternaryAxes(data, view, { low, room, place, side, x0, y0, tall }),
    trialDots(view.trials, spots),
    recipeMarks(view.recipes.map((recipe) => ({ rank: recipe.rank, at: place(recipe.point) }))));
  return hover(svg, width, spots, (k) => trialWords(data, view.trials[k].row, layer.name));
}

function trialDots(trials, spots) {
  const near = [[], [], [], []];
  trials.forEach((trial, k) => near[Math.min(3, Math.floor((trial.off_plane || 0) / 0.08))].push(spots[k]));
  const many = trials.length > 300 ? 0.5 : 1;
  return near.map((group, k) => group.length > 0 && [
    dots(group, "trial-halo", (7 - 1.4 * k) * many + [2.5, 1.6, 1.2, 0.8][k] * many, [0.9, 0.5, 0.3, 0.2][k]),
    dots(group, "trial-dot", (7 - 1.4 * k) * many, [1, 0.65, 0.45, 0.3][k])]).reverse();
}

function trialWords(data, row, property) {
  const trial = data.table.rows.find((entry) => entry.row === row);
  if (!trial) return `row ${row}`;
  const value = trial.properties[property], inputs = data.inputs.map((i) => `${i.name} ${amount(i, trial.inputs[i.name])}`);
  return `${trialName(trial)}: ${inputs.slice(0, 6).join(", ")}${known(value) ? ` → ${property} ${figures(value, 4)}` : ""}`;
}

// Each ingredient is read along its own edge; the tick points the way its lines run.
function ternaryAxes(data, view, { low, room, place, side, x0, y0, tall }) {
  const count = Math.max(2, Math.min(5, side / 90)), group = s("g", { class: "axes" });
  const point = (c, value, other) => {
    const p = [...low];
    p[c] = value;
    p[other] += room - (value - low[c]);
    return place(p);
  };
  const ways = [{ c: 0, from: 1, to: 2, dx: -1, dy: 0, anchor: "end" }, { c: 1, from: 2, to: 0, dx: 0.5, dy: 0.87, anchor: "middle" }, { c: 2, from: 0, to: 1, dx: 0.5, dy: -0.87, anchor: "start" }];
  for (const { c, from, to, dx, dy, anchor } of ways) {
    const marks = ticks(low[c], low[c] + room, count), say = tickText(marks);
    for (const t of marks) {
      const a = point(c, t, from), b = point(c, t, to);
      group.append(line(...a, ...b, "grid over"), line(a[0], a[1], a[0] + 6 * dx, a[1] + 6 * dy, "axis"),
        label(a[0] + 10 * dx + (c === 1 ? 3 : 0), a[1] + 4 + (c === 1 ? 14 : 8 * dy), say(t), { "text-anchor": anchor, class: "tick" }));
    }
  }
  const titles = [
    { x: x0 + side * 0.25 - 42, y: y0 + tall / 2 - 10, turn: -60, text: (n) => n + " →" },
    { x: x0 + side / 2, y: y0 + tall + 46, turn: 0, text: (n) => "← " + n },
    { x: x0 + side * 0.75 + 42, y: y0 + tall / 2 - 10, turn: 60, text: (n) => n + " →" }];
  group.append(s("path", { d: path([place([low[0] + room, low[1], low[2]]), place([low[0], low[1] + room, low[2]]), place([low[0], low[1], low[2] + room])], true), class: "axis" }),
    ...titles.map((t, c) => fitted(0, 0, t.text(view.inputs[c]), side * 0.8, { "text-anchor": "middle", class: "title", transform: `translate(${t.x} ${t.y}) rotate(${t.turn})` })));
  return group;
}

// The landscape between the trials: the triangle, two inputs against each other, each by itself.

function pictures(data) {
  const { ternary: triangle, slices, traces } = data.pictures;
  const parts = [triangle && ternary(data, triangle), slices.length > 0 && slicesPart(data, slices), traces.length > 0 && tracesPart(data, traces)].filter(Boolean);
  return parts.length ? section("pictures", "The landscape", "What the models say between the trials.", parts) : null;
}

function slicesPart(data, slices) {
  const names = [...new Set(slices.flatMap((slice) => slice.layers.map((layer) => layer.name)))].map((name) => ({ name }));
  return h("div", null, h("h3", null, "Two inputs at a time"),
    h("p", { class: "soft" }, "All else is held; where nothing is drawn no recipe is allowed. Dots are trials and numbers are recipes, seen from above: they may lie off the slice."),
    switcher("What is shown", names, ({ name }) => h("div", { class: "grid" }, slices.map((slice) => {
      const layer = slice.layers.find((entry) => entry.name === name);
      return layer && h("div", null, layerFigure(layer, `Contour picture of ${name} over ${slice.inputs.join(" and ")}`,
        (width) => slicePicture(data, slice, layer, width), 520), h("p", { class: "soft held" }, heldText(data, slice.held).replace(/^; /, "")));
    })), { everything: names.length * slices.length <= 12 }));
}

function slicePicture(data, slice, layer, width) {
  const height = Math.round(width * 0.78), ends = (xs) => [xs[0], xs[xs.length - 1]];
  const unit = (name) => data.inputs.find((input) => input.name === name).unit;
  const title = (name) => (unit(name) ? `${name}, ${unit(name)}` : name);
  const { sx, sy, group } = axes({ width, height, x: ends(slice.u), y: ends(slice.v), titleX: title(slice.inputs[0]), titleY: title(slice.inputs[1]) });
  const { mesh, values } = gridMesh(slice, layer, sx, sy);
  const within = slice.trials.filter(({ point: [u, v] }) => u >= slice.u[0] && u <= ends(slice.u)[1] && v >= slice.v[0] && v <= ends(slice.v)[1]);
  const spots = within.map(({ point }) => [sx(point[0]), sy(point[1])]);
  const svg = canvas(width, height, group, contours(mesh, values), trialDots(within, spots),
    recipeMarks(slice.recipes.map(({ rank, point }) => ({ rank, at: [sx(point[0]), sy(point[1])] }))));
  return hover(svg, width, spots, (k) => trialWords(data, within[k].row, layer.name));
}

// Each cell is four triangles around its middle, or one where a corner is missing.
function gridMesh(slice, layer, sx, sy) {
  const across = slice.u.length, points = [], values = [], triangles = [];
  slice.v.forEach((v, j) => slice.u.forEach((u, i) => { points.push([sx(u), sy(v)]); values.push(layer.values[j][i]); }));
  for (let j = 0; j + 1 < slice.v.length; j += 1) {
    for (let i = 0; i + 1 < across; i += 1) {
      const ring = [j * across + i, j * across + i + 1, (j + 1) * across + i + 1, (j + 1) * across + i];
      const sound = ring.filter((k) => known(values[k]));
      if (sound.length === 3) triangles.push(sound);
      if (sound.length < 4) continue;
      const middle = points.length;
      points.push([0, 1].map((c) => (points[ring[0]][c] + points[ring[2]][c]) / 2));
      values.push(ring.reduce((sum, k) => sum + values[k], 0) / 4);
      ring.forEach((k, e) => triangles.push([k, ring[(e + 1) % 4], middle]));
    }
  }
  return { mesh: meshOf(points, triangles), values };
}

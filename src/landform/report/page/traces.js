// Each input by itself: how every property changes along its direction.

function tracesPart(data, traces) {
  const names = [...new Set(traces.flatMap((trace) => trace.layers.map((layer) => layer.name)))].map((name) => ({ name }));
  const mixture = traces.some((trace) => trace.direction === "Cox");
  const level = fixed(100 * data.level, 0) + NBSP + "%";
  return h("div", null, h("h3", null, "One input at a time"),
    h("p", { class: "soft" }, `From the ${data.recipes.length ? "best recipe (the dashed mark)" : "center of the trials"}${mixture ? "; the other ingredients give way in proportion" : ""}. The band is the ${level} interval of the mean.`),
    switcher("Property", names, ({ name }) => traceRow(data, traces, name)));
}

function traceRow(data, traces, name) {
  const own = traces.map((trace) => ({ trace, layer: trace.layers.find((layer) => layer.name === name) })).filter(({ layer }) => layer && layer.values.some(known));
  const all = own.flatMap(({ layer }) => bounded(layer));
  const y = [Math.min(...all), Math.max(...all)], pad = 0.04 * (y[1] - y[0] || 1), unit = own.length ? own[0].layer.unit : "";
  return h("div", null, h("p", { class: "tight soft" }, name, unit && `, ${unit}`),
    h("div", { class: "grid fine" }, own.map(({ trace, layer }) => h("figure", null,
      picture(`${name} along ${trace.input}`, (width) => tracePicture(data, trace, layer, [y[0] - pad, y[1] + pad], width), { most: 360 })))));
}

// Values, and their intervals as far as these do not dwarf them.
function bounded(layer) {
  const values = layer.values.filter(known), low = Math.min(...values), high = Math.max(...values), room = 1.5 * (high - low || 1);
  const ends = [...layer.lower, ...layer.upper].filter(known).map((x) => Math.max(low - room, Math.min(high + room, x)));
  return [low, high, ...ends];
}

function tracePicture(data, trace, layer, y, width) {
  const input = data.inputs.find((entry) => entry.name === trace.input), height = Math.round(Math.min(200, width * 0.8));
  const x = [trace.amounts[0], trace.amounts[trace.amounts.length - 1]], id = `clip-${(tracePicture.count = (tracePicture.count || 0) + 1)}`;
  const { sx, sy, group } = axes({ width, height, left: 46, right: 8, top: 8, bottom: 40, x, y, titleX: input.unit ? `${input.name}, ${input.unit}` : input.name, count: 4 });
  const at = (values) => trace.amounts.map((u, k) => [sx(u), sy(values[k])]).filter((_, k) => known(values[k]));
  const low = at(layer.lower), high = at(layer.upper);
  return canvas(width, height,
    s("clipPath", { id }, s("rect", { x: 46, y: 8, width: Math.max(0, width - 54), height: height - 48 })), group,
    s("g", { "clip-path": `url(#${id})` },
      low.length > 1 && low.length === high.length && s("path", { d: path([...high, ...low.reverse()], true), class: "band" }),
      s("path", { d: path(at(layer.values)), class: "curve" })),
    known(trace.at) && trace.at >= x[0] && trace.at <= x[1] && line(sx(trace.at), 8, sx(trace.at), height - 40, "here"));
}

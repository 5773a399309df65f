// What moves what in a fitted model: averages, every row, pairs, one input at a time, and what to beware of.

const OWN = ["alone", "log", "Cox", "contrast"];
const WAYS = [
  { name: "Each input by itself", kinds: OWN, words: "Everything else stays as it is (in a mixture the other ingredients give way; of a category one level stands in place of another)." },
  { name: "With what goes with it", kinds: ["together"], words: "The other inputs change as they do in the data when this one is higher." },
  { name: "Along the data", kinds: ["axis"], words: "One standard deviation of the data along each of its principal axes." },
];

const SENSITIVITY = [
  ["Answer", modelAnswer], ["What moves what", modelEffects], ["Row by row", rowByRow], ["Together", pairsTogether],
  ["One at a time", modelTraces], ["Methods", modelMethods],
];

function modelAnswer(data) {
  const [first, ...rest] = data.summary.sentences, { file, model, rows } = data.source;
  return h("section", { id: "answer", "aria-labelledby": "answer-title" },
    h("p", { class: "eyebrow" }, h("b", null, "landform sensitivity"), ` · ${model} on ${file} · ${rows.length} rows · ${data.made_by.created.slice(0, 10)}`),
    h("h1", { id: "answer-title", class: first.length > 130 ? "long" : null }, first),
    h("ul", { class: "notes" }, rest.map((words) => h("li", { class: "info" }, words))));
}

const shownOf = (effect) => effect.standardized || effect.mean;

function modelEffects(data) {
  const ways = WAYS.filter((way) => data.effects.some((effect) => way.kinds.includes(effect.direction)));
  return section("effects", "What moves what", "Averages over all rows, in standard deviations of the output per standard deviation of the input.",
    switcher("The inputs change", ways, (way) => h("div", null, h("p", { class: "soft" }, way.words),
      h("div", { class: "grid" }, data.outputs.map((output) => modelBars(data, output, way))),
      barKey(data.level), way.kinds === OWN && data.outputs.length > 1 && modelHeatMap(data), modelTable(data, way)), { everything: false }));
}

function modelBars(data, output, way) {
  const own = data.effects.filter((effect) => effect.output === output.name && way.kinds.includes(effect.direction));
  const sorted = own.sort((a, b) => Math.abs(shownOf(b).value) - Math.abs(shownOf(a).value)).slice(0, 20);
  const rows = sorted.map((effect) => ({ name: effect.input, note: effect.direction === "contrast" ? effect.words : "", estimate: shownOf(effect), sure: effect.sure,
    words: `${effect.input}${effect.words ? ` (${effect.words})` : ""}: ${estimated(shownOf(effect), { sign: true }).join(" ")}` }));
  return h("figure", { class: "card" }, h("h3", null, output.name),
    picture(`${output.name}: ${rows.map((row) => row.words).join("; ")}`, (width) => bars(rows, width)));
}

function modelHeatMap(data) {
  const names = [...new Set(data.effects.filter((e) => OWN.includes(e.direction)).map((e) => e.input))].map((name) => ({ name }));
  const find = (output, input) => data.effects.find((e) => e.output === output && e.input === input && OWN.includes(e.direction));
  const columns = [{ head: "Input", row: true, cell: (input) => input.name },
    ...data.outputs.map((output) => ({ head: output.name, number: true, className: "cell",
      cell: ({ name }) => { const e = find(output.name, name), text = signed(fixed(shownOf(e).value, 2), shownOf(e).value); return e.sure ? text : `(${text})`; },
      look: ({ name }) => { const e = find(output.name, name), x = shownOf(e).value; return tint(x, 0.08 + 0.4 * Math.min(1, Math.abs(x)), e.sure, e.words); } }))];
  return h("div", null, h("h3", null, "Everything at a glance"),
    h("p", { class: "soft" }, "In parentheses, untinted: not sure."), table({ caption: "Heat map of inputs and outputs", columns, rows: names, className: "heatmap" }));
}

function modelTable(data, way) {
  const rows = data.effects.filter((effect) => way.kinds.includes(effect.direction)), share = (x) => (known(x) ? counted(x) : NONE);
  const columns = [
    data.outputs.length > 1 && { head: "Output", cell: (e) => e.output }, { head: "Input", row: true, cell: (e) => e.input },
    { head: "Mean slope", number: true, cell: (e) => estimated(e.mean, { sign: true }).join(" ") },
    { head: "Elasticity", number: true, cell: (e) => (e.elasticity ? estimated(e.elasticity, { sign: true }).join(" ") : NONE) },
    { head: "5 % to 95 % of rows", number: true, cell: (e) => `${figures(e.low)} to ${figures(e.high)}` },
    { head: "Same sign", number: true, cell: (e) => share(e.same_sign) }, { head: "Rows sure", number: true, cell: (e) => share(e.sure_rows) },
    { head: "How it changes", cell: (e) => e.words }].filter(Boolean);
  return folded("As a table, in the units of the data", table({ caption: "Effects", columns, rows, className: "plain" }));
}

function rowByRow(data) {
  const { rows } = data;
  if (!rows.inputs.length) return null;
  const some = rows.numbers.length < data.source.rows.length ? ` ${rows.numbers.length} of ${data.source.rows.length} rows are drawn.` : "";
  return section("rows", "Row by row", `Every dot is one row's own slope, per standard deviation of the input.${some}`,
    switcher("Output", rows.outputs, (output) => h("div", null,
      picture(`${output.name}: slopes at every row`, (width) => swarm(data, output, width)),
      key([["dot level-low", "input low"], ["dot level-high", "input high"]]), cautionList(data, output))));
}

function swarm(data, output, width) {
  const { rows } = data, spread = new Map(data.inputs.map((input) => [input.name, input.spread]));
  const size = (data.outputs.find((one) => one.name === output.name) || {}).spread || 1;
  const scaled = output.slopes.map((own, k) => own.map((x) => (x * spread.get(rows.inputs[k])) / size));
  const order = scaled.map((own, k) => [k, own.reduce((sum, x) => sum + Math.abs(x), 0)]).sort((a, b) => b[1] - a[1]).slice(0, 20).map(([k]) => k);
  const all = order.flatMap((k) => scaled[k]), low = Math.min(0, ...all), high = Math.max(0, ...all), pad = 0.03 * (high - low || 1);
  const left = Math.min(0.35 * width, Math.max(...order.map((k) => textWidth(rows.inputs[k], 13))) + 14), step = 46, height = order.length * step + 50;
  const sx = scale(low - pad, high + pad, left, width - 12), marks = ticks(low - pad, high + pad, Math.max(3, width / 120)), say = tickText(marks), spots = [], words = [];
  const lanes = order.map((k, lane) => {
    const middle = lane * step + step / 2, bins = new Map(), ranks = ranked(rows.levels[k]), parts = { low: [], middle: [], high: [] };
    scaled[k].forEach((x, r) => {
      const px = sx(x), bin = Math.round(px / 4), turn = bins.get(bin) || 0;
      bins.set(bin, turn + 1);
      const point = [px, middle + Math.max(-20, Math.min(20, Math.ceil(turn / 2) * 3.2 * (turn % 2 ? 1 : -1)))];
      parts[ranks[r] < 1 / 3 ? "low" : ranks[r] > 2 / 3 ? "high" : "middle"].push(point);
      spots.push(point);
      words.push(`row ${rows.numbers[r]}, ${rows.inputs[k]} ${figures(rows.levels[k][r], 4)}: slope ${figures(output.slopes[k][r], 3)}${output.errors ? ` (standard error ${figures(output.errors[k][r], 2)})` : ""}${output.cautions[r] ? `. ${output.cautions[r]}` : ""}`);
    });
    return [fitted(0, middle + 4, rows.inputs[k], left - 8, { class: "name", "font-size": 13 }),
      ["low", "middle", "high"].map((part) => parts[part].length > 0 && dots(parts[part], `level-${part}`, 5, 0.85))];
  });
  const svg = canvas(width, height, marks.map((t) => [line(sx(t), 0, sx(t), height - 44, "grid"), label(sx(t), height - 28, say(t), { "text-anchor": "middle", class: "tick" })]),
    line(sx(0), 0, sx(0), height - 44, "zero"), lanes,
    fitted((left + width) / 2, height - 8, `sd of ${output.name} per sd of the input`, width - left, { "text-anchor": "middle", class: "title" }));
  return hover(svg, width, spots, (k) => words[k]);
}

// Each entry's rank from 0 to 1.
function ranked(values) {
  const sorted = [...values].sort((a, b) => a - b), place = new Map();
  sorted.forEach((x, k) => { if (!place.has(x)) place.set(x, k); });
  return values.map((x) => place.get(x) / Math.max(1, values.length - 1));
}

function cautionList(data, output) {
  const k = data.outputs.findIndex((one) => one.name === output.name), rows = data.source.rows.length;
  const said = data.cautions.filter((one) => one.counts[k] > 0).map((one) => ({ level: "caution", text: `${one.counts[k]} of ${rows} rows: ${one.words}.` }));
  return said.length > 0 && notes(said);
}

function pairsTogether(data) {
  if (!data.interactions || !data.interactions.pairs.length) return null;
  const named = data.outputs.filter((output) => data.interactions.pairs.some((pair) => pair.output === output.name));
  return section("pairs", "Which inputs act together", `Second derivatives over the rows: how the slope by one input changes with another. Strength is in standard deviations of the output when both inputs move by one of theirs${data.interactions.doubt.startsWith("none") ? "." : ", root mean square over the rows; in parentheses, untinted: its interval includes zero."}`,
    switcher("Output", named, (output) => pairTable(data.interactions.pairs.filter((pair) => pair.output === output.name).slice(0, 20))));
}

function pairTable(pairs) {
  const most = Math.max(...pairs.map((pair) => pair.strength.value), 1e-300), doubted = pairs.some((pair) => known(pair.strength.lower));
  return table({ caption: "Pairs of inputs", rows: pairs, className: "heatmap", columns: [
    { head: "Pair", row: true, cell: (p) => (p.first === p.second ? `${p.first} (its own bend)` : `${p.first} × ${p.second}`) },
    { head: "Strength", number: true, className: "cell", cell: (p) => (p.sure || !doubted ? estimated(p.strength).join(" ") : `(${estimated(p.strength).join(" ")})`),
      look: (p) => tint(p.curve.value, 0.06 + 0.42 * (p.strength.value / most), p.sure || !doubted, p.words) },
    { head: "Of the larger own effect", number: true, cell: (p) => (p.against_main ? counted(p.against_main.value) : NONE) },
    { head: "Mean second derivative", number: true, cell: (p) => estimated(p.curve, { sign: true }).join(" ") },
    { head: "Same sign", number: true, cell: (p) => counted(p.same_sign) },
    doubted && { head: "Rows sure", number: true, cell: (p) => counted(p.sure_rows) }].filter(Boolean) });
}

function modelTraces(data) {
  if (!data.traces.length) return null;
  const level = fixed(100 * data.level, 0) + NBSP + "%", bands = data.traces.some((t) => t.layers.some((l) => l.lower.some(known)));
  return section("traces", "One input at a time", `Through the most central row (the dashed mark).${bands ? ` The band is the ${level} interval of the model's value.` : ""}`,
    switcher("Output", data.outputs, ({ name }) => traceRow(data, data.traces, name)));
}

function modelMethods(data) {
  const { made_by: made } = data, versions = ["landform", "python", "jax", "scikit-learn", "numpy", "scipy"];
  return section("methods", "How every number was obtained", null, pairs([
    ["model", data.source.words], ["slopes", data.how], ["standard errors", data.doubt],
    ["intervals", `${fixed(100 * data.level, 0)}${NBSP}%`], data.check && ["do they hold?", data.check.words.join(" ")], ["data", `${data.source.file}, ${data.source.rows.length} rows`],
    ["versions", versions.map((name) => made[name] && `${name} ${made[name]}`).filter(Boolean).join(", ")], ["made", made.created]].filter(Boolean)),
    h("h3", null, "The inputs"), inputTable(data.inputs));
}

function inputTable(inputs) {
  const amount = (digits, pick) => (i) => (i.levels ? NONE : figures(pick(i), digits)), levels = inputs.some((i) => i.levels);
  const counts = (i) => (i.levels ? Object.entries(i.levels).map(([level, rows]) => `${level} (${rows})`).join(", ") : NONE);
  return table({ caption: "Inputs", rows: inputs, className: "plain", columns: [
    { head: "Input", row: true, cell: (i) => i.name },
    { head: "From", number: true, cell: amount(4, (i) => i.lower) }, { head: "To", number: true, cell: amount(4, (i) => i.upper) },
    { head: "Mean", number: true, cell: amount(4, (i) => i.mean) }, { head: "Standard deviation", number: true, cell: amount(3, (i) => i.spread) },
    levels && { head: "Levels (rows)", cell: counts }].filter(Boolean) });
}

// The swap table: one step of the row's ingredient in place of one step of the column's.

function swaps(data) {
  if (!data.swaps.length) return null;
  const names = data.properties.filter((property) => data.swaps.some((swap) => swap.property === property.name));
  const step = data.inputs.find((input) => input.name === data.swaps[0].in).step_words.replace(/^\+/, "");
  return section("swaps", "Swaps",
    `What changes when ${step} of the ingredient at the left goes in, in place of as much of the ingredient above. Gray in parentheses: not sure. A dash: not possible here.`,
    switcher("Slopes taken", placesIn(data, data.swaps), (place) =>
      switcher("Property", names, (property) => h("div", null, h("p", { class: "paper" }, place.name), swapMatrix(data, property, place.at))), { everything: false }));
}

function swapMatrix(data, property, at) {
  const own = data.swaps.filter((swap) => swap.property === property.name && swap.at === at);
  const ordered = (side) => data.inputs.map((input) => input.name).filter((name) => own.some((swap) => swap[side] === name));
  const into = ordered("in"), out = ordered("out"), unit = own.length ? own[0].estimate.unit : property.unit;
  const entries = new Map(own.map((swap) => [JSON.stringify([swap.in, swap.out]), swap]));
  const most = Math.max(...own.filter((swap) => swap.possible).map((swap) => Math.abs(swap.estimate.value)), 1e-300);
  const reasons = [...new Set(own.filter((swap) => !swap.possible && swap.why_not).map((swap) => swap.why_not))];
  const columns = [
    { head: "in ↓  out →", row: true, cell: (row) => row.name },
    ...out.map((name) => {
      const find = (row) => entries.get(JSON.stringify([row.name, name]));
      return { head: name, number: true, className: "cell", cell: (row) => swapText(find(row), reasons), look: (row) => swapLook(find(row), most) };
    }),
  ];
  return h("div", null,
    h("p", { class: "soft tight" }, `Change of ${property.name}${unit ? `, ${unit}` : ""}`),
    table({ caption: `Swap table of ${property.name}`, columns, rows: into.map((name) => ({ name })), className: `heatmap matrix ${out.length > 7 ? "dense" : ""}` }),
    reasons.length > 0 && h("ul", { class: "reasons" }, reasons.map((words, k) => h("li", null, h("sup", null, letter(k)), " ", words))));
}

const letter = (k) => String.fromCharCode(97 + (k % 26)) + (k >= 26 ? Math.floor(k / 26) : "");

function swapText(swap, reasons) {
  if (!swap) return null;
  const reason = reasons.indexOf(swap.why_not);
  if (!swap.possible) return [DASH, reason >= 0 && h("sup", null, letter(reason))];
  const [value, doubt] = estimated(swap.estimate, { sign: true });
  return [swap.sure ? value : `(${value})`, doubt && h("small", null, doubt)];
}

function swapLook(swap, most) {
  if (!swap) return { class: "diagonal" };
  if (!swap.possible) return { class: "empty", title: swap.why_not };
  return tint(swap.estimate.value, 0.06 + 0.34 * Math.min(1, Math.abs(swap.estimate.value) / most), swap.sure, swap.words);
}

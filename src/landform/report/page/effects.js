// What moves what: a bar with its interval for each input, then everything at a glance.

function effects(data) {
  if (!data.effects.length) return null;
  const mixture = data.effects.some((effect) => effect.direction === "Cox");
  const lead = (mixture ? "Raising one ingredient makes the others give way in proportion, so that the total stands. " : "") +
    "Each bar is the change of the property for one step of the input.";
  return section("effects", "What moves what", lead,
    switcher("Slopes taken", placesIn(data, data.effects), (place) => h("div", null, h("p", { class: "paper" }, place.name),
      h("div", { class: "grid" }, data.properties.map((property) => effectBars(data, property, place.at))),
      barKey(data.level), heatMap(data, place.at)), { everything: false }));
}

function effectBars(data, property, at) {
  const own = data.effects.filter((effect) => effect.property === property.name && effect.at === at);
  if (!own.length) return null;
  const unit = own[0].estimate.unit, one = new Set(own.map((effect) => effect.step_words)).size === 1;
  const sorted = [...own].sort((a, b) => Math.abs(b.estimate.value) - Math.abs(a.estimate.value));
  const rows = sorted.map((effect) => ({
    name: effect.input, note: one ? "" : effect.step_words, estimate: effect.estimate, sure: effect.sure, words: effect.words + stuck(effect, at) }));
  const words = sorted.map((effect) => effect.words).join("; ");
  return h("figure", { class: "card" },
    h("h3", null, property.name, h("span", { class: "unit" }, ` ${unit ? unit + " " : ""}per ${one ? own[0].step_words.replace(/^\+/, "") : "step"}`)),
    picture(`${property.name}: ${words}`, (width) => bars(rows, width)));
}

function stuck({ possible: { up, down } }, at) {
  if (at !== "recipe" || (up && down)) return "";
  return up ? " (it can only be raised here)" : down ? " (it can only be lowered here)" : " (it cannot move here)";
}

// Slope × the input's observed range, tinted by its share of the property's observed range.
function heatMap(data, at) {
  const find = (property, input) => data.effects.find((e) => e.property === property && e.input === input && e.at === at);
  const columns = [
    { head: "Input", row: true, cell: (input) => input.name },
    ...data.properties.map((property) => ({
      head: [property.name, unitOf(property.unit)], number: true, className: "cell",
      ...heatCell((input) => find(property.name, input.name), property) })),
  ];
  return h("div", null, h("h3", null, "Everything at a glance"),
    h("p", { class: "soft" }, "What each input could do over the range it had in the trials, at this slope. The tint is the share of the property's own range; in parentheses, untinted: not sure."),
    table({ caption: "Heat map of inputs and properties", columns, rows: data.inputs, className: "heatmap" }));
}

function heatCell(find, property) {
  const span = property.observed[1] - property.observed[0] || 1, decimals = decimalsFor(span, 3);
  return {
    cell: (input) => {
      const effect = find(input), x = effect && effect.over_range, text = signed(fixed(x, decimals), x);
      return effect && !effect.sure && known(x) ? `(${text})` : text;
    },
    look: (input) => {
      const effect = find(input);
      return effect && known(effect.over_range)
        ? tint(effect.over_range, 0.08 + 0.4 * Math.min(1, Math.abs(effect.over_range) / span), effect.sure, effect.words)
        : { class: "empty" };
    },
  };
}

// Tinted by size where sure; bare where not.
function tint(value, share, sure, title) {
  if (!sure) return { class: "unsure", title };
  return { class: value < 0 ? "against" : "along", style: `--share:${share.toFixed(3)}`, title };
}

// Horizontal bars with intervals around zero. Sure is solid, not sure is hollow: never told by color alone.

// rows: [{ name, note, estimate, sure }]
function bars(rows, width, { names = 0.42 } = {}) {
  const values = rows.map((row) => estimated(row.estimate, { sign: true }).join(" "));
  const valueRoom = Math.max(...values.map((text) => textWidth(text, 12.5))) + 12;
  const wanted = Math.max(...rows.map((row) => textWidth(row.name, 13) + (row.note ? textWidth(row.note, 11) + 8 : 0))) + 10;
  const narrow = wanted + valueRoom > 0.62 * width && width < 460, step = narrow ? 42 : 27, top = 6;
  const nameRoom = narrow ? 0 : Math.min(wanted, width * names);
  const left = nameRoom + 4, right = narrow ? width - 4 : width - valueRoom;
  const extent = reach(rows), sx = scale(-extent.down, extent.up, left, right);
  const height = top + rows.length * step + 4;
  return canvas(width, height,
    rows.map((row, k) => barRow({ row, value: values[k], y: top + k * step, step, narrow, left, right, nameRoom, width, sx })),
    !narrow && line(sx(0), 0, sx(0), height, "zero"));
}

// How far the picture goes on each side: the values, and their intervals unless these dwarf them.
function reach(rows) {
  const ends = rows.flatMap(({ estimate: e }) => [e.value, known(e.lower) ? e.lower : e.value, known(e.upper) ? e.upper : e.value]);
  const most = 2.5 * Math.max(...rows.map((row) => Math.abs(row.estimate.value)), 1e-300);
  const up = Math.min(most, Math.max(0, ...ends)), down = Math.min(most, Math.max(0, ...ends.map((x) => -x)));
  const least = 0.04 * Math.max(up, down);
  return { up: Math.max(up, least), down: Math.max(down, least) };
}

function barRow({ row, value, y, step, narrow, left, right, nameRoom, width, sx }) {
  const { estimate: e, sure } = row, text = y + (narrow ? 14 : step / 2 + 4), middle = y + (narrow ? 28 : step / 2);
  const at = (x) => Math.max(left, Math.min(right, sx(x)));
  const side = e.value < 0 ? "against" : "along", x = at(e.value), zero = sx(0);
  const inside = (v) => sx(v) >= left - 0.5 && sx(v) <= right + 0.5;
  const room = narrow ? width - textWidth(value, 12.5) - 12 : nameRoom;
  const cut = row.note && textWidth(row.name, 13) + textWidth(row.note, 11) + 8 > room;
  const bar = s("rect", { x: Math.min(zero, x), y: middle - 6, width: Math.max(1, Math.abs(x - zero)), height: 12,
    class: `bar ${side} ${sure ? "sure" : "unsure"}` });
  return s("g", null,
    s("title", null, row.words || `${row.name}: ${value}`),
    fitted(0, text, row.name, room, { class: "name", "font-size": 13 }),
    row.note && !cut && label(textWidth(row.name, 13) + 8, text, row.note, { class: "note", "font-size": 11 }),
    bar,
    narrow && line(zero, middle - 8, zero, middle + 8, "zero"),
    known(e.lower) && known(e.upper) && [
      line(at(e.lower), middle, at(e.upper), middle, "whisker"),
      [e.lower, e.upper].filter(inside).map((v) => line(sx(v), middle - 4, sx(v), middle + 4, "whisker"))],
    label(width, text, value, { class: `value ${sure ? "" : "unsure"}`, "text-anchor": "end", "font-size": 12.5 }));
}

function barKey(level) {
  return key([["bar along sure", "raises"], ["bar against sure", "lowers"],
    ["bar neutral unsure", "hollow: not sure, the interval includes zero"],
    ["line whisker", `${fixed(100 * level, 0)}${NBSP}% interval`]]);
}

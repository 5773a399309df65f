// Pictures: drawn for the width they have, drawn again when that changes; and the parts all of them share.

const waiting = new Set();
const shown = new Set();
const watcher = new ResizeObserver((entries) => {
  for (const entry of entries) {
    const figure = entry.target.landform;
    if (figure && Math.abs(entry.contentRect.width - figure.width) > 4) drawFigure(entry.target);
  }
});

// draw(width) gives an <svg>; label says in words what it shows.
function picture(label, draw, { most = 1200, className } = {}) {
  const frame = h("div", { class: `picture ${className || ""}`.trim() });
  frame.landform = { label, draw, most, width: 0 };
  waiting.add(frame);
  return frame;
}

function drawFigure(frame) {
  const figure = frame.landform, room = frame.clientWidth;
  if (!room) return;
  figure.width = room;
  const svg = figure.draw(Math.min(room, figure.most));
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", figure.label);
  frame.replaceChildren(svg);
}

function drawFigures() {
  for (const frame of shown) if (!frame.isConnected) { watcher.unobserve(frame); shown.delete(frame); }
  for (const frame of [...waiting]) {
    waiting.delete(frame);
    if (!frame.isConnected) continue;
    drawFigure(frame);
    watcher.observe(frame);
    shown.add(frame);
  }
}

const canvas = (width, height, ...children) =>
  s("svg", { viewBox: `0 0 ${width} ${height}`, width, height }, ...children);

const scale = (low, high, from, to) => (x) => from + ((x - low) / (high - low || 1)) * (to - from);

const line = (x1, y1, x2, y2, className) => s("line", { x1, y1, x2, y2, class: className });
const label = (x, y, text, attributes) => s("text", { x, y, ...attributes }, text);

const ruler = document.createElement("canvas").getContext("2d");
function textWidth(text, size = 12) {
  ruler.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return ruler.measureText(text).width;
}

// Text that fits: cut with an ellipsis, whole in the tooltip.
function fitted(x, y, text, room, attributes = {}) {
  const size = Number(attributes["font-size"] || 12);
  if (textWidth(text, size) <= room) return label(x, y, text, attributes);
  const letters = [...text];
  while (letters.length > 1 && textWidth(letters.join("") + "…", size) > room) letters.pop();
  return s("text", { x, y, ...attributes }, letters.join("").trimEnd() + "…", s("title", null, text));
}

// Frame, grid, ticks and titles of a plot with two axes; gives the two scales.
function axes({ width, height, left = 56, right = 14, top = 12, bottom = 44, x, y, titleX, titleY, count = 5 }) {
  const sx = scale(x[0], x[1], left, width - right), sy = scale(y[0], y[1], height - bottom, top);
  const tx = ticks(x[0], x[1], Math.max(3, Math.min(count, (width - left - right) / 60))), ty = ticks(y[0], y[1], count);
  const sayX = tickText(tx), sayY = tickText(ty);
  const group = s("g", { class: "axes" },
    tx.map((t) => [line(sx(t), top, sx(t), height - bottom, "grid"),
      label(sx(t), height - bottom + 16, sayX(t), { "text-anchor": "middle", class: "tick" })]),
    ty.map((t) => [line(left, sy(t), width - right, sy(t), "grid"),
      label(left - 7, sy(t) + 4, sayY(t), { "text-anchor": "end", class: "tick" })]),
    line(left, height - bottom, width - right, height - bottom, "axis"),
    titleX && fitted((left + width - right) / 2, height - bottom + 36, titleX, width - left, { "text-anchor": "middle", class: "title" }),
    titleY && fitted(0, 0, titleY, height - top, {
      "text-anchor": "middle", class: "title", transform: `translate(13 ${(top + height - bottom) / 2}) rotate(-90)` }));
  return { sx, sy, group };
}

// Many dots cost one path per look: a line of no length with round ends is a dot.
function dots(points, className, size, opacity) {
  const d = points.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h.01`).join("");
  return s("path", { d, class: className, "stroke-width": size, "stroke-linecap": "round", opacity });
}

const path = (points, close) =>
  points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") + (close ? "Z" : "");

// Numbered marks where recipes stand; one that would hide another is drawn beside, with a leader. The best is on top.
function recipeMarks(recipes) {
  const placed = [], away = [[0, 0], [22, -8], [22, 14], [-22, -8], [-22, 14], [0, -24], [0, 26], [44, 0], [-44, 0]];
  const marks = recipes.map(({ rank, at }) => {
    const free = away.map(([dx, dy]) => [at[0] + dx, at[1] + dy]).find(([x, y]) => placed.every(([a, b]) => Math.hypot(a - x, b - y) > 17)) || at;
    placed.push(free);
    return s("g", { class: "recipe-mark" }, free[0] !== at[0] && line(...at, ...free, "leader"),
      s("circle", { cx: free[0], cy: free[1], r: 9 }), label(free[0], free[1] + 4, rank, { "text-anchor": "middle" }), s("title", null, `recipe ${rank}`));
  });
  return marks.reverse();
}

// Says what the nearest point is: one listener for a picture, however many points.
function hover(svg, width, points, words) {
  const tip = document.getElementById("tip");
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), ratio = width / box.width;
    const x = (event.clientX - box.left) * ratio, y = (event.clientY - box.top) * ratio;
    let best = null, least = 144;
    points.forEach(([px, py], k) => {
      const d = (px - x) ** 2 + (py - y) ** 2;
      if (d < least) { least = d; best = k; }
    });
    tip.hidden = best === null;
    if (best === null) return;
    tip.textContent = words(best);
    tip.style.left = `${Math.min(event.pageX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${event.pageY + 16}px`;
  });
  svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  return svg;
}

function key(entries) {
  return h("p", { class: "key" }, entries.map(([className, words]) => {
    const sample = className.startsWith("dot")
      ? s("circle", { cx: 11, cy: 6, r: 4, class: className.slice(4) })
      : className.startsWith("line") ? s("line", { x1: 0, x2: 22, y1: 6, y2: 6, class: className.slice(5) })
        : s("rect", { x: 0.5, y: 1.5, width: 21, height: 9, class: className });
    return h("span", null, s("svg", { viewBox: "0 0 22 12", width: 22, height: 12, "aria-hidden": true }, sample), words);
  }));
}

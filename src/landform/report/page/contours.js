// Filled bands and contour lines of values on triangles. Nodes without a value take their triangles with them.

// Perceptually even: lightness falls in equal steps (Oklch 0.965 to 0.40) while the hue goes from yellow to blue.
const STOPS = ["#f8f6cc", "#cce8ac", "#96d99f", "#5cc7a0", "#1fb0a4", "#0a96a0", "#0c7c98", "#1f6189", "#2b4a72"];

function colorAt(share) {
  const place = Math.max(0, Math.min(1, share)) * (STOPS.length - 1), k = Math.min(STOPS.length - 2, Math.floor(place));
  const parts = [STOPS[k], STOPS[k + 1]].map((stop) => [1, 3, 5].map((c) => parseInt(stop.slice(c, c + 2), 16)));
  return `rgb(${parts[0].map((c, i) => Math.round(c + (parts[1][i] - c) * (place - k))).join(" ")})`;
}

// points: [[x, y]] on the screen; triangles: [[i, j, k]].
function meshOf(points, triangles) {
  const turned = triangles.map(([i, j, k]) => {
    const [a, b, c] = [points[i], points[j], points[k]];
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) < 0 ? [i, k, j] : [i, j, k];
  });
  return { points, triangles: turned };
}

// The mesh where values are known, and its outer edges.
function knownPart(mesh, values) {
  const triangles = mesh.triangles.filter((corners) => corners.every((i) => known(values[i])));
  const size = mesh.points.length, seen = new Map();
  for (const t of triangles) {
    for (let e = 0; e < 3; e += 1) {
      const a = t[e], b = t[(e + 1) % 3], id = Math.min(a, b) * size + Math.max(a, b);
      if (seen.has(id)) seen.delete(id); else seen.set(id, [a, b]);
    }
  }
  return { points: mesh.points, triangles, rim: [...seen.values()], size };
}

// Directed pieces of the line at one level, and of the rim where the value is at least that.
function cut(part, values, level) {
  const { points, triangles, rim, size } = part, places = new Map();
  const high = (i) => values[i] >= level;
  const corner = (i) => { places.set(i, points[i]); return i; };
  const crossing = (i, j) => {
    const a = Math.min(i, j), b = Math.max(i, j), id = size + a * size + b;
    if (!places.has(id)) {
      const t = (level - values[a]) / (values[b] - values[a]);
      places.set(id, [0, 1].map((c) => points[a][c] + t * (points[b][c] - points[a][c])));
    }
    return id;
  };
  const inner = [], outer = [];
  for (const t of triangles) {
    let from = null, to = null;
    for (let e = 0; e < 3; e += 1) {
      const a = t[e], b = t[(e + 1) % 3];
      if (high(a) && !high(b)) from = crossing(a, b);
      if (!high(a) && high(b)) to = crossing(a, b);
    }
    if (from !== null) inner.push([from, to]);
  }
  for (const [a, b] of rim) {
    if (high(a) && high(b)) outer.push([corner(a), corner(b)]);
    else if (high(a)) outer.push([corner(a), crossing(a, b)]);
    else if (high(b)) outer.push([crossing(a, b), corner(b)]);
  }
  return { inner, outer, places };
}

// Pieces joined end to start.
function chains(pieces, places) {
  const next = new Map(), ends = new Set(pieces.map((piece) => piece[1]));
  for (const [from, to] of pieces) next.has(from) ? next.get(from).push(to) : next.set(from, [to]);
  const starts = [...next.keys()].filter((id) => !ends.has(id)), out = [];
  const follow = (start) => {
    const ids = [start];
    for (let at = start; next.has(at);) {
      const onward = next.get(at), to = onward.pop();
      if (!onward.length) next.delete(at);
      ids.push(to);
      at = to;
      if (at === start) break;
    }
    out.push(ids.map((id) => places.get(id)));
  };
  starts.forEach(follow);
  while (next.size) follow(next.keys().next().value);
  return out;
}

function levelsOf(values, count = 8) {
  const finite = values.filter(known);
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity), high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(high > low)) return { low, high, levels: [] };
  return { low, high, levels: ticks(low, high, count).filter((x) => x > low + 1e-9 * (high - low) && x < high) };
}

// Everything of one layer: bands from below upward, so that no gap shows, then lines, then their labels.
function contours(mesh, values, { labels = true } = {}) {
  const part = knownPart(mesh, values), { levels } = levelsOf(values), say = tickText(levels.length ? levels : [0]);
  const shade = (k) => colorAt(levels.length ? k / levels.length : 0.5);
  const bands = s("g", { class: "bands" }), lines = s("g", { class: "contours" }), words = s("g", { class: "contour-labels" });
  const edge = chains(part.rim, new Map(part.rim.flat().map((i) => [i, part.points[i]])));
  bands.append(s("path", { d: edge.map((points) => path(points, true)).join(""), fill: shade(0) }));
  const taken = [];
  levels.forEach((level, k) => {
    const { inner, outer, places } = cut(part, values, level);
    bands.append(s("path", { d: chains([...inner, ...outer], places).map((points) => path(points, true)).join(""), fill: shade(k + 1) }));
    const found = chains(inner, places);
    lines.append(s("path", { d: found.map((points) => path(points)).join("") }));
    if (labels) words.append(...[lineLabel(found, say(level), taken)].filter(Boolean));
  });
  return s("g", null, bands, lines, words);
}

// A label on the longest line of its level, along the line, away from other labels.
function lineLabel(found, text, taken) {
  const lengths = (points) => points.slice(1).reduce((sum, p, k) => sum + Math.hypot(p[0] - points[k][0], p[1] - points[k][1]), 0);
  const longest = found.map((points) => [lengths(points), points]).sort((a, b) => b[0] - a[0])[0];
  if (!longest || longest[0] < 46) return null;
  for (const share of [0.5, 0.35, 0.65, 0.22, 0.78]) {
    const { x, y, angle } = along(longest[1], share * longest[0]);
    if (taken.some(([a, b]) => Math.hypot(a - x, b - y) < 34)) continue;
    taken.push([x, y]);
    return label(0, 3.5, text, { "text-anchor": "middle", transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${angle.toFixed(1)})` });
  }
  return null;
}

function along(points, distance) {
  let gone = 0;
  for (let k = 1; k < points.length; k += 1) {
    const [a, b] = [points[k - 1], points[k]], piece = Math.hypot(b[0] - a[0], b[1] - a[1]);
    if (gone + piece >= distance && piece > 0) {
      const t = (distance - gone) / piece, far = points[Math.min(points.length - 1, k + 2)], near = points[Math.max(0, k - 3)];
      const turn = (Math.atan2(far[1] - near[1], far[0] - near[0]) * 180) / Math.PI;
      return { x: a[0] + t * (b[0] - a[0]), y: a[1] + t * (b[1] - a[1]), angle: turn > 90 ? turn - 180 : turn < -90 ? turn + 180 : turn };
    }
    gone += piece;
  }
  return { x: points[0][0], y: points[0][1], angle: 0 };
}

// The bands as a strip, with the levels between them.
function colorStrip(values, width) {
  const { low, high, levels } = levelsOf(values), say = tickText(levels.length ? levels : [0]), bands = levels.length + 1;
  const size = Math.max(1, Math.min(44, (width - 40) / bands)), left = (width - size * bands) / 2;
  const every = Math.ceil(Math.max(...levels.map((x) => textWidth(say(x), 11) + 8), 1) / size);
  return canvas(width, 32,
    Array.from({ length: bands }, (_, k) => s("rect", { x: left + k * size, y: 2, width: size + 0.5, height: 10, fill: colorAt(levels.length ? k / levels.length : 0.5) })),
    levels.map((level, k) => k % every === 0 && label(left + (k + 1) * size, 26, say(level), { "text-anchor": "middle", class: "tick" })),
    !levels.length && label(width / 2, 26, known(low) ? figures((low + high) / 2) : "no value", { "text-anchor": "middle", class: "tick" }));
}

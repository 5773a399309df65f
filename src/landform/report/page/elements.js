// Building the page. Names and words of the user only ever become text nodes and attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(key, value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// columns: [{ head, cell: row => node or text, number, width, row: true where it names the row }]
function table({ caption, columns, rows, className, foot }) {
  const side = (column) => [column.number && "number", column.className === "spare" && "spare"].filter(Boolean).join(" ") || null;
  const head = columns.map((c) => h("th", { scope: "col", class: side(c), style: c.width && `width:${c.width}` }, c.head));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", { class: className },
      h("caption", { class: "hidden" }, caption),
      h("thead", null, h("tr", null, head)),
      h("tbody", null, rows.map((row, index) => tableRow(columns, row, index))),
      foot && h("tfoot", null, foot)));
}

function tableRow(columns, row, index) {
  return h("tr", { class: row.className }, columns.map((column) => {
    const look = column.look ? column.look(row) : {};
    const kind = [column.number && "number", column.className, look.class].filter(Boolean).join(" ") || null;
    return h(column.row ? "th" : "td", { scope: column.row ? "row" : null, ...look, class: kind }, column.cell(row, index));
  }));
}

function section(id, title, lead, ...children) {
  return h("section", { id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title), lead && h("p", { class: "lead" }, lead), children);
}

const unitOf = (unit) => unit && h("span", { class: "unit" }, NBSP + unit);
const list = (items) => h("ul", null, items.map((item) => h("li", null, item)));

function pairs(entries) {
  const shown = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", null, shown.map(([key, value]) => h("div", null, h("dt", null, key), h("dd", null, value))));
}

function folded(title, ...children) {
  return h("details", null, h("summary", null, title), children);
}

// Buttons (or a list, where there are many) that choose what a panel shows; on paper all of it is shown.
const printed = [];

function switcher(label, items, draw, { everything = true, title = (item) => item.name, first = items[0] } = {}) {
  const panel = h("div", { class: "panel" });
  let current = first;
  const show = () => { panel.replaceChildren(draw(current)); drawFigures(); };
  const mark = () => {
    for (const [index, button] of buttons.entries()) button.setAttribute("aria-pressed", items[index] === current);
  };
  const choose = (item) => { current = item; mark(); show(); };
  const buttons = items.map((item) =>
    h("button", { type: "button", "aria-pressed": String(item === current), click: () => choose(item) }, title(item)));
  panel.append(draw(current));
  if (everything && items.length > 1) {
    printed.push({
      panel,
      before: () => {
        panel.replaceChildren(...items.map((item) => h("div", { class: "printed" }, draw(item))));
        panel.classList.add("all");
      },
      after: () => { panel.classList.remove("all"); show(); },
    });
  }
  if (items.length < 2) return h("div", { class: "switcher" }, panel);
  return h("div", { class: `switcher ${everything ? "" : "keep"}` },
    items.length > 7 ? chooser(label, items, title, choose, first) : h("div", { class: "buttons", role: "group", "aria-label": label }, buttons),
    panel);
}

function chooser(label, items, title, choose, first) {
  const options = items.map((item, index) => h("option", { value: index, selected: item === first }, title(item)));
  const select = h("select", { change: () => choose(items[select.selectedIndex]) }, options);
  return h("label", { class: "chooser" }, label + " ", select);
}

// Trials without a label of their own are called by their row.
const trialName = ({ trial, row }) => (trial === `row ${row}` ? trial : `trial ${trial}`);
const trialAndRow = (one) => (trialName(one) === one.trial ? one.trial : `trial ${one.trial} (row ${one.row})`);

const PLACES = (data) => [
  { name: data.recipes.length ? "At the best recipe" : "At the center of the trials", at: "recipe" },
  { name: "Average over the trials", at: "region" },
];

function placesIn(data, items) {
  return PLACES(data).filter((place) => items.some((item) => item.at === place.at));
}

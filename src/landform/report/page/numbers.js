// Numbers as people read them: as many digits as are known, a real minus sign, units beside them.

const MINUS = "\u2212", GAP = "\u202f", NBSP = "\u00a0", DASH = "\u2013", NONE = "\u2014";

const known = (x) => typeof x === "number" && Number.isFinite(x);

// Decimals that keep `digits` significant figures of a size.
function decimalsFor(size, digits = 2) {
  if (!known(size) || size === 0) return 2;
  return Math.min(10, digits - 1 - Math.floor(Math.log10(Math.abs(size)) + 1e-9));
}

// A number with a count of decimals; a negative count rounds to tens, hundreds, ...
function fixed(x, decimals) {
  if (!known(x)) return NONE;
  const size = Math.abs(x);
  if (size >= 1e7 || (size > 0 && size < 1e-4 && decimals > 7)) return exponential(x, 3);
  const unit = 10 ** -Math.min(0, decimals);
  let text = (Math.round(size / unit) * unit).toFixed(0);
  if (decimals > 0) text = size.toFixed(decimals);
  const [whole, part] = text.split(".");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, GAP) : whole;
  const zero = !/[1-9]/.test(text);
  return (x < 0 && !zero ? MINUS : "") + grouped + (part ? "." + part : "");
}

function exponential(x, digits) {
  const [mantissa, power] = x.toExponential(digits - 1).split("e");
  const raised = [...String(Number(power))].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("");
  return mantissa.replace("-", MINUS) + GAP + "×" + GAP + "10" + raised;
}

// A number by itself, to so many significant figures.
function figures(x, digits = 3) {
  if (!known(x)) return NONE;
  if (x === 0) return "0";
  if (Math.abs(x) >= 1e7 || Math.abs(x) < 1e-4) return exponential(x, digits);
  const text = fixed(x, decimalsFor(x, digits));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

// A share that was counted may well be all of it.
const counted = (p) => (known(p) ? fixed(100 * p, 0) + NBSP + "%" : NONE);

const withUnit = (text, unit) => (unit && text !== NONE ? text + NBSP + unit : text);
const signed = (text, x) => (x > 0 && /[1-9]/.test(text) ? "+" + text : text);

function percent(p) {
  if (!known(p)) return NONE;
  if (p > 0.999) return "> 99.9" + NBSP + "%";
  if (p < 0.001) return "< 0.1" + NBSP + "%";
  return fixed(100 * p, p > 0.99 || p < 0.01 ? 1 : 0) + NBSP + "%";
}

// Decimals that the interval of an estimate allows.
function decimalsOf(estimate) {
  const half = halfWidth(estimate);
  return half ? decimalsFor(half, 2) : decimalsFor(estimate.value, 3);
}

function halfWidth(estimate) {
  return known(estimate.lower) && known(estimate.upper) ? (estimate.upper - estimate.lower) / 2 : null;
}

// "−9.3 ± 2.1", "4.1 (2.0 to 9.6)" where the interval is lopsided, or the value alone. Never the unit.
function estimated(estimate, { sign = false } = {}) {
  const half = halfWidth(estimate), decimals = decimalsOf(estimate);
  const value = half === null ? figures(estimate.value) : fixed(estimate.value, decimals);
  const shown = sign ? signed(value, estimate.value) : value;
  if (half === null) return [shown, ""];
  const lean = Math.abs(estimate.upper + estimate.lower - 2 * estimate.value);
  if (lean > 0.2 * half) return [shown, range(estimate.lower, estimate.upper, decimals)];
  return [shown, "±" + NBSP + fixed(half, decimals)];
}

// A score and its standard error: ["76", "± 13"].
function withError(value, error) {
  const decimals = known(error) && error > 0 ? decimalsFor(error, 2) : decimalsFor(value, 3);
  return [fixed(value, decimals), known(error) && known(value) ? "±" + NBSP + fixed(error, decimals) : ""];
}

function range(low, high, decimals) {
  return `${fixed(low, decimals)} to ${fixed(high, decimals)}`;
}

// Amounts of one input all show the same decimals, three figures of its range; all ingredients show those of the finest.
const amountPlaces = new Map();

function learnAmounts(inputs) {
  const own = (input) => Math.max(0, decimalsFor(input.upper - input.lower || input.upper || 1, 3));
  const finest = Math.max(0, ...inputs.filter((input) => input.kind === "ingredient").map(own));
  for (const input of inputs) amountPlaces.set(input.name, input.kind === "ingredient" ? finest : own(input));
}

const amountDecimals = (input) => amountPlaces.get(input.name);

const amount = (input, x) => fixed(x, amountDecimals(input));

// Amounts of a recipe rounded so that the printed ingredients still add to the total (largest remainders first).
function roundedAmounts(inputs, amounts, total) {
  const out = new Map(inputs.map((input) => [input.name, fixed(amounts[input.name], amountDecimals(input))]));
  const mixed = inputs.filter((input) => input.kind === "ingredient");
  if (!known(total) || !mixed.length) return out;
  const decimals = amountDecimals(mixed[0]), scale = 10 ** decimals;
  const parts = mixed.map((input) => {
    const exact = amounts[input.name] * scale, floor = Math.floor(exact + 1e-6);
    return { name: input.name, floor, rest: exact - floor };
  });
  let missing = Math.round(total * scale) - parts.reduce((sum, part) => sum + part.floor, 0);
  if (missing < 0 || missing > parts.length) return out;
  for (const part of [...parts].sort((a, b) => b.rest - a.rest)) {
    if (missing > 0) { part.floor += 1; missing -= 1; }
  }
  for (const part of parts) out.set(part.name, fixed(part.floor / scale, decimals));
  return out;
}

function limitsText([low, high], unit) {
  if (!known(low) && !known(high)) return "";
  if (!known(low)) return withUnit("≤" + NBSP + figures(high, 4), unit);
  if (!known(high)) return withUnit("≥" + NBSP + figures(low, 4), unit);
  return withUnit(`${figures(low, 4)} to ${figures(high, 4)}`, unit);
}

// Round steps for an axis or for contour levels.
function niceStep(span, count) {
  const raw = span / Math.max(1, count), power = 10 ** Math.floor(Math.log10(raw));
  const lead = raw / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 2.5 ? 2.5 : lead <= 5 ? 5 : 10) * power;
}

function ticks(low, high, count) {
  if (!(high > low)) return [low];
  const step = niceStep(high - low, count), out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) out.push(k * step);
  return out;
}

function tickText(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(values[0]) || 1;
  const whole = decimalsFor(step, 1), needs = Math.abs(step * 10 ** whole - Math.round(step * 10 ** whole)) > 1e-6;
  return (x) => (Math.abs(x) < 1e-9 * step ? "0" : fixed(x, Math.max(0, whole + (needs ? 1 : 0))));
}

/**
 * Numbers as C's `printf` writes them, digit by digit: `%f`, which is exact however many digits are
 * asked for, and the `%g` that JSON has been printed with.
 *
 * @module
 */

const FRACTION_BITS = 52;
const EXPONENT_BIAS = 1075;
/** What is behind this many decimal places of a double is zeros. */
const PLACES_MAX = 1074;
/** Digits that are enough for most numbers, and those that are enough for all. */
const DIGITS = 15;
const DIGITS_MAX = 17;
/** Below this exponent `%g` writes one. */
const EXPONENT_MIN = -4;

/** As `%.*f` does: halves go to the even neighbour. */
export function fixedText(value: number, places: number): string {
  if (Number.isNaN(value)) return "nan";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (!Number.isFinite(value)) return `${sign}inf`;
  const exact = Math.min(places, PLACES_MAX);
  const digits = scaled(Math.abs(value), exact).toString().padStart(exact + 1, "0");
  const whole = digits.slice(0, digits.length - exact);
  const fraction = digits.slice(digits.length - exact).padEnd(places, "0");
  return places === 0 ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** The value times ten to the power of `places`, rounded. */
function scaled(value: number, places: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const stored = Number(bits >> BigInt(FRACTION_BITS));
  const fraction = bits & (1n << BigInt(FRACTION_BITS)) - 1n;
  // The smallest numbers have no hidden bit.
  const mantissa = stored === 0 ? fraction : fraction | 1n << BigInt(FRACTION_BITS);
  const exponent = Math.max(stored, 1) - EXPONENT_BIAS;
  const product = mantissa * 10n ** BigInt(places);
  if (exponent >= 0) return product << BigInt(exponent);
  const shift = BigInt(-exponent);
  const floor = product >> shift;
  const rest = product - (floor << shift);
  const half = 1n << shift - 1n;
  const roundsUp = rest > half || rest === half && (floor & 1n) === 1n;
  return roundsUp ? floor + 1n : floor;
}

/** As JSON printers written in C do: as short as the number stays what it is, or nearly. */
export function jsonNumberText(value: number): string {
  if (!Number.isFinite(value)) return "null";
  const short = generalText(value, DIGITS);
  return isNear(Number(short), value) ? short : generalText(value, DIGITS_MAX);
}

function isNear(a: number, b: number): boolean {
  return Number.isFinite(a) &&
    Math.abs(a - b) <= Math.max(Math.abs(a), Math.abs(b)) * Number.EPSILON;
}

/** As `%.*g` does. */
function generalText(value: number, digits: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa = "", power = ""] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  if (exponent >= EXPONENT_MIN && exponent < digits) {
    return withoutTrailingZeros(value.toPrecision(digits));
  }
  const sign = exponent < 0 ? "-" : "+";
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${withoutTrailingZeros(mantissa)}e${sign}${size}`;
}

function withoutTrailingZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

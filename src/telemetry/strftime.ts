/**
 * `strftime`, the words in which operators say how a time is to look, in local time and with the
 * names of the C locale. What is not a conversion stays as it is.
 *
 * @module
 */

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAY_MS = 86_400_000;

/** Conversions that stand for others. */
const SHORTHANDS: Readonly<Record<string, string>> = {
  c: "%a %b %e %H:%M:%S %Y",
  D: "%m/%d/%y",
  F: "%Y-%m-%d",
  h: "%b",
  r: "%I:%M:%S %p",
  R: "%H:%M",
  T: "%H:%M:%S",
  x: "%m/%d/%y",
  X: "%H:%M:%S",
  "+": "%a %b %e %H:%M:%S %Z %Y",
};

/** Formats a time; the flags of the GNU library (`-`, `_`, `0`, `^`, `#`) are understood. */
export function strftime(format: string, time: Date): string {
  // `E` and `O` ask for another locale's digits and eras, of which there are none.
  return format.replaceAll(/%([-_0^#]?)[EO]?([a-zA-Z%+])/g, (whole, flag: string, kind: string) => {
    const shorthand = SHORTHANDS[kind];
    const text = shorthand === undefined ? convert(kind, time) : strftime(shorthand, time);
    return text === undefined ? whole : applyFlag(flag, text);
  });
}

function applyFlag(flag: string, text: string): string {
  switch (flag) {
    case "-":
      return text.replace(/^[0 ]+(?=\d)/, "");
    case "_":
      return text.replace(/^0+(?=\d)/, (zeros) => " ".repeat(zeros.length));
    case "0":
      return text.replace(/^ +(?=\d)/, (spaces) => "0".repeat(spaces.length));
    case "^":
      return text.toUpperCase();
    case "#":
      return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
    default:
      return text;
  }
}

function convert(kind: string, time: Date): string | undefined {
  switch (kind) {
    case "a":
      return DAYS[time.getDay()]!.slice(0, 3);
    case "A":
      return DAYS[time.getDay()]!;
    case "b":
      return MONTHS[time.getMonth()]!.slice(0, 3);
    case "B":
      return MONTHS[time.getMonth()]!;
    case "C":
      return pad(Math.floor(time.getFullYear() / 100), 2);
    case "d":
      return pad(time.getDate(), 2);
    case "e":
      return String(time.getDate()).padStart(2);
    case "g":
      return pad(isoWeek(time).year % 100, 2);
    case "G":
      return String(isoWeek(time).year);
    case "H":
      return pad(time.getHours(), 2);
    case "I":
      return pad(twelve(time), 2);
    case "j":
      return pad(dayOfYear(time) + 1, 3);
    case "k":
      return String(time.getHours()).padStart(2);
    case "l":
      return String(twelve(time)).padStart(2);
    case "m":
      return pad(time.getMonth() + 1, 2);
    case "M":
      return pad(time.getMinutes(), 2);
    case "n":
      return "\n";
    case "p":
      return time.getHours() < 12 ? "AM" : "PM";
    case "P":
      return time.getHours() < 12 ? "am" : "pm";
    case "s":
      return String(Math.floor(time.getTime() / 1000));
    case "S":
      return pad(time.getSeconds(), 2);
    case "t":
      return "\t";
    case "u":
      return String(time.getDay() || 7);
    case "U":
      return pad(weekFrom(time, time.getDay()), 2);
    case "V":
      return pad(isoWeek(time).week, 2);
    case "w":
      return String(time.getDay());
    case "W":
      return pad(weekFrom(time, (time.getDay() + 6) % 7), 2);
    case "y":
      return pad(time.getFullYear() % 100, 2);
    case "Y":
      return String(time.getFullYear());
    case "z":
      return offset(time);
    case "Z":
      return zoneName(time);
    case "%":
      return "%";
    default:
      return undefined;
  }
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

function twelve(time: Date): number {
  return time.getHours() % 12 || 12;
}

/** Days since the first of January; counted in dates, because a day may have 23 or 25 hours. */
function dayOfYear(time: Date): number {
  const year = time.getFullYear();
  return (Date.UTC(year, time.getMonth(), time.getDate()) - Date.UTC(year, 0, 1)) / DAY_MS;
}

/** Week of the year, counted from its first such day; `weekday` is 0 on the first of a week. */
function weekFrom(time: Date, weekday: number): number {
  return Math.floor((dayOfYear(time) + 7 - weekday) / 7);
}

/** Week and year of ISO 8601: a week belongs to the year of its Thursday. */
function isoWeek(time: Date): { readonly year: number; readonly week: number } {
  const daysToThursday = 4 - (time.getDay() || 7);
  const thursday = new Date(
    Date.UTC(time.getFullYear(), time.getMonth(), time.getDate() + daysToThursday),
  );
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return { year, week };
}

function offset(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  const size = Math.abs(minutes);
  return `${sign}${pad(Math.floor(size / 60), 2)}${pad(size % 60, 2)}`;
}

/** As short as the platform knows it: `UTC`, `EST`, `GMT+1`. */
function zoneName(time: Date): string {
  const format = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" });
  return format.formatToParts(time).find(({ type }) => type === "timeZoneName")?.value ?? "";
}

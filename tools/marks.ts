/**
 * Parts of a page that a task writes, between marks that stand in the page: an opening one that says
 * what is there and who writes it, and a closing one. The formatter leaves alone what is between.
 *
 * @module
 */

const CLOSING_MARK = "<!-- deno-fmt-ignore-end -->";

/** What stands before a part. */
export function openingMark(name: string, task: string): string {
  return `<!-- ${name}, written by deno task ${task} -->\n\n<!-- deno-fmt-ignore-start -->`;
}

/** The page with that part as it should be; a page without the marks stays as it is. */
export function fillBetween(page: string, opening: string, text: string): string {
  const start = page.indexOf(opening);
  const end = page.indexOf(CLOSING_MARK, start);
  if (start < 0 || end < 0) return page;
  return `${page.slice(0, start)}${opening}\n\n${text.trim()}\n\n${page.slice(end)}`;
}

/**
 * Links between the documents: a file that was moved, or a heading that was reworded, leaves nobody
 * looking for it.
 *
 * @module
 */

import { lineAt, type Project, resolvePath, type Rule } from "./source.ts";

const LINK = /\]\(([^()\s]*)\)/g;
const ELSEWHERE = /^[a-z]+:/;

/** Each link of a document leads to a file or folder of the checkout, and to a heading of it. */
export const linksLead: Rule = {
  name: "links between documents lead somewhere",
  find({ files }: Project): string[] {
    return [...files].filter(([path]) => path.endsWith(".md")).flatMap(([path, text]) =>
      [...text.matchAll(LINK)]
        .filter(([, target]) => !ELSEWHERE.test(target!) && !leads(files, path, target!))
        .map(({ index, 1: target }) => `${path}:${lineAt(text, index)}: ${target}`)
    );
  },
};

function leads(files: Project["files"], from: string, target: string): boolean {
  const [path = "", heading] = target.split("#");
  const to = path === "" ? from : resolvePath(from, path);
  const text = files.get(to);
  if (text === undefined) {
    return heading === undefined && [...files.keys()].some((file) => file.startsWith(`${to}/`));
  }
  return heading === undefined || headingsOf(text).includes(heading);
}

/** As they are in addresses: in small letters, without punctuation, blanks as hyphens. */
function headingsOf(text: string): string[] {
  return [...text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!.toLowerCase().replaceAll(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-")
  );
}

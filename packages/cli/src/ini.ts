// The AWS configuration files: `[section]`, `name = value`, and one level of indented names below a name without value.

/** A section's values; an indented block is a record of its own. */
export type Section = Record<string, string | Record<string, string>>;

/** Parses a configuration file. Undefined: a line is no section, no value and no comment. */
export function parseIni(text: string): Map<string, Section> | undefined {
  const sections = new Map<string, Section>();
  let section: Section | undefined;
  let block: Record<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;].*)?$/.test(line)) continue;
    const header = /^\[\s*([^\]]*?)\s*\]/.exec(line)?.[1];
    const pair = splitPair(line);
    if (header !== undefined) {
      section = sections.get(header) ?? {};
      sections.set(header, section);
      block = undefined;
    } else if (!section || !pair) {
      return undefined;
    } else if (/^\s/.test(line)) {
      if (block) block[pair[0]] = pair[1];
    } else {
      block = pair[1] === '' ? {} : undefined;
      section[pair[0]] = block ?? pair[1];
    }
  }
  return sections;
}

function splitPair(line: string): [string, string] | undefined {
  const at = line.search(/[=:]/);
  return at < 1 ? undefined : [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()];
}

// Words as a POSIX shell splits and quotes them; nothing else of a shell.

/** Splits at blanks outside quotes; quotes and backslashes are resolved. */
export function splitWords(command: string): string[] {
  const words = command.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs) ?? [];
  return words.map((word) =>
    word.replace(
      /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs,
      (_, escaped, double, single) => escaped ?? (double as string | undefined)?.replace(/\\(["\\])/g, '$1') ?? single,
    ),
  );
}

/** One word as a shell reads it back. */
export const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;

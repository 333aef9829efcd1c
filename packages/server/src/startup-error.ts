/** Why the server cannot start, as one line fit for the terminal: what is wrong, where, and what to do. Exit code 1, no stack. */
export class StartupError extends Error {
  override name = 'StartupError';
}

/** The message of anything that was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim();
}

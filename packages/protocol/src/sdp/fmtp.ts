/** The parameters of an fmtp line, names in lower case; empty ones, as before a leading `;`, are skipped (RFC 8866 6.15). */
export function parseFmtp(fmtp: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of fmtp.split(';')) {
    const text = part.trim();
    if (text === '') continue;
    const equals = text.indexOf('=');
    const name = (equals < 0 ? text : text.slice(0, equals)).trim().toLowerCase();
    parameters.set(name, equals < 0 ? '' : text.slice(equals + 1).trim());
  }
  return parameters;
}

/** Writes fmtp parameters; a parameter with an empty value is written as its name alone. */
export function writeFmtp(parameters: Iterable<readonly [name: string, value: string]>): string {
  return Array.from(parameters, ([name, value]) => (value === '' ? name : `${name}=${value}`)).join(';');
}

/** An element with text, or with elements that are made already. */
export function element(name: string, content: string | number | boolean | readonly string[]): string {
  return `<${name}>${typeof content === 'object' ? content.join('') : escapeText(String(content))}</${name}>`;
}

/** A whole document. S3's clients do not look at the namespace, but it is there. */
export function xmlDocument(root: string, content: readonly string[]): string {
  const body = `<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content.join('')}</${root}>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${body}`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters are no XML 1.0 whatever their form; clients that meet such keys ask for `encoding-type=url`. */
function escapeText(text: string): string {
  return text.replace(
    /[&<>"\p{Cc}]/gu,
    (character) => entities[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );
}

// `--cli-input-yaml`: a YAML 1.2 document as the input of a command.

import { parseDocument } from 'yaml';
import { parameterError } from './errors.ts';
import { Float } from './python.ts';

/** The document's value; numbers with a fraction or exponent become Float. */
export function parseInputYaml(text: string): unknown {
  const document = parseDocument(text, { version: '1.2', intAsBigInt: true });
  if (document.errors.length > 0) throw parameterError('cli-input-yaml', 'Invalid YAML received.');
  return document.toJS({ reviver: (_, value) => withPythonNumber(value) }) ?? null;
}

function withPythonNumber(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' ? new Float(value) : value;
}

// What is wrong with an expression, in the words of jmespath.py: scripts and people know them from `aws --query`.

import { repr, str } from '../python.ts';

/** An expression that does not parse. */
export class ParseError extends Error {}

/** An expression that meets values it is not made for. */
export class EvaluationError extends Error {}

/** Characters that form no token; `at` counts code points. */
export const lexerError = (reason: string, at: number, expression: string): ParseError =>
  new ParseError(`Bad jmespath expression: ${reason}:\n${expression}\n${' '.repeat(at)}^`);

/** The expression ends too early. */
export const incomplete = (expression: string): ParseError =>
  new ParseError(
    `Invalid jmespath expression: Incomplete expression:\n"${expression}"\n${' '.repeat([...expression].length + 1)}^`,
  );

/** A token where it may not stand. */
export function unexpected(
  reason: string,
  token: { type: string; value: unknown; start: number },
  expression: string,
): ParseError {
  const place = `Parse error at column ${token.start}, token "${str(token.value)}" (${token.type.toUpperCase()})`;
  return new ParseError(`${reason}: ${place}, for expression:\n"${expression}"\n${' '.repeat(token.start + 1)}^`);
}

/** A function with too few or too many arguments. */
export function wrongArity(name: string, expected: number, received: number, variadic: boolean): EvaluationError {
  const count = `${variadic ? 'at least ' : ''}${expected} argument${expected === 1 ? '' : 's'}`;
  return new EvaluationError(`Expected ${count} for function ${name}(), received ${received}`);
}

/** A function given a value of a type that it does not take. */
export const wrongType = (
  name: string,
  value: unknown,
  expected: readonly string[],
  received: string,
): EvaluationError =>
  new EvaluationError(
    `In function ${name}(), invalid type for value: ${str(value)}, expected one of: ${repr(expected)}, received: "${received}"`,
  );

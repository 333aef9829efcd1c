// JMESPath by the 2015 specification, as jmespath.py reads it: results and error texts are those of `aws --query`.

import { EvaluationError } from './errors.ts';
import { evaluate } from './interpreter.ts';
import { parse } from './parser.ts';
import { Expression } from './values.ts';

export { EvaluationError, ParseError } from './errors.ts';

/** Compiles an expression to a function of the value to search; throws ParseError, and the function EvaluationError. */
export function compile(expression: string): (value: unknown) => unknown {
  const node = parse(expression);
  return (value) => {
    const result = evaluate(node, value);
    if (result instanceof Expression) throw new EvaluationError('An expression reference is not a value');
    return result;
  };
}

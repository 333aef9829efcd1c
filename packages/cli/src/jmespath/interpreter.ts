// Evaluates an expression's tree against a value.

import { EvaluationError } from './errors.ts';
import { callFunction } from './functions.ts';
import type { Comparator, Node } from './parser.ts';
import { compare, Expression, equal, isDictionary, isFalse, isNumber } from './values.ts';

/** The value of an expression; throws EvaluationError. */
export function evaluate(node: Node, value: unknown): unknown {
  switch (node.type) {
    case 'identity':
      return value;
    case 'field':
      return isDictionary(value) && Object.hasOwn(value, node.name) ? value[node.name] : null;
    case 'literal':
      return node.value;
    case 'index':
      return Array.isArray(value) ? (value.at(node.index) ?? null) : null;
    case 'slice':
      return Array.isArray(value) ? slice(value, node.parts) : null;
    case 'chain':
      return evaluate(node.right, evaluate(node.left, value));
    case 'projection':
      return project(node, evaluate(node.left, value));
    case 'flatten':
      return flatten(evaluate(node.left, value));
    case 'comparator':
      return compareBy(node.comparator, evaluate(node.left, value), evaluate(node.right, value));
    case 'or':
    case 'and': {
      const left = evaluate(node.left, value);
      return isFalse(left) === (node.type === 'or') ? evaluate(node.right, value) : left;
    }
    case 'not':
      return isFalse(evaluate(node.operand, value));
    case 'expref':
      return new Expression((item) => evaluate(node.expression, item));
    case 'call':
      return callFunction(
        node.name,
        node.arguments.map((argument) => evaluate(argument, value)),
      );
    case 'multi-select-list':
      return value === null ? null : node.items.map((item) => evaluate(item, value));
    case 'multi-select-hash':
      if (value === null) return null;
      return Object.fromEntries(node.entries.map(([key, item]) => [key, evaluate(item, value)]));
  }
}

/** Applies the right side to each element; what gives null is left out. */
function project(node: Extract<Node, { type: 'projection' }>, base: unknown): unknown {
  const { condition } = node;
  const elements = node.source === 'list' ? base : isDictionary(base) ? Object.values(base) : undefined;
  if (!Array.isArray(elements)) return null;
  return elements
    .filter((element) => !condition || !isFalse(evaluate(condition, element)))
    .map((element) => evaluate(node.right, element))
    .filter((result) => result !== null);
}

const flatten = (base: unknown): unknown => (Array.isArray(base) ? base.flat(1) : null);

/** Equality holds for any two values; order for numbers and strings, else it is null. */
function compareBy(comparator: Comparator, left: unknown, right: unknown): boolean | null {
  if (comparator === 'eq') return equal(left, right);
  if (comparator === 'ne') return !equal(left, right);
  if (![left, right].every((operand) => isNumber(operand) || typeof operand === 'string')) return null;
  switch (comparator) {
    case 'lt':
      return compare(left, right, '<') < 0;
    case 'lte':
      return compare(left, right, '<=') <= 0;
    case 'gt':
      return compare(left, right, '>') > 0;
    case 'gte':
      return compare(left, right, '>=') >= 0;
  }
}

function slice(list: readonly unknown[], [start, end, step = 1]: readonly (number | undefined)[]): unknown[] {
  if (step === 0) throw new EvaluationError('slice step cannot be zero');
  const [lowest, highest] = step > 0 ? [0, list.length] : [-1, list.length - 1];
  const bound = (given: number | undefined, otherwise: number): number => {
    if (given === undefined) return otherwise;
    return Math.min(Math.max(given < 0 ? given + list.length : given, lowest), highest);
  };
  const result: unknown[] = [];
  const last = bound(end, step > 0 ? highest : lowest);
  for (let at = bound(start, step > 0 ? lowest : highest); step > 0 ? at < last : at > last; at += step) {
    result.push(list[at]);
  }
  return result;
}

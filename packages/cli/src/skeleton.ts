// `--generate-cli-skeleton`: an input with every member, to be edited and given back through `--cli-input-json` or
// `--cli-input-yaml`; or an invented output, to try `--query` and `--output` on.

import { type Operation, type Shape, type StructureShape, shapeOf } from '@footlights/model';
import { Float, formatFloat } from './python.ts';

/** The input of an operation with every member in the model's order. */
export const inputSkeleton = (operation: Operation): unknown => sample(shapeOf(operation.input));

/** An output of an operation: each string is the name of its member. */
export const outputSkeleton = (operation: Operation): Record<string, unknown> =>
  sample(shapeOf(operation.output), (_, name) => name) as Record<string, unknown>;

type StringSample = (values: readonly string[] | undefined, name: string) => string;

const firstValue: StringSample = (values) => values?.[0] ?? '';

function sample(shape: Shape, stringSample: StringSample = firstValue, name = ''): unknown {
  switch (shape.kind) {
    case 'structure':
      return Object.fromEntries(
        Object.entries(shape.properties).map(([member, schema]) => [
          member,
          sample(shapeOf(schema), stringSample, member),
        ]),
      );
    case 'map':
      return { KeyName: sample(shapeOf(shape.additionalProperties), stringSample) };
    case 'list':
      return [sample(shapeOf(shape.items), stringSample, name)];
    case 'string':
      return stringSample(shape.enum, name);
    case 'timestamp':
      return '1970-01-01T00:00:00';
    case 'integer':
      return 0;
    case 'float':
      return new Float(0);
    case 'boolean':
      return true;
  }
}

/** The input as YAML, each member with a comment that says what it is for. */
export function yamlInputSkeleton(operation: Operation): string {
  const lines = structureLines(shapeOf(operation.input) as StructureShape, '');
  return `${lines.length > 0 ? lines.join('\n') : '{}'}\n`;
}

function structureLines(shape: StructureShape, indent: string): string[] {
  return Object.entries(shape.properties).flatMap(([name, schema], index) => {
    const member = shapeOf(schema);
    const { beside, below } = valueLines(member, indent);
    const comment = commentOf(member, shape.required?.includes(name) ?? false);
    // The first comment of a structure stands two blanks off, the others one: so does the AWS CLI's.
    const gap = index === 0 ? '  ' : ' ';
    return [`${indent}${name}:${beside && ` ${beside}`}${comment && `${gap}# ${comment}`}`, ...below];
  });
}

/** What stands beside a key, and the lines below it. */
function valueLines(shape: Shape, indent: string): { beside: string; below: string[] } {
  switch (shape.kind) {
    case 'structure':
      return { beside: '', below: structureLines(shape, `${indent}  `) };
    case 'map':
      return { beside: '', below: [`${indent}  KeyName: ${scalarText(shapeOf(shape.additionalProperties))}`] };
    case 'list':
      return { beside: '', below: listLines(shapeOf(shape.items), indent) };
    default:
      return { beside: scalarText(shape), below: [] };
  }
}

function listLines(element: Shape, indent: string): string[] {
  if (element.kind !== 'structure') return [`${indent}- ${scalarText(element)}`];
  const [first = '', ...further] = structureLines(element, `${indent}  `);
  return [`${indent}- ${first.trimStart()}`, ...further];
}

function scalarText(shape: Shape): string {
  const value = sample(shape);
  if (value instanceof Float) return formatFloat(value.value);
  return value === '' ? "''" : String(value);
}

function commentOf(shape: Shape, required: boolean): string {
  const [sentence = ''] = /^.*?\.(?=\s|$)/s.exec(shape.description ?? '') ?? [shape.description];
  const values = shape.kind === 'string' && shape.enum ? `Valid values are: ${shape.enum.join(', ')}.` : '';
  return [required ? '[REQUIRED]' : '', sentence, values].filter(Boolean).join(' ');
}

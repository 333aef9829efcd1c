// docs/reference/api.md: every operation and shape for people.
import {
  errors,
  examples,
  type Operation,
  operations,
  type Shape,
  type StructureShape,
  shapeOf,
  variables,
} from '@footlights/model';
import { enumerations, type Member, membersOf, nameOf, structures } from './shapes.ts';

const all: readonly Operation[] = Object.values(operations);
const modelled = new Set(all.flatMap(({ errors }) => errors));
const commonErrors = Object.entries(errors).filter(([name]) => !modelled.has(name as keyof typeof errors));

/** The text of docs/reference/api.md. */
export function apiReference(): string {
  return [preface(), contents(), ...all.map(operationSection), shapesSection(), commonErrorsSection()].join('\n');
}

function preface(): string {
  return `<!-- Written by "npm run docs" from packages/model. Do not edit. -->
# API reference

The ${all.length} operations of \`ivs-realtime\`, API version 2020-07-14, and their shapes, as the model of Footlights holds them. Which of them Footlights
serves today, and how, is in [compatibility.md](../compatibility.md); the same as data is [openapi.json](openapi.json).

- **Requests** are HTTP with a JSON object as body (\`Content-Type: application/json\`), signed with AWS Signature Version 4 for the service
  \`ivs\`. Unknown members are ignored; \`null\` is the same as a member that is not given.
- **Answers** are 200 with a JSON object. Times are ISO 8601 texts. Every answer has an \`x-amzn-requestid\`.
- **Errors** have the status given below, their name in the header \`x-amzn-ErrorType\`, and \`{"exceptionMessage": "…", "message": "…"}\` as body,
  both members with the same text. Beside an operation's own errors there are [those common to all](#errors-common-to-all-operations).
- **Patterns** match the whole text. Lengths of strings count Unicode code points.

The examples run in a shell with the address and the keys of a running server, \`eval "$(footlights env)"\`, in a checkout as \`./bin/footlights\`. Their
variables are what earlier commands print:

| variable | value |
|---|---|
${Object.entries(variables).map(variableRow).join('\n')}
`;
}

function variableRow([name, { from, member }]: [string, { from: string; member: string }]): string {
  const other = name.startsWith('OTHER_') ? ', of a second one' : '';
  return `| \`$${name}\` | \`${member}\` of ${link(from)}${other} |`;
}

function contents(): string {
  const rows = all.map(
    ({ name, http, description }) => `| ${link(name)} | \`${http.method} ${http.path}\` | ${description} |`,
  );
  return ['## Operations', '', '| operation | request | |', '|---|---|---|', ...rows, ''].join('\n');
}

function operationSection(operation: Operation): string {
  const { name, description, http } = operation;
  return [
    `### ${name}`,
    '',
    description,
    '',
    `\`${http.method} ${http.path}\``,
    '',
    '```sh',
    exampleCommand(examples[operation.name]),
    '```',
    '',
    ...inputLines(operation),
    ...outputLines(operation),
    ...paginationLines(operation),
    ...errorLines(operation),
  ].join('\n');
}

/** The command in a form that a POSIX shell takes, broken behind the operation when it is long. */
export function exampleCommand(argv: readonly string[]): string {
  const words = argv.map(shellWord);
  const line = ['footlights', ...words].join(' ');
  if (line.length <= 100) return line;
  const options: string[] = [];
  for (const word of words.slice(2)) {
    if (word.startsWith('--')) options.push(word);
    else options.push(`${options.pop() ?? ''} ${word}`);
  }
  return [['footlights', ...words.slice(0, 2)].join(' '), ...options.map((option) => `    ${option}`)].join(' \\\n');
}

function shellWord(word: string): string {
  if (/^[\w./:=,@%+-]+$/.test(word)) return word;
  return /\$[A-Z]/.test(word) ? `"${word}"` : `'${word}'`;
}

function inputLines({ input }: Operation): string[] {
  const members = membersOf(shapeOf(input) as StructureShape);
  if (members.length === 0) return ['Input: none.', ''];
  return ['Input', '', ...memberTable(members, (member) => place(member)), ''];
}

const place = ({ shape: { location } }: Member): string =>
  location === 'uri' ? 'in the path' : location === 'querystring' ? 'in the query, once for each' : '';

function memberTable(members: readonly Member[], where: (member: Member) => string): string[] {
  const rows = members.map((member) => {
    const limits = [where(member), limitsOf(member.shape), member.shape.idempotencyToken ? 'idempotency token' : ''];
    return [
      `\`${member.name}\``,
      typeOf(member.shape),
      member.required ? 'yes' : '',
      member.default ?? '',
      limits.filter(Boolean).join('; '),
      member.description,
    ];
  });
  return table(['member', 'type', 'required', 'default', 'limits', ''], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].map((text) =>
    text.replace(/ {2,}/g, ' '),
  );
}

function typeOf(shape: Shape): string {
  const name = nameOf(shape);
  if (name !== undefined) return link(name);
  if (shape.kind === 'list') return `list of ${typeOf(shapeOf(shape.items))}`;
  if (shape.kind === 'map') return `map of string to ${typeOf(shapeOf(shape.additionalProperties))}`;
  return shape.kind;
}

function limitsOf(shape: Shape): string {
  switch (shape.kind) {
    case 'string':
      return stringLimits(shape).join('; ');
    case 'integer':
    case 'float':
      return range(shape.minimum, shape.maximum, '');
    case 'list':
      return [range(shape.minItems, shape.maxItems, ' elements'), within('each', shape.items)]
        .filter(Boolean)
        .join('; ');
    case 'map':
      return [
        range(shape.minProperties, shape.maxProperties, ' entries'),
        within('keys', shape.propertyNames),
        within('values', shape.additionalProperties),
        shape.maxTotalBytes === undefined ? '' : `at most ${shape.maxTotalBytes} bytes of UTF-8 together`,
      ]
        .filter(Boolean)
        .join('; ');
    default:
      return '';
  }
}

function stringLimits({ minLength, maxLength, pattern, sensitive }: Extract<Shape, { kind: 'string' }>): string[] {
  return [
    range(minLength, maxLength, ' characters'),
    pattern === undefined ? '' : `\`${pattern}\``,
    sensitive ? 'secret' : '',
  ].filter(Boolean);
}

function within(what: string, schema: Parameters<typeof shapeOf>[0]): string {
  const shape = shapeOf(schema);
  const limits = shape.kind === 'structure' ? '' : limitsOf(shape);
  return limits && `${what} ${limits}`;
}

function range(minimum: number | undefined, maximum: number | undefined, unit: string): string {
  const least = minimum === 0 && unit !== '' ? undefined : minimum;
  if (least === undefined && maximum === undefined) return '';
  if (maximum === undefined) return `at least ${least}${unit}`;
  if (least === maximum) return `exactly ${maximum}${unit}`;
  return least === undefined ? `at most ${maximum}${unit}` : `${least} to ${maximum}${unit}`;
}

function outputLines({ output }: Operation): string[] {
  const shape = shapeOf(output) as StructureShape;
  if (Object.keys(shape.properties).length === 0) return ['Output: an empty object.', ''];
  return ['Output', '', ...memberList(shape, 0), ''];
}

/** Members as a nested list, down to the last. */
function memberList(shape: StructureShape, depth: number): string[] {
  return membersOf(shape).flatMap((member) => {
    const header = member.shape.location === 'header' ? `, header \`${member.shape.locationName}\`` : '';
    const always = member.required ? ', always there' : '';
    const line = `${'  '.repeat(depth)}- \`${member.name}\` (${typeOf(member.shape)}${header}${always}): ${member.description}`;
    const inner = structureIn(member.shape);
    return inner ? [line, ...memberList(inner, depth + 1)] : [line];
  });
}

function structureIn(shape: Shape): StructureShape | undefined {
  if (shape.kind === 'structure') return shape;
  return shape.kind === 'list' ? structureIn(shapeOf(shape.items)) : undefined;
}

function paginationLines({ input, paginator }: Operation): string[] {
  const members = membersOf(shapeOf(input) as StructureShape);
  const size = members.find(({ name }) => name === 'maxResults');
  if (size === undefined) return [];
  const limits = limitsOf(size.shape);
  const tools = paginator
    ? ' The command line asks for all pages by itself; `--page-size`, `--max-items` and `--starting-token` steer it, `--no-paginate` stops it.'
    : ' The command line asks for one page.';
  return [
    `Pages: an answer with \`nextToken\` has more behind it; give it back, with the same other members, for the next page. \`maxResults\` is ${limits}, ${size.default} when not given.${tools}`,
    '',
  ];
}

function errorLines({ errors: names }: Operation): string[] {
  const rows = names.map((name) => [`\`${name}\``, String(errors[name].status), errors[name].description]);
  return ['Errors', '', ...table(['error', 'status', ''], rows), ''];
}

function shapesSection(): string {
  const structureSections = structures.flatMap(({ name, shape }) => [
    `### ${name}`,
    '',
    ...memberTable(membersOf(shape), () => ''),
    '',
  ]);
  const valueSections = enumerations.flatMap(({ name, values }) => [
    `### ${name}`,
    '',
    `One of ${values.map((value) => `\`${value}\``).join(', ')}.`,
    '',
  ]);
  return ['## Structures', '', ...structureSections, '## Enumerations', '', ...valueSections].join('\n');
}

function commonErrorsSection(): string {
  const rows = commonErrors.map(([name, { status, description }]) => [`\`${name}\``, String(status), description]);
  return ['## Errors common to all operations', '', ...table(['error', 'status', ''], rows), ''].join('\n');
}

/** A link to a heading of this page. */
function link(name: string): string {
  return `[${name}](#${name.toLowerCase()})`;
}

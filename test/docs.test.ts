import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import {
  examples,
  type Operation,
  type OperationName,
  operations,
  type Shape,
  shapeOf,
  type TSchema,
  variables,
} from '@footlights/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { generate } from '../scripts/docs/generate.ts';
import { nameOf, structures } from '../scripts/docs/shapes.ts';
import { cleanEnvironment, executable, type RunningServer, root, startServer } from './support/server.ts';

const names = Object.keys(operations) as OperationName[];
const kebab = (name: string) => name.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();

interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** What each example printed, run in order against one server. */
const outcomes = new Map<OperationName, Outcome>();
let server: RunningServer;
let globalOptionNames: string[];

function footlights(argv: readonly string[]): Promise<Outcome> {
  const env = { ...cleanEnvironment(), FOOTLIGHTS_DATA_DIR: server.dataDir };
  return new Promise((done) => {
    execFile(process.execPath, [executable, ...argv], { cwd: server.dataDir, env }, (error, stdout, stderr) => {
      done({ exitCode: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

const isMissing = (name: OperationName) => /UnknownOperationException/.test(outcomes.get(name)?.stderr ?? '');

/** Well-formed values for what no example has printed, because its operation is not there. */
function placeholders(): Record<string, string> {
  const arn = (type: string) => `arn:aws:ivs:us-west-2:123456789012:${type}/abcdABCDefgh`;
  const typeOf = (name: string) => name.replace(/_ARN$/, '').toLowerCase().replaceAll('_', '-');
  const values = Object.keys(variables).map((name) => [name, arn(typeOf(name).replace('other-', ''))]);
  return { ...Object.fromEntries(values), SESSION_ID: 'st-abcdefghijklm', PARTICIPANT_ID: 'abcdABCDefgh' };
}

const memberAt = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value);

async function runExamples(): Promise<void> {
  const values = placeholders();
  const other = await footlights(['ivs-realtime', 'create-stage']);
  const fill = (word: string) =>
    word.replace(/\$([A-Z_]+)/g, (_, name: string) => values[name] ?? `no variable ${name}`);
  for (const [name, argv] of Object.entries(examples) as [OperationName, readonly string[]][]) {
    const outcome = await footlights(argv.map(fill));
    outcomes.set(name, outcome);
    if (outcome.exitCode !== 0 || outcome.stdout === '') continue;
    const output: unknown = JSON.parse(outcome.stdout);
    for (const [variable, { from, member }] of Object.entries(variables)) {
      if (from === name) values[variable] = String(memberAt(output, member));
    }
    values.OTHER_STAGE_ARN = String(memberAt(JSON.parse(other.stdout), 'stage.arn'));
    const token = memberAt(output, 'participantToken.token');
    if (token !== undefined) await once(new WebSocket(server.endpoints.events, String(token)), 'message');
  }
}

beforeAll(async () => {
  server = await startServer();
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  writeFileSync(join(server.dataDir, 'public.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
  const help = await footlights(['ivs-realtime', 'get-stage', 'help']);
  const listed = help.stdout.slice(help.stdout.indexOf('\nglobal options\n'));
  globalOptionNames = [...listed.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, name]) => name!);
  await runExamples();
});

afterAll(() => server?.dispose());

describe('examples', () => {
  test('each operation has one, of its own command', () => {
    expect(Object.keys(examples).sort()).toEqual([...names].sort());
    for (const name of names) expect(examples[name].slice(0, 2)).toEqual(['ivs-realtime', kebab(name)]);
  });

  test('every variable is one that is explained, and printed by an earlier example', () => {
    const order = Object.keys(examples);
    for (const [name, argv] of Object.entries(examples)) {
      for (const [, variable] of argv.join(' ').matchAll(/\$([A-Z_]+)/g)) {
        const source = variables[variable!];
        expect(source, variable).toBeDefined();
        expect(order.indexOf(source!.from), `${variable} in ${name}`).toBeLessThan(order.indexOf(name));
      }
    }
  });

  /** They want a participant that really publishes; without one a refusal that is not about the input is right. */
  const wantMedia: readonly OperationName[] = ['StartParticipantReplication', 'StopParticipantReplication'];

  test.each(names)('of %s runs, or is told that the operation is not there yet', (name) => {
    const { exitCode, stderr } = outcomes.get(name)!;
    if (isMissing(name)) expect(exitCode).toBe(254);
    else if (wantMedia.includes(name) && exitCode === 254) expect(stderr).not.toMatch(/validation error/);
    else expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});

describe('the generated reference', () => {
  test('has every operation and structure', () => {
    const { 'docs/reference/api.md': api = '' } = generate();
    for (const name of [...names, ...structures.map((structure) => structure.name)]) {
      expect(api.split('\n').filter((line) => line === `### ${name}`)).toHaveLength(1);
    }
  });

  test('is an OpenAPI document whose references resolve and whose patterns compile', () => {
    const document = JSON.parse(generate()['docs/reference/openapi.json'] ?? '');
    const items = Object.values<Record<string, { operationId: string }>>(document.paths);
    const ids = items.flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
    expect(ids.sort()).toEqual([...names].sort());
    const text = JSON.stringify(document);
    for (const [, path] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      expect(memberAt(document, path!.replaceAll('/', '.')), path).toBeDefined();
    }
    for (const [, pattern] of text.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)) {
      expect(() => new RegExp(JSON.parse(pattern!), 'u')).not.toThrow();
    }
  });
});

// ---- docs/compatibility.md

interface Table {
  head: string[];
  rows: string[][];
}

/** The tables of a Markdown text; a cell's code marks stay. */
function tablesOf(text: string): Table[] {
  const tables: Table[] = [];
  let before = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('|')) {
      const cells = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      if (!before.startsWith('|')) tables.push({ head: cells, rows: [] });
      else if (!/^\|[-|]+\|$/.test(line)) tables.at(-1)?.rows.push(cells);
    }
    before = line;
  }
  return tables;
}

const compatibility = tablesOf(readFileSync(join(root, 'docs/compatibility.md'), 'utf8'));
const rowsOf = (head: string) => compatibility.filter((table) => table.head[0] === head).flatMap(({ rows }) => rows);
const codes = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

/** `Stage.name`, `CreateStage.name` for an input, `CreateStage →.stage` for an output. */
function membersOfModel(): string[] {
  const of = (name: string, schema: TSchema) => {
    const shape = shapeOf(schema);
    return shape.kind === 'structure' ? Object.keys(shape.properties).map((member) => `${name}.${member}`) : [];
  };
  return [
    ...structures.flatMap(({ name, shape }) => Object.keys(shape.properties).map((member) => `${name}.${member}`)),
    ...Object.values(operations).flatMap(({ name, input, output }) => [...of(name, input), ...of(`${name} →`, output)]),
  ];
}

/** The named structures in a shape, down to the last. */
function structuresIn(shape: Shape): string[] {
  if (shape.kind === 'list') return structuresIn(shapeOf(shape.items));
  if (shape.kind !== 'structure') return [];
  const inner = Object.values(shape.properties).flatMap((member) => structuresIn(shapeOf(member)));
  return [...inner, ...(nameOf(shape) ? [nameOf(shape)!] : [])];
}

/** The operations in which what the second column names occurs. */
function operationsWith(place: string): OperationName[] {
  const own = place.replace(/ →$/, '');
  const all: Operation[] = Object.values(operations);
  return all
    .filter(({ name, input, output }) => {
      return name === own || [input, output].some((schema) => structuresIn(shapeOf(schema)).includes(place));
    })
    .map(({ name }) => name);
}

describe('docs/compatibility.md', () => {
  test('every row has a state', () => {
    const rows = compatibility.filter(({ head }) => head.at(-1) === 'state').flatMap((table) => table.rows);
    expect(rows.filter((row) => !['works', 'partly', 'not yet'].includes(row.at(-1) ?? ''))).toEqual([]);
    for (const { head, rows: tableRows } of compatibility) {
      for (const row of tableRows) expect(row, row.join(' | ')).toHaveLength(head.length);
    }
  });

  test('every operation has a row, whose state is "not yet" exactly when the server does not have it', () => {
    const states = rowsOf('operation').map((row) => [codes(row[0])[0], row.at(-1) === 'not yet']);
    const expected = names.map((name) => [name, isMissing(name)]);
    expect(states.sort()).toEqual(expected.sort());
  });

  test('every member of every structure, input and output has one row', () => {
    const told = rowsOf('member').flatMap(([member, places]) =>
      codes(places).map((place) => `${place}.${codes(member)[0]}`),
    );
    expect(told.sort()).toEqual(membersOfModel().sort());
  });

  test('a member has nothing but a dash exactly when none of its operations is there', () => {
    const wrong = rowsOf('member').filter(([, places, , footlights]) => {
      const there = codes(places)
        .flatMap(operationsWith)
        .some((name) => !isMissing(name));
      return there === (footlights === '–');
    });
    expect(wrong).toEqual([]);
  });

  test("every option of AWS's page and every global option of the command line has a row", () => {
    const ofAws = [
      ...['--arn', '--cli-input-json', '--cli-input-yaml', '--generate-cli-skeleton', '--debug', '--endpoint-url'],
      ...['--no-verify-ssl', '--no-paginate', '--output', '--query', '--profile', '--region', '--version', '--color'],
      ...['--no-sign-request', '--ca-bundle', '--cli-read-timeout', '--cli-connect-timeout', '--cli-binary-format'],
      ...['--no-cli-pager', '--cli-auto-prompt', '--no-cli-auto-prompt'],
    ];
    expect(globalOptionNames.length).toBeGreaterThan(15);
    const told = rowsOf('option').flatMap(([option]) => codes(option));
    expect(told).toEqual(expect.arrayContaining([...ofAws, ...globalOptionNames]));
  });
});

// ---- links

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  const headings = text.replace(/```[\s\S]*?```/g, '').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading]) => {
    return heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-');
  });
}

describe('links', () => {
  const files = [
    ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'].map((name) => join(root, name)),
    ...markdownFiles(join(root, 'docs')),
  ];

  test.each(files.map((file) => [relative(root, file), file]))('of %s lead somewhere', (_name, file) => {
    const text = readFileSync(file, 'utf8').replace(/```[\s\S]*?```/g, '');
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : resolve(dirname(file), path);
      if (!existsSync(target)) return [link];
      if (anchor === undefined || statSync(target).isDirectory()) return [];
      return anchorsOf(readFileSync(target, 'utf8')).includes(anchor) ? [] : [link];
    });
    expect(broken).toEqual([]);
  });
});

// The forms of output, by texts that Debian's awscli 2.9.19 printed for the same values.
import { describe, expect, it } from 'vitest';
import { Float } from '../python.ts';
import { type OutputForm, outputForm, type Presentation, showAnswer, showPages } from './index.ts';
import { formatTable } from './table.ts';
import { formatText } from './text.ts';
import { formatYaml } from './yaml.ts';

const stage = {
  name: 'demo',
  arn: 'arn:x',
  tags: { b: '2', a: '1' },
  tokens: [
    { id: 'p1', token: 't1' },
    { id: 'p2', user: 'bob' },
  ],
  kinds: ['AUDIO', 'VIDEO'],
  empty: {},
};

const plain = { terminalWidth: 80, color: false };

describe('text', () => {
  it.each<[unknown, string]>([
    [{ stage }, 'STAGE\tarn:x\tdemo\nKINDS\tAUDIO\nKINDS\tVIDEO\nTAGS\t1\t2\nTOKENS\tp1\tt1\t\nTOKENS\tp2\t\tbob\n'],
    [{ done: true, none: null, ratio: new Float(1) }, 'True\tNone\t1.0\n'],
    [['a', 'b', 3], 'a\tb\t3\n'],
    [[['a', 'b'], ['c']], 'a\tb\nc\n'],
    [['a', ['b'], 'c'], 'a\tc\nb\n'],
    ['', '\n'],
    [[], ''],
    [{}, ''],
  ])('%j', (value, text) => {
    expect(formatText(value)).toBe(text);
  });

  it('has no form for a list of objects and other values', () => {
    expect(() => formatText([{}, 'a'])).toThrow('A list that holds both objects and other values has no text form');
  });
});

describe('table', () => {
  it('puts boxes within boxes', () => {
    expect(formatTable('GetStage', { stage: { name: 'demo', arn: 'arn:x', tags: { a: '1' } } }, plain)).toBe(
      `---------------------
|     GetStage      |
+-------------------+
||      stage      ||
|+--------+--------+|
||   arn  | name   ||
|+--------+--------+|
||  arn:x |  demo  ||
|+--------+--------+|
|||     tags      |||
||+------+--------+||
|||  a   |  1     |||
||+------+--------+||
`,
    );
  });

  it('stands upright when it is wider than the terminal', () => {
    const value = { a: 'x'.repeat(12), b: 'y' };
    expect(formatTable('T', value, { ...plain, terminalWidth: 20 })).toBe(
      `-----------------------
|          T          |
+---+-----------------+
|  a|  xxxxxxxxxxxx   |
|  b|  y              |
+---+-----------------+
`,
    );
    expect(formatTable('T', value, plain)).toContain('|  xxxxxxxxxxxx  |  y |');
  });

  it('is a box with the title for a scalar, and nothing for nothing', () => {
    expect(formatTable('Title', 'scalar', plain)).toBe('-------\n|Title|\n+-----+\n');
    expect(formatTable('Title', null, plain)).toBe('');
    expect(formatTable('Title', [], plain)).toBe('');
  });

  it('counts wide characters twice', () => {
    const lines = formatTable('T', [{ a: '日本' }, { a: 'abcd' }], plain).split('\n');
    expect(lines.filter((line) => /日本|abcd/.test(line))).toEqual(['|  日本  |', '|  abcd  |']);
  });

  it('refuses rows of different lengths', () => {
    expect(() => formatTable('T', [['a'], ['b', 'c']], plain)).toThrow('Row should have 1 elements, instead it has 2');
  });
});

describe('yaml', () => {
  it.each<[unknown, string]>([
    [{ b: 1, a: { d: [1, { e: 2 }], c: {} } }, 'a:\n  c: {}\n  d:\n  - 1\n  - e: 2\nb: 1\n'],
    [[['a', ['b']], []], '- - a\n  - - b\n- []\n'],
    [
      { a: 'yes', b: 'true', c: '1.5', d: '2023-04-26', e: 'x: y', f: '', g: 'null', h: "it's" },
      ['a: yes', "b: 'true'", "c: '1.5'", "d: '2023-04-26'", "e: 'x: y'", "f: ''", "g: 'null'", "h: it's", ''].join(
        '\n',
      ),
    ],
    [{ a: 'x\ny', b: 'x\ty', c: '😀', d: 'é' }, `a: 'x\n\n  y'\nb: "x\\ty"\nc: "\\U0001F600"\nd: é\n`],
    [{ a: 'word '.repeat(20).trim() }, `a: ${'word '.repeat(16).trim()}\n  word word word word\n`],
    ['scalar', '"scalar"\n'],
    [null, 'null\n'],
  ])('%j', (value, text) => {
    expect(formatYaml(value)).toBe(text);
  });

  it('names what occurs twice', () => {
    const shared = { a: 1 };
    expect(formatYaml([shared, shared])).toBe('- &id001\n  a: 1\n- *id001\n');
  });
});

describe('an answer in pages', () => {
  async function* pages() {
    yield { items: ['a', 'b'], nextToken: 't' };
    yield { items: ['c'] };
    return 'resume';
  }

  async function show(form: OutputForm, search: Presentation['search'] = (value) => value): Promise<string> {
    let text = '';
    const presentation = { form, search, title: 'T', ...plain };
    await showPages(pages(), 'items', presentation, (part) => {
      text += part;
    });
    return text;
  }

  it('is one value for json, yaml and table', async () => {
    expect(JSON.parse(await show('json'))).toEqual({ items: ['a', 'b', 'c'], NextToken: 'resume' });
    expect(await show('yaml')).toBe('NextToken: resume\nitems:\n- a\n- b\n- c\n');
    expect(await show('table')).toContain('|  NextToken |  resume');
  });

  it('is searched and written page by page as text and as a stream', async () => {
    const count = (value: unknown) => (value as { items?: unknown[] }).items?.length ?? null;
    expect(await show('text')).toBe('ITEMS\ta\nITEMS\tb\nITEMS\tc\nNEXTTOKEN\tresume\n');
    expect(await show('text', count)).toBe('2\n1\nNone\n');
    expect(await show('yaml-stream')).toBe('- items:\n  - a\n  - b\n  nextToken: t\n- items:\n  - c\n');
  });

  it.each(['json', 'text', 'table', 'yaml', 'yaml-stream'] as const)(
    'that is empty prints nothing as %s',
    async (form) => {
      let text = '';
      await showAnswer({}, { form, search: (value) => value, title: 'T', ...plain }, (part) => {
        text += part;
      });
      expect(text).toBe('');
    },
  );

  it('has no other forms', () => {
    expect(() => outputForm('xml')).toThrow('Unknown output type: xml');
  });
});

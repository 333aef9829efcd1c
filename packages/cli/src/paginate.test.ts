import { operations } from '@footlights/model';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './arguments.ts';
import { pagesOf, pagingOf } from './paginate.ts';

const operation = operations.ListPublicKeys;
const items = [1, 2, 3, 4, 5].map((n) => ({ arn: `key-${n}` }));

/** A service with two items a page; tokens are `at-<index>`. */
function service() {
  const requests: Record<string, unknown>[] = [];
  const call = async (input: Record<string, unknown>): Promise<Record<string, unknown>> => {
    requests.push(input);
    const from = Number(String(input.nextToken ?? 'at-0').slice(3));
    const to = from + Number(input.maxResults ?? 2);
    return { publicKeys: items.slice(from, to), ...(to < items.length && { nextToken: `at-${to}` }) };
  };
  return { requests, call };
}

async function list(...argv: string[]) {
  const { requests, call } = service();
  const paging = pagingOf(operation, parseCommandLine(operation, argv), {}, true)!;
  const pages = pagesOf(call, {}, paging);
  const keys: number[] = [];
  let result = await pages.next();
  for (; !result.done; result = await pages.next()) {
    keys.push(...(result.value.publicKeys as { arn: string }[]).map(({ arn }) => Number(arn.slice(4))));
  }
  return { keys, nextToken: result.value, requests };
}

const resumeToken = (json: string): string => Buffer.from(json).toString('base64');

describe('paging', () => {
  it('merges all pages', async () => {
    expect(await list()).toEqual({
      keys: [1, 2, 3, 4, 5],
      nextToken: undefined,
      requests: [{}, { nextToken: 'at-2' }, { nextToken: 'at-4' }],
    });
  });

  it('asks for pages of --page-size', async () => {
    const { keys, requests } = await list('--page-size', '3');
    expect(keys).toEqual([1, 2, 3, 4, 5]);
    expect(requests).toEqual([{ maxResults: 3 }, { maxResults: 3, nextToken: 'at-3' }]);
  });

  it.each([
    ['0', [], '{"nextToken": null, "boto_truncate_amount": 0}'],
    ['1', [1], '{"nextToken": null, "boto_truncate_amount": 1}'],
    ['2', [1, 2], '{"nextToken": "at-2"}'],
    ['3', [1, 2, 3], '{"nextToken": "at-2", "boto_truncate_amount": 1}'],
  ])('cuts at --max-items %s and leaves a token', async (count, keys, token) => {
    const cut = await list('--max-items', count);
    expect(cut.keys).toEqual(keys);
    expect(cut.nextToken).toBe(resumeToken(token));
  });

  it.each(['5', '6'])('leaves no token when --max-items %s holds everything', async (count) => {
    expect((await list('--max-items', count)).nextToken).toBeUndefined();
  });

  it('walks through everything by its own tokens', async () => {
    const seen: number[] = [];
    for (let token: string | undefined, first = true; first || token; first = false) {
      const page: Awaited<ReturnType<typeof list>> = await list(
        '--max-items',
        '1',
        ...(token ? ['--starting-token', token] : []),
      );
      seen.push(...page.keys);
      token = page.nextToken;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it.each(['at-2', 'at-2___0', resumeToken('{"nextToken": "at-2"}')])('starts at the token %s', async (token) => {
    expect((await list('--starting-token', token)).keys).toEqual([3, 4, 5]);
  });

  it('stops when the same token comes twice', async () => {
    const call = async () => ({ publicKeys: [], nextToken: 'same' });
    const paging = pagingOf(operation, parseCommandLine(operation, []), {}, true)!;
    const drain = async () => {
      for await (const page of pagesOf(call, {}, paging)) expect(page.publicKeys).toEqual([]);
    };
    await expect(drain()).rejects.toThrow(
      "Error during pagination: The same next token was received twice: {'nextToken': 'same'}",
    );
  });

  it('is off for plain lists, and in manual mode, which excludes its options', () => {
    expect(pagingOf(operations.ListStages, parseCommandLine(operations.ListStages, []), {}, true)).toBeUndefined();
    const plain = parseCommandLine(operation, []);
    expect(pagingOf(operation, plain, { maxResults: 2 }, true)).toBeUndefined();
    expect(pagingOf(operation, plain, {}, false)).toBeUndefined();
    const line = parseCommandLine(operation, ['--max-items', '1', '--page-size', '2']);
    expect(() => pagingOf(operation, line, { nextToken: 'x' }, true)).toThrow(
      'Cannot specify --no-paginate along with pagination arguments: --page-size, --max-items',
    );
  });
});

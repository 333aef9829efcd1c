import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Listing, type ListRequest, listObjects } from './listing.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'footlights-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(...keys: string[]): void {
  for (const key of keys) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), key);
  }
}

/** Everything, page by page. */
async function all(request: Partial<ListRequest> = {}) {
  const found: string[] = [];
  let after = request.after ?? { key: '' };
  for (;;) {
    const page: Listing = await listObjects(folder, { prefix: '', delimiter: '', maxKeys: 1_000, ...request, after });
    expect(page.objects.length + page.commonPrefixes.length).toBeLessThanOrEqual(request.maxKeys ?? 1_000);
    found.push(...[...page.objects.map(({ key }) => key), ...page.commonPrefixes].sort());
    if (!page.next) return found;
    after = page.next;
  }
}

describe('a listing', () => {
  it('has the order of whole keys, not that of folders', async () => {
    put('a/b', 'a-b', 'a.b', 'a/b-c/d', 'a/b/'.slice(0, -1), 'ab', 'a0');
    expect(await all()).toEqual(['a-b', 'a.b', 'a/b', 'a/b-c/d', 'a0', 'ab']);
  });

  it('collapses what has a delimiter behind the prefix', async () => {
    put('s/1/x.mp4', 's/1/y.mp4', 's/2/x.mp4', 's/z.json', 't');
    expect(await all({ prefix: 's/', delimiter: '/' })).toEqual(['s/1/', 's/2/', 's/z.json']);
    expect(await all({ delimiter: '/' })).toEqual(['s/', 't']);
    expect(await all({ prefix: 's/', delimiter: '.' })).toEqual(['s/1/x.', 's/1/y.', 's/2/x.', 's/z.']);
    expect(await all({ prefix: 's', delimiter: '/' })).toEqual(['s/']);
  });

  it('has neither empty folders, nor links, nor files that are being written', async () => {
    put('a');
    put('b.part');
    mkdirSync(join(folder, 'empty/inside'), { recursive: true });
    symlinkSync('/etc', join(folder, 'etc'));
    symlinkSync('/etc/passwd', join(folder, 'passwd'));
    expect(await all()).toEqual(['a']);
    expect(await all({ delimiter: '/' })).toEqual(['a']);
  });

  it('of no keys is whole', async () => {
    put('a');
    expect(await listObjects(folder, { prefix: '', delimiter: '', after: { key: '' }, maxKeys: 0 })).toEqual({
      objects: [],
      commonPrefixes: [],
    });
  });

  it('is the same however it is cut into pages', async () => {
    const segment = fc.stringMatching(/^[a-b.0-]{1,2}$/).filter((text) => !/^\.+$/.test(text));
    const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { maxLength: 12 }),
        fc.record({ prefix: fc.constantFrom('', 'a', 'a/', 'b.', 'a/b'), delimiter: fc.constantFrom('', '/', '-') }),
        fc.integer({ min: 1, max: 4 }),
        fc.option(key),
        async (given, request, maxKeys, startAfter) => {
          rmSync(folder, { recursive: true });
          mkdirSync(folder);
          // A name is a file or a folder.
          const keys = [...new Set(given)].filter((key) => !given.some((other) => other.startsWith(`${key}/`)));
          put(...keys);
          const expected = keys
            .filter((key) => key.startsWith(request.prefix) && key > (startAfter ?? ''))
            .map((key) => {
              const at = request.delimiter === '' ? -1 : key.indexOf(request.delimiter, request.prefix.length);
              return at < 0 ? key : key.slice(0, at + 1);
            });
          const after = { key: startAfter ?? '' };
          expect(await all({ ...request, maxKeys, after })).toEqual([...new Set(expected)].sort());
        },
      ),
      { numRuns: 150 },
    );
  });
});

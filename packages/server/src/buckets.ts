import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError } from '@footlights/model';

/** Where recordings are kept. */
export interface Buckets {
  /** Resolves when recordings can be written into the bucket; throws an ApiError when its name is none. */
  open(name: string): Promise<void>;
}

/** S3's rules for the names of buckets, which keep a path built from one inside its folder. */
const bucketName = /^[a-z0-9](?!.*\.\.)[a-z0-9.-]*[a-z0-9]$/;

/** Buckets that are folders inside one folder, made when they are first named. */
export class BucketFolders implements Buckets {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async open(name: string): Promise<void> {
    if (!bucketName.test(name))
      throw new ApiError(
        'ValidationException',
        `Value '${name}' at 's3.bucketName' failed to satisfy constraint: Member must begin and end with a letter or digit and must not hold two dots in a row`,
      );
    await mkdir(join(this.#root, name), { recursive: true, mode: 0o700 });
  }
}

import { folderSink } from '../rim/folder-sink.ts';
import { S3Sink } from '../rim/s3-sink.ts';
import type { SinkDescription } from './options.ts';
import type { Sink } from './sink.ts';

/** The sink that a description names. */
export function openSink(description: SinkDescription): Sink {
  return description.type === 'folder' ? folderSink(description) : new S3Sink(description);
}

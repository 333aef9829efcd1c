// Calls of the commands that are ours alone: settings as for any command, one attempt, no output.

import type { Operation } from '@footlights/model';
import { type Caller, makeCaller } from './call.ts';
import { loadSettings } from './config.ts';
import { type Globals, parseEndpoint, parseGlobals } from './globals.ts';
import { proxyFor } from './proxy.ts';
import type { Surroundings } from './surroundings.ts';

/** A caller of an operation with the global options that the words hold. */
export function serviceCaller(operation: Operation, words: readonly string[], { env }: Surroundings): Caller {
  return callerWith(operation, parseGlobals(words).globals, env);
}

/** A caller of an operation with the given global options. */
export function callerWith(operation: Operation, globals: Globals, env: NodeJS.ProcessEnv): Caller {
  const settings = { ...loadSettings(globals, env), maxAttempts: 1 };
  return makeCaller(operation, {
    settings,
    transport: {
      ...globals,
      caBundle: settings.caBundle,
      proxy: proxyFor(parseEndpoint(settings.endpoint), env),
    },
    trace: () => undefined,
    warn: () => undefined,
  });
}

// Whether to prompt: what the line says goes before the environment and the configuration.

import { configuredValue } from './config.ts';
import { CliError, exitCodes } from './errors.ts';

export type PromptMode = 'on' | 'on-partial' | 'off';

/** `on-partial` prompts when the line does not suffice; throws when the line says both yes and no. */
export function promptMode(argv: readonly string[], env: NodeJS.ProcessEnv): PromptMode {
  const wanted = argv.includes('--cli-auto-prompt');
  const unwanted = argv.includes('--no-cli-auto-prompt');
  if (wanted && unwanted) {
    const message = 'Both --cli-auto-prompt and --no-cli-auto-prompt cannot be specified at the same time.';
    throw new CliError(exitCodes.usage, message);
  }
  if (unwanted || argv.some((word) => neverPrompting.has(word))) return 'off';
  if (wanted) return 'on';
  const configured = (env.AWS_CLI_AUTO_PROMPT ?? configuredValue('cli_auto_prompt', env) ?? 'off').toLowerCase();
  return configured === 'on' || configured === 'on-partial' ? configured : 'off';
}

const neverPrompting: ReadonlySet<string> = new Set(['help', '--help', '-h', '--version']);

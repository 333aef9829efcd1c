// `footlights completion bash|zsh|fish`: the script that a shell evaluates.

import { exitCodes, FootlightsError } from '../errors.ts';

const bash = `_footlights() {
  local IFS=$'\\n'
  COMPREPLY=($(footlights __complete bash "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
}
complete -o nosort -o default -F _footlights footlights
`;

const zsh = `#compdef footlights
_footlights() {
  local line
  local -a words_found shown
  while IFS= read -r line; do
    words_found+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  }")
  done < <(footlights __complete zsh "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#words_found} )); then compadd -l -d shown -a words_found; else _files; fi
}
compdef _footlights footlights
`;

const fish = `complete -c footlights -f
complete -c footlights -a '(footlights __complete fish (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };

/** The script of a shell. */
export function completionScript(argv: readonly string[]): string {
  const [shell = '', ...more] = argv;
  const script = Object.hasOwn(scripts, shell) && more.length === 0 ? scripts[shell] : undefined;
  if (script !== undefined) return script;
  throw new FootlightsError(
    exitCodes.own,
    'usage: footlights completion bash|zsh|fish, as in eval "$(footlights completion bash)"',
  );
}

/** What a command may touch of the process. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  /** Called with whole texts. */
  stdout(text: string): void;
  stderr(text: string): void;
  /** Which streams are terminals, and the columns that stdout's has. */
  terminal: { stdin: boolean; stdout: boolean; stderr: boolean; columns: number };
}

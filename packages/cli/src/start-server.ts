// The server is a bundle of its own, an ES module beside this one: no other command reads it.

interface Server {
  start(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void>;
}

/** Runs `footlights start`. */
export async function startServer(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const bundle = './server.mjs';
  const server: Server = await import(bundle);
  await server.start(argv, env);
}

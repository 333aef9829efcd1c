/** The parts of a request that are read, signed and verified; path and query exactly as on the request line. */
export interface HttpRequestParts {
  method: string;
  /** Without the query. */
  rawPath: string;
  /** Without the question mark. */
  rawQuery: string;
  /** Under lower-case names. */
  headers: Record<string, string | undefined>;
  body: Uint8Array;
}

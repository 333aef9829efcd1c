/** The one rendition of a multivariant playlist (RFC 8216 section 4.3.4.2). */
export interface Rendition {
  uri: string;
  /** The most bits a second of any segment. */
  bandwidth: number;
  averageBandwidth: number;
  /** As RFC 6381 names them. */
  codecs: readonly string[];
  /** Absent without video. */
  width?: number;
  height?: number;
}

export function writeMultivariantPlaylist({ uri, ...rendition }: Rendition): string {
  const { bandwidth, averageBandwidth, codecs, width, height } = rendition;
  const attributes = [
    `BANDWIDTH=${Math.max(1, Math.round(bandwidth))}`,
    `AVERAGE-BANDWIDTH=${Math.max(1, Math.round(averageBandwidth))}`,
    `CODECS="${codecs.join(',')}"`,
    ...(width && height ? [`RESOLUTION=${width}x${height}`] : []),
  ];
  return `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-STREAM-INF:${attributes.join(',')}\n${uri}\n`;
}

/** The name of H.264 by its SPS, such as `avc1.42e01f` (RFC 6381 section 3.3). */
export function videoCodecs(sps: Buffer): string {
  return `avc1.${sps.toString('hex', 1, 4)}`;
}

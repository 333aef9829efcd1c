export { type MediaPlaylist, type Segment, writeMediaPlaylist } from './media-playlist.ts';
export { type Rendition, videoCodecs, writeMultivariantPlaylist } from './multivariant-playlist.ts';

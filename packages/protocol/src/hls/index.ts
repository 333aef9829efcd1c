export { MediaPlaylist, type Segment } from './media-playlist.ts';
export { type Rendition, videoCodecs, writeMultivariantPlaylist } from './multivariant-playlist.ts';

import type { RunningServer } from './server.ts';

/** What the tests read of a stage's statistics document. */
export interface StageStatistics {
  participants: {
    participantId: string;
    publication?: { connected: boolean; packetsReceived: number; tracks: PublishedTrack[] };
    subscriptions: { connected: boolean; packetsSent: number; estimatedBps?: number; tracks: ForwardedTrack[] }[];
  }[];
}

interface PublishedTrack {
  kind: string;
  layers: { packetsReceived: number; keyFrames: number; plisSent: number }[];
}

interface ForwardedTrack {
  kind: string;
  layer?: string;
  packetsSent: number;
  keyFrames: number;
  retransmissions: number;
  nacksReceived: number;
}

export async function stageStatistics({ endpoints }: RunningServer, stageArn: string, token: string) {
  const url = `${endpoints.api}/stages/${stageArn.split('/')[1]}/statistics`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  const { participants } = (await response.json()) as StageStatistics;
  const of = (id: string) => participants.find(({ participantId }) => participantId === id);
  return {
    publication: (id: string) => of(id)?.publication,
    subscription: (id: string) => of(id)?.subscriptions[0],
  };
}

/** The values of a metric by its label's value. */
export async function metric({ endpoints }: RunningServer, name: string): Promise<Record<string, number>> {
  const lines = (await (await fetch(`${endpoints.api}/metrics`)).text()).split('\n');
  const found = lines.flatMap((line) => [...line.matchAll(/^(\w+)\{\w+="([^"]*)"\} (\S+)$/g)]);
  return Object.fromEntries(
    found.filter(([, metric]) => metric === name).map(([, , label, value]) => [label, Number(value)]),
  );
}

import type { ConnectionStatistics, Speaker } from '@footlights/media';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { MediaSnapshot, MediaSnapshots } from '../media-snapshots.ts';
import { authenticate, bearerToken } from './authenticate.ts';
import type { LiveStage } from './live-stage.ts';
import type { LiveStages } from './live-stages.ts';
import { type Participant, publishConnection } from './participant.ts';
import { Refusal, toRefusal } from './refusal.ts';
import type { TokenAuthority } from './tokens.ts';

/** What the statistics endpoint needs. */
export interface StatisticsOptions {
  snapshots: MediaSnapshots;
  stages: LiveStages;
  tokens: TokenAuthority;
}

/** Raised when a member changes its meaning or goes away; new ones may come without. */
export const statisticsVersion = 1;

/** The counters of one media connection since it began. Without its id: whoever knows that and the token could end it. */
type ConnectionAnswer = Omit<ConnectionStatistics, 'connectionId' | 'stageId' | 'participantId' | 'role'>;

/** Who is on a stage and what its media does. */
interface StageStatistics {
  version: number;
  stageId: string;
  /** ISO 8601: when the counters were read. */
  time: string;
  /** The loudest first. */
  speakers: readonly Speaker[];
  participants: ParticipantStatistics[];
}

interface ParticipantStatistics {
  participantId: string;
  userId: string;
  /** ARN of the stage that the participant is shown from. */
  replicaOf?: string;
  /** What it sends, while it publishes; of a replica that of its own stage. */
  publication?: ConnectionAnswer;
  subscriptions: (ConnectionAnswer & { publisherId: string })[];
}

/**
 * GET /stages/<stage id>/statistics with a participant token of the stage: everybody who is joined, what each publishes and
 * receives, and who speaks. Whoever asks twice has rates; within half a second the same document comes again.
 */
export function registerStatistics(app: FastifyInstance, { snapshots, stages, tokens }: StatisticsOptions): void {
  const documents = new Documents();
  app.get<{ Params: { stageId: string } }>('/stages/:stageId/statistics', async (request, reply) => {
    try {
      const { stage } = await authenticate(bearerToken(request.headers), request.headers, { stages, tokens });
      const { stageId } = request.params;
      if (stage.id !== stageId) {
        const message = `The token is for stage ${stage.id}, not for ${stageId.slice(0, 64)}.`;
        throw new Refusal('TOKEN_WRONG_STAGE', message);
      }
      const document = documents.of(stage, await snapshots.read());
      return await reply.headers({ 'cache-control': 'no-store' }).type('application/json').send(document);
    } catch (error) {
      return refuse(reply, toRefusal(error));
    }
  });
}

/** One document of a stage for each snapshot: with thousands of viewers it is megabytes, and any of them may ask. */
class Documents {
  private snapshot: MediaSnapshot | undefined;
  private readonly texts = new Map<LiveStage, string>();

  of(stage: LiveStage, snapshot: MediaSnapshot): string {
    if (snapshot !== this.snapshot) this.texts.clear();
    this.snapshot = snapshot;
    const text = this.texts.get(stage) ?? JSON.stringify(describeStage(stage, snapshot));
    this.texts.set(stage, text);
    return text;
  }
}

function describeStage(stage: LiveStage, snapshot: MediaSnapshot): StageStatistics {
  const { participants, speakers } = stage.present();
  return {
    version: statisticsVersion,
    stageId: stage.id,
    time: snapshot.at.toISOString(),
    speakers,
    participants: participants.map((participant) => describeParticipant(participant, snapshot)),
  };
}

function describeParticipant(participant: Participant, { connections }: MediaSnapshot): ParticipantStatistics {
  const { id, identity, replica } = participant;
  const publishing = replica ? replica.source?.connectionId : publishConnection(participant)?.id;
  const publication = connections.get(publishing ?? '');
  return {
    participantId: id,
    userId: identity.claims.user_id ?? '',
    ...(replica && { replicaOf: replica.stageArn }),
    ...(publication && { publication: describeConnection(publication) }),
    subscriptions: [...participant.connections].flatMap(({ id: connectionId, publisherId }) => {
      const subscription = connections.get(connectionId);
      if (publisherId === undefined || subscription === undefined) return [];
      return [{ publisherId, ...describeConnection(subscription) }];
    }),
  };
}

function describeConnection(statistics: ConnectionStatistics): ConnectionAnswer {
  const { connectionId: _id, stageId: _stage, participantId: _participant, role: _role, ...counters } = statistics;
  return counters;
}

function refuse(reply: FastifyReply, { status, code, message }: Refusal): FastifyReply {
  return reply.code(status).send({ code, message });
}

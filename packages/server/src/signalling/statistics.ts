import type { ConnectionStatistics, Media } from '@footlights/media';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { authenticate, bearerToken } from './authenticate.ts';
import type { LiveStages } from './live-stages.ts';
import { Refusal, toRefusal } from './refusal.ts';
import type { TokenAuthority } from './tokens.ts';

/** What the statistics endpoint needs. */
export interface StatisticsOptions {
  media: Media;
  stages: LiveStages;
  tokens: TokenAuthority;
}

/**
 * GET /stages/<stage id>/statistics with a participant token of the stage: the counters of every media connection on it since
 * that began. Whoever asks twice has rates. Replicas of other stages' participants count on their own stage.
 */
export function registerStatistics(app: FastifyInstance, { media, stages, tokens }: StatisticsOptions): void {
  app.get<{ Params: { stageId: string } }>('/stages/:stageId/statistics', async (request, reply) => {
    try {
      const { stage } = await authenticate(bearerToken(request.headers), request.headers, { stages, tokens });
      if (stage.id !== request.params.stageId) {
        throw new Refusal(
          'TOKEN_WRONG_STAGE',
          `The token is for stage ${stage.id}, not for ${request.params.stageId.slice(0, 64)}.`,
        );
      }
      const { workers } = await media.statistics();
      const connections = workers.flatMap((worker) => worker.connections).filter(({ stageId }) => stageId === stage.id);
      return await reply
        .header('cache-control', 'no-store')
        .send({ stageId: stage.id, connections: connections.map(describe) });
    } catch (error) {
      return refuse(reply, toRefusal(error));
    }
  });
}

/** Without the connection's id: whoever knows it and the token could end the session. */
function describe({ connectionId: _id, stageId: _stage, ...counters }: ConnectionStatistics) {
  return counters;
}

function refuse(reply: FastifyReply, { status, code, message }: Refusal): FastifyReply {
  return reply.code(status).send({ code, message });
}

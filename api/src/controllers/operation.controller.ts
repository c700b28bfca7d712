import { Controller, Inject, Req, Res } from '@nestjs/common'
import type { Storage } from '@hopper/storage'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Registry as Metrics } from 'prom-client'
import { Type } from 'typebox'
import { Endpoint } from '../http/call.ts'
import type { ApiOptions } from '../options.ts'
import { HEALTH, METRICS, METRICS_ACCESS, WORKS_WITHOUT } from '../tokens.ts'

const text = Type.String()

/** Endpoints for an operator's tools; in standalone the ingest plugin serves them. */
@Controller()
export class OperationController {
  private readonly health: Storage['health']
  private readonly worksWithout: readonly string[]
  private readonly registry: Metrics
  private readonly metricsAccess: ApiOptions['metricsAccess']

  constructor(
    @Inject(HEALTH) health: Storage['health'],
    @Inject(WORKS_WITHOUT) worksWithout: readonly string[],
    @Inject(METRICS) registry: Metrics,
    @Inject(METRICS_ACCESS) metricsAccess: ApiOptions['metricsAccess'],
  ) {
    this.health = health
    this.worksWithout = worksWithout
    this.registry = registry
    this.metricsAccess = metricsAccess
  }

  @Endpoint('GET', 'healthcheck', { summary: 'The process answers', need: 'nothing', lenient: true, answer: text })
  healthcheck(@Res() reply: FastifyReply): void {
    void reply.type('text/plain; charset=utf-8').send('OK')
  }

  @Endpoint('GET', 'ready', {
    summary: 'Whether the process can answer reports, and the state of each engine',
    need: 'nothing',
    lenient: true,
    answer: Type.Object({ ready: Type.Boolean() }),
  })
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const engines = await this.health()
    const ready = engines.every(({ name, healthy }) => healthy || this.worksWithout.includes(name))
    void reply.code(ready ? 200 : 503).send({ ready, engines })
  }

  @Endpoint('GET', 'metrics', {
    summary: 'Prometheus',
    need: 'nothing',
    access: 'operator',
    lenient: true,
    answer: text,
  })
  async metrics(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    this.metricsAccess?.(request)
    void reply.type(this.registry.contentType).send(await this.registry.metrics())
  }
}

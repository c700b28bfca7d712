import { types } from 'cassandra-driver'
import { describe, expect, it } from 'vitest'
import { cassandraDefaults, clientOptions, serialConsistency, type CassandraSettings } from './settings.ts'

const settings: CassandraSettings = { ...cassandraDefaults, contactPoints: ['127.0.0.1:9042'], dataCenter: 'datacenter1' }

describe('the settings of Cassandra', () => {
  it('ask a quorum of our data center, and never send twice what is not idempotent', () => {
    const { queryOptions, policies } = clientOptions(settings)
    expect(queryOptions).toMatchObject({ consistency: types.consistencies.localQuorum, serialConsistency: types.consistencies.localSerial, isIdempotent: false })
    const retry = policies!.retry!
    const asked = (idempotent: boolean | undefined, nbRetry = 0): never => ({ query: '', nbRetry, executionOptions: { isIdempotent: () => idempotent } }) as never
    const [rethrow, again] = [retry.rethrowResult().decision, retry.retryResult(undefined as never, false).decision]
    for (const idempotent of [false, undefined]) {
      expect(retry.onRequestError(asked(idempotent), undefined as never, new Error()).decision).toBe(rethrow)
      expect(retry.onReadTimeout(asked(idempotent), undefined as never, 1, 0, false as never).decision).toBe(rethrow)
      expect(retry.onWriteTimeout(asked(idempotent), undefined as never, 1, 0, 'COUNTER').decision).toBe(rethrow)
      expect(retry.onUnavailable(asked(idempotent), undefined as never, 2, 1 as never).decision).toBe(rethrow)
    }
    expect(retry.onRequestError(asked(true), undefined as never, new Error())).toMatchObject({ decision: again, useCurrentHost: false })
    expect(retry.onReadTimeout(asked(true), undefined as never, 2, 1, false as never)).toMatchObject({ decision: again, useCurrentHost: false })
    expect(retry.onRequestError(asked(true, 2), undefined as never, new Error()).decision).toBe(rethrow)
    expect(retry.onWriteTimeout(asked(true), undefined as never, 1, 0, 'SIMPLE').decision).toBe(rethrow)
    expect(clientOptions({ ...settings, consistency: 'QUORUM' }).queryOptions!.consistency).toBe(types.consistencies.quorum)
    expect(serialConsistency({ ...settings, consistency: 'QUORUM' })).toBe(types.consistencies.serial)
  })

  it('refuse a consistency that could lose a count', () => {
    expect(clientOptions({ ...settings, consistency: 'LOCAL_ONE' }).queryOptions!.consistency).toBe(types.consistencies.localOne)
    expect(() => clientOptions({ ...settings, consistency: 'LOCAL_ONE', replication: 3 })).toThrow(/single replica/)
    expect(() => clientOptions({ ...settings, consistency: 'LOCAL_ONE', replication: { a: 1, b: 1 } })).toThrow(/single replica/)
  })

  it('check the nodes against an authority of ours, and say which file is missing', () => {
    expect(clientOptions(settings).sslOptions).toBeUndefined()
    expect(clientOptions({ ...settings, tls: true }).sslOptions).toEqual({ rejectUnauthorized: true })
    const { rejectUnauthorized, ca } = clientOptions({ ...settings, tls: true, tlsCaFile: import.meta.filename }).sslOptions!
    expect(rejectUnauthorized).toBe(true)
    expect(String(ca)).toContain('an authority of ours')
    expect(() => clientOptions({ ...settings, tlsCaFile: '/nowhere/ca.pem' })).toThrow('/nowhere/ca.pem')
  })
})

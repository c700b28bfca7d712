import { types } from 'cassandra-driver'
import { describe, expect, it } from 'vitest'
import { cassandraDefaults, clientOptions, serialConsistency, type CassandraSettings } from './settings.ts'

const settings: CassandraSettings = { ...cassandraDefaults, contactPoints: ['127.0.0.1:9042'], dataCenter: 'datacenter1' }

describe('the settings of Cassandra', () => {
  it('ask a quorum of our data center, and never send a statement twice', () => {
    const { queryOptions, policies } = clientOptions(settings)
    expect(queryOptions).toMatchObject({ consistency: types.consistencies.localQuorum, serialConsistency: types.consistencies.localSerial, isIdempotent: false })
    expect(policies!.retry!.constructor.name).toBe('FallthroughRetryPolicy')
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

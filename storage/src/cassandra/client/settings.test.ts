import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { types } from 'cassandra-driver'
import { describe, expect, it } from 'vitest'
import { cassandraDefaults, clientOptions, serialConsistency, type CassandraSettings } from './settings.ts'

const settings: CassandraSettings = {
  ...cassandraDefaults,
  contactPoints: ['127.0.0.1:9042'],
  dataCenter: 'datacenter1',
}

describe('the settings of Cassandra', () => {
  it('use a quorum of the local data center, and never retry requests that are not idempotent', () => {
    const { queryOptions, policies } = clientOptions(settings)
    expect(queryOptions).toMatchObject({
      consistency: types.consistencies.localQuorum,
      serialConsistency: types.consistencies.localSerial,
      isIdempotent: false,
    })
    const retry = policies!.retry!
    const request = (idempotent: boolean | undefined, nbRetry = 0): never =>
      ({ query: '', nbRetry, executionOptions: { isIdempotent: () => idempotent } }) as never
    const [rethrow, again] = [retry.rethrowResult().decision, retry.retryResult(undefined as never, false).decision]
    for (const idempotent of [false, undefined]) {
      expect(retry.onRequestError(request(idempotent), undefined as never, new Error()).decision).toBe(rethrow)
      expect(retry.onReadTimeout(request(idempotent), undefined as never, 1, 0, false).decision).toBe(rethrow)
      expect(retry.onWriteTimeout(request(idempotent), undefined as never, 1, 0, 'COUNTER').decision).toBe(rethrow)
      expect(retry.onUnavailable(request(idempotent), undefined as never, 2, 1 as never).decision).toBe(rethrow)
    }
    expect(retry.onRequestError(request(true), undefined as never, new Error())).toMatchObject({
      decision: again,
      useCurrentHost: false,
    })
    expect(retry.onReadTimeout(request(true), undefined as never, 2, 1, false)).toMatchObject({
      decision: again,
      useCurrentHost: false,
    })
    expect(retry.onRequestError(request(true, 2), undefined as never, new Error()).decision).toBe(rethrow)
    expect(retry.onWriteTimeout(request(true), undefined as never, 1, 0, 'SIMPLE').decision).toBe(rethrow)
    expect(clientOptions({ ...settings, consistency: 'QUORUM' }).queryOptions!.consistency).toBe(
      types.consistencies.quorum,
    )
    expect(serialConsistency({ ...settings, consistency: 'QUORUM' })).toBe(types.consistencies.serial)
  })

  it('refuse a consistency that could lose a count', () => {
    expect(clientOptions({ ...settings, consistency: 'LOCAL_ONE' }).queryOptions!.consistency).toBe(
      types.consistencies.localOne,
    )
    expect(() => clientOptions({ ...settings, consistency: 'LOCAL_ONE', replication: 3 })).toThrow(/single replica/)
    expect(() => clientOptions({ ...settings, consistency: 'LOCAL_ONE', replication: { a: 1, b: 1 } })).toThrow(
      /single replica/,
    )
  })

  it('use the port of the contact points for every node, and refuse different ports', () => {
    const portOf = (...contactPoints: string[]): unknown =>
      clientOptions({ ...settings, contactPoints }).protocolOptions?.port
    expect(portOf('127.0.0.1:9142', '127.0.0.2:9142')).toBe(9142)
    expect(portOf('[::1]:9043')).toBe(9043)
    expect(portOf('node')).toBe(9042)
    expect(() => portOf('127.0.0.1:9142', '127.0.0.2:9143')).toThrow(/different ports/)
  })

  it('verify the nodes against a given authority, and name a missing file', () => {
    expect(clientOptions(settings).sslOptions).toBeUndefined()
    expect(clientOptions({ ...settings, tls: true }).sslOptions).toEqual({ rejectUnauthorized: true })
    const dir = mkdtempSync(join(tmpdir(), 'hopper-ca-'))
    const tlsCaFile = join(dir, 'ca.pem')
    writeFileSync(tlsCaFile, rootCertificates[0]!)
    const { rejectUnauthorized, ca } = clientOptions({ ...settings, tls: true, tlsCaFile }).sslOptions!
    expect([rejectUnauthorized, String(ca)]).toEqual([true, rootCertificates[0]])
    rmSync(dir, { recursive: true })
    for (const none of ['/nowhere/ca.pem', import.meta.filename, import.meta.dirname, '/dev/zero']) {
      expect(() => clientOptions({ ...settings, tlsCaFile: none })).toThrow(`${none} cannot be read as a certificate`)
    }
  })
})

import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { HopperError } from '@hopper/contracts'
import type { FastifyInstance } from 'fastify'

const reasons: Record<string, string> = {
  EADDRINUSE: 'another program listens there already; stop it, or choose another --port',
  EACCES: 'the system does not allow it; ports below 1024 need a privilege',
  EADDRNOTAVAIL: 'this machine has no such address; choose another --host',
  EINVAL: 'this is not an address to listen on; choose another --host',
  EAFNOSUPPORT: 'this machine has no such kind of address; choose another --host',
  ENOTFOUND: 'no address belongs to this name; choose another --host',
  EAI_AGAIN: 'the name cannot be looked up; choose another --host',
}

/**
 * Finds the port to listen on. Links need its number before the server listens, so a free one is chosen here; a port in
 * use is refused before anything else starts.
 * @throws HopperError HOP_CONFIG
 */
export async function portFor({ host, port }: { host: string; port: number }): Promise<number> {
  const probe = createServer()
  try {
    await once(probe.listen(port, host), 'listening')
    return (probe.address() as AddressInfo).port
  } catch (cause) {
    throw listenError(host, port, cause)
  } finally {
    await new Promise((closed) => probe.close(closed))
  }
}

/** Returns the address of a server on this machine. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Listens on a port that `portFor` has found, and logs it. */
export async function serve(server: FastifyInstance, { host, port }: { host: string; port: number }): Promise<void> {
  await listen(server, host, port)
  server.log.info({ url: urlOf(host, port) }, 'ready')
}

/** Listens for requests. */
export async function listen(server: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await server.listen({ host, port })
  } catch (cause) {
    throw listenError(host, port, cause)
  }
}

function listenError(host: string, port: number, cause: unknown): unknown {
  const reason = reasons[(cause as NodeJS.ErrnoException).code ?? '']
  return reason === undefined
    ? cause
    : new HopperError('HOP_CONFIG', `Hopper cannot listen on ${host}:${port}: ${reason}.`, { cause })
}

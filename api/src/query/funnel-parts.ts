import type { MessagePort } from 'node:worker_threads'
import { buffersOf, type FunnelPartial } from '@hopper/engine'
import { JobCancelled } from './chunk-source.ts'

/** The other threads of a split funnel query, as seen by the thread that merges their results. */
export class OtherParts {
  readonly #ports: readonly MessagePort[]

  constructor(ports: readonly MessagePort[]) {
    this.#ports = ports
  }

  /** @throws JobCancelled if one of them cannot answer; it has reported the reason to the main thread */
  find(withTieBreakers: boolean): Promise<FunnelPartial[]> {
    return Promise.all(
      this.#ports.map(
        (port) =>
          new Promise<FunnelPartial>((resolve, reject) => {
            port.once('message', resolve)
            port.once('close', () => reject(new JobCancelled()))
            port.postMessage(withTieBreakers)
          }),
      ),
    )
  }

  close(): void {
    this.#ports.forEach((port) => port.close())
  }
}

/** Answers the merging thread until it closes its port. Rejects if `find` rejects. */
export async function findForLeader(
  leader: MessagePort,
  find: (withTieBreakers: boolean) => Promise<FunnelPartial>,
): Promise<void> {
  let answered = Promise.resolve()
  const finished = new Promise<void>((resolve, reject) => {
    leader.on('message', (withTieBreakers: boolean) => {
      answered = find(withTieBreakers).then((partial) => leader.postMessage(partial, buffersOf(partial)))
      answered.catch(reject)
    })
    // A result that is no longer needed may still be computing; the thread is not free until that ends.
    leader.on('close', () => void answered.then(resolve, reject))
  })
  await finished.finally(() => leader.close())
}

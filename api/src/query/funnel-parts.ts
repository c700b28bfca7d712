import type { MessagePort } from 'node:worker_threads'
import { buffersOf, type FunnelPartial } from '@hopper/engine'
import { JobCancelled } from './chunk-source.ts'

/** The parts of a funnel question that other threads have, as the one sees them that merges what they find. */
export class OtherParts {
  readonly #ports: readonly MessagePort[]

  constructor(ports: readonly MessagePort[]) {
    this.#ports = ports
  }

  /** @throws JobOver when one of them cannot answer: it has told the main thread why */
  find(placed: boolean): Promise<FunnelPartial[]> {
    return Promise.all(
      this.#ports.map(
        (port) =>
          new Promise<FunnelPartial>((resolve, reject) => {
            port.once('message', resolve)
            port.once('close', () => reject(new JobCancelled()))
            port.postMessage(placed)
          }),
      ),
    )
  }

  close(): void {
    this.#ports.forEach((port) => port.close())
  }
}

/** Answers the thread that merges until it asks no more. Rejects with what `find` rejected with. */
export async function findForLeader(
  leader: MessagePort,
  find: (placed: boolean) => Promise<FunnelPartial>,
): Promise<void> {
  let answered = Promise.resolve()
  const over = new Promise<void>((resolve, reject) => {
    leader.on('message', (placed: boolean) => {
      answered = find(placed).then((partial) => leader.postMessage(partial, buffersOf(partial)))
      answered.catch(reject)
    })
    // What it no longer asks for may still be under way, and the thread is not free before that ends.
    leader.on('close', () => void answered.then(resolve, reject))
  })
  await over.finally(() => leader.close())
}

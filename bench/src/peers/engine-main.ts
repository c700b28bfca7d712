import { parentPort, workerData } from 'node:worker_threads'
import { buffersOf, ColumnCache, FunnelScan, spansOf } from '@hopper/engine'
import { CACHE_BYTES_MAX, type EngineJob, type EngineReply, type EngineShare } from './engine-job.ts'
import { LaneFile } from './lane-file.ts'

const { files, identities } = workerData as EngineShare
const lanes = files.map(({ lane, path }) => ({ lane, file: new LaneFile(path) }))
const cache = new ColumnCache(CACHE_BYTES_MAX)
const hot = lanes.map(({ lane, file }) => ({ lane, identities, spans: spansOf(file.chunks(cache)) }))

parentPort!.on('message', (job: EngineJob) => {
  const scan = new FunnelScan(job.request, job.context, undefined, job.withTieBreakers)
  // cold: one lane after the other, so that only one is in memory
  lanes.forEach(({ lane, file }, i) =>
    scan.scanLane(job.hot ? hot[i]! : { lane, identities, spans: spansOf(file.chunks()) }),
  )
  const partial = scan.partial()
  parentPort!.postMessage({ partial, cacheBytes: cache.bytes } satisfies EngineReply, buffersOf(partial))
})

import { createLogger } from '../logger.ts'
import { openEmbedded, clearFolds } from '@hopper/storage/embedded'
import { countAll } from './count-all.ts'

/** Run as a process of its own: `dir lanes`. Rebuilds the data directory as `hopper rebuild` does, and says when it begins and when it has ended. */
const [dir, lanes] = process.argv.slice(2) as [string, string]
process.stdout.write('begun\n')
clearFolds(dir)
const storage = await openEmbedded({ dir, lanes: Number(lanes) })
await countAll(storage, createLogger('silent', 'rebuild'), () => undefined)
await storage.close()
process.stdout.write('done\n')

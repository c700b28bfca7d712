import * as fc from 'fast-check'
import type { BotRule } from '@hopper/contracts'
import { repetitions } from '@hopper/storage/contract/repetitions'
import { expect, it } from 'vitest'
import { configOf, countAll, makeInstallation, traffic } from '../testing/installation.fixture.ts'
import { openInstallation } from '../installation/open-installation.ts'
import { rebuildInstallation } from './rebuild-main.ts'
import { createLogger } from '../logging/logger.ts'

const report = { logger: createLogger('silent', 'test'), progress: () => undefined }
const rule: BotRule = { kind: 'browser', value: 'Firefox', action: 'bot' }

it('a rebuild gives the same verdicts about bots as live counting, and the audit agrees', async () => {
  await fc.assert(
    fc.asyncProperty(traffic, traffic, async (before, after) => {
      await using installation = await makeInstallation()
      const { storage, dir, tables } = installation
      const contents = (): unknown[] =>
        ['activity_by_date', 'fates_by_date', 'users_by_date', 'sessions_by_id']
          .flatMap((table) =>
            tables
              .prepare(`SELECT * FROM ${table}`)
              .all()
              .map((row) => JSON.stringify(row)),
          )
          .filter((row) => !/"events":0\b/.test(row))
          .sort()
      await storage.log.append(before)
      await installation.count()
      const app = (await storage.registry.app('berlin'))!
      await storage.registry.apps.put('acme', 'berlin', { ...app, bot_rules: [rule] })
      await storage.log.append(after)
      await countAll(storage)
      expect(await installation.audit()).toEqual([])
      const live = contents()
      await storage.close()
      await rebuildInstallation(configOf(dir, 2), undefined, report)
      expect(contents()).toEqual(live)
      const again = await openInstallation(configOf(dir, 2))
      expect(await again.registry.botReviews.list('berlin')).toHaveLength(2)
      await again.close()
    }),
    { numRuns: repetitions(6) },
  )
}, 240_000)

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { environment } from '../installations/config.ts'
import versions from './versions.json' with { type: 'json' }

const run = promisify(execFile)

/** The directory that caches the engines' jars between runs. */
export const jarCache =
  environment.HOPPER_ENGINES_CACHE ?? join(environment.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hopper-engines')

/** Returns the class path of an engine: its jars from Maven's central repository, resolved once into the cache. */
export async function jarsOf(engine: keyof typeof versions, cache: string): Promise<string> {
  const { maven, version } = versions[engine]
  const [groupId, artifactId] = maven.split(':')
  const folder = join(cache, `${engine}-${version}`)
  if (!existsSync(join(folder, '.done'))) {
    mkdirSync(folder, { recursive: true })
    const pom = join(folder, 'pom.xml')
    writeFileSync(
      pom,
      `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>hopper.engines</groupId><artifactId>${engine}</artifactId><version>1</version>
<dependencies><dependency>
<groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>
</dependency></dependencies></project>`,
    )
    await run(
      'mvn',
      ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'jars')}`],
      { timeout: 600_000 },
    )
    writeFileSync(join(folder, '.done'), '')
  }
  return `${join(folder, 'jars')}/*`
}

/** Checks whether Java and Maven are installed to start engines from jars. */
export async function canUseJars(): Promise<boolean> {
  const answers = await Promise.allSettled([run('java', ['-version']), run('mvn', ['-v'])])
  return answers.every(({ status }) => status === 'fulfilled')
}

import { HopperError } from '@hopper/contracts'
import { rules } from './dependent-settings.ts'
import { settings, type settingsOf, type AllSettings, type Setting, type SettingName } from './settings.ts'

/** The values of some settings. */
export type Config<N extends SettingName = SettingName> = Pick<AllSettings, N>
/** The settings that a subcommand takes. */
export type ConfigOf<S extends keyof typeof settingsOf> = Config<(typeof settingsOf)[S][number]>
export type Flags = Partial<Record<SettingName, string>>

/**
 * Reads settings from the flags, then the environment, then the defaults. Throws one HOP_CONFIG error that names all
 * bad ones.
 */
export function readConfig<N extends SettingName>(
  names: readonly N[],
  flags: Flags,
  environment: NodeJS.ProcessEnv = process.env,
): Config<N> {
  const bad: { name: string; message: string }[] = []
  const read = (name: SettingName): unknown => {
    const setting: Setting<unknown> = settings[name]
    const [source, text] =
      flags[name] !== undefined
        ? [setting.flag, flags[name]]
        : [setting.variable, environment[setting.variable] || setting.default]
    if (text === undefined) return undefined
    try {
      return setting.read(text)
    } catch (error) {
      bad.push({
        name: source,
        message: `${source} must be ${(error as Error).message}, not "${displayText(name, text)}"`,
      })
      return undefined
    }
  }
  const config = Object.fromEntries(names.map((name) => [name, read(name)]))
  // Rules skip values that are already invalid by themselves.
  const isGood = (name: SettingName): boolean =>
    (names as readonly SettingName[]).includes(name) &&
    !bad.some((each) => [settings[name].flag, settings[name].variable].includes(each.name as never))
  for (const { dependsOn, culprit, broken } of rules) {
    const why = dependsOn.every(isGood) ? broken(config as AllSettings) : undefined
    if (why !== undefined) bad.push({ name: settings[culprit].flag, message: `${settings[culprit].flag} ${why}` })
  }
  if (bad.length > 0)
    throw new HopperError('HOP_CONFIG', `${bad.map(({ message }) => message).join('; ')}.`, { details: bad })
  return Object.freeze(config) as Config<N>
}

/** Returns variables that look like a setting of Hopper but are not: a typo would otherwise go unnoticed. */
export function unknownVariables(environment: NodeJS.ProcessEnv = process.env): string[] {
  const known = new Set<string>([...Object.values(settings).map(({ variable }) => variable), 'HOPPER_REQUIRE_ENGINES'])
  return Object.keys(environment).filter((name) => name.startsWith('HOPPER_') && !known.has(name))
}

function displayText(name: SettingName, text: string): string {
  return /(Password|Token|Secret|smtpUrl)$/.test(name) ? '…' : text.slice(0, 100)
}

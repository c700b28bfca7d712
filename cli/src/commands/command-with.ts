import { Command, Option } from 'commander'
import { readConfig, type Config, type Flags } from '../config/config.ts'
import { settings, type Setting, type SettingName } from '../config/settings.ts'

/**
 * Creates a subcommand that takes these settings as flags. Its action receives their values and the options and
 * arguments that the caller adds.
 */
export function commandWith<N extends SettingName, O extends object>(
  name: string,
  description: string,
  names: readonly N[],
  action: (config: Config<N>, options: O, ...args: string[]) => Promise<void>,
): Command {
  const command = new Command(name).description(description)
  for (const each of names) command.addOption(optionOf(each))
  return command.action(() => action(readConfig(names, command.opts<Flags>()), command.opts<O>(), ...command.args))
}

/** Builds the option of a setting; the help shows its default and its variable. */
export function optionOf(name: SettingName): Option {
  const setting: Setting<unknown> = settings[name]
  const shown = setting.default === undefined ? setting.help : `${setting.help} (default: ${setting.default})`
  const option = new Option(
    `${setting.flag} ${setting.isSwitch ? '[value]' : '<value>'}`,
    `${shown} [${setting.variable}]`,
  )
  if (setting.isSwitch) option.preset('true')
  return name.startsWith('unsafe') ? option.hideHelp() : option
}

import { expect, it } from 'vitest'
import { subcommands } from './subcommands.ts'

it.each(Object.entries(subcommands))('%s is loaded by the name that it is run by', async (name, load) => {
  expect((await load()).name()).toBe(name)
})

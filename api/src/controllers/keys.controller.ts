import { Controller, Inject } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import type { Caller } from '../access/caller.ts'
import { CreatedKey, Keys, NewKey } from '../answers/administration.ts'
import { Calls } from '../http/call.ts'
import { PathPart, Sent, TheApp, TheCaller } from '../http/parameters.ts'
import { KeysService } from '../services/keys.service.ts'

@Controller('api/v1/apps/:app/keys')
export class KeysController {
  private readonly keys: KeysService

  constructor(@Inject(KeysService) keys: KeysService) {
    this.keys = keys
  }

  @Calls('GET', '', { summary: 'The keys, by their hints', need: 'administrate', answer: Keys })
  async list(@TheApp() app: App, @TheCaller() caller: Caller): Promise<Keys> {
    return { keys: await this.keys.list(app, caller) }
  }

  @Calls('POST', '', { summary: 'Make a key; it is shown this once', need: 'administrate', body: NewKey, answer: CreatedKey })
  create(@TheApp() app: App, @Sent() { power }: NewKey, @TheCaller() caller: Caller): Promise<CreatedKey> {
    return this.keys.create(app, power, caller)
  }

  @Calls('DELETE', ':key', { summary: 'Remove a key', need: 'administrate' })
  remove(@TheApp() app: App, @PathPart('key') id: string, @TheCaller() caller: Caller): Promise<void> {
    return this.keys.remove(app, id, caller)
  }
}

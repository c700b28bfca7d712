import { Controller, Inject } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import { checkScope } from '../../access/access.guard.ts'
import type { Caller } from '../../access/caller.ts'
import { CreatedKey, NewKey, type Keys } from '../../answers/administration.ts'
import {
  EventKeysParameters,
  EventValues,
  KeysAnswer,
  KeyValuesParameters,
  type EventKeys,
} from '../../answers/events/event-keys.ts'
import { keysTable } from '../../answers/tables.ts'
import { Endpoint } from '../../http/call.ts'
import { ValidQuery, PathPart, ValidBody, CurrentApp, CurrentCaller, CurrentClient } from '../../http/parameters.ts'
import type { Client } from '../../query/sharing/shared-runs.ts'
import { EventKeysService } from '../../services/event-keys.service.ts'
import { KeysService } from '../../services/administration/keys.service.ts'

const note =
  'With `prefix` (which may be empty) or `where`: the keys of events. ' +
  'Without both: the access keys, by their hints, for owners and admins.'

/**
 * Endpoints of two kinds of keys: the keys of events, and the access keys of the app. The parameters decide which
 * (decision 0007).
 */
@Controller('api/v1/apps/:app/keys')
export class KeysController {
  private readonly keys: KeysService
  private readonly eventKeys: EventKeysService

  constructor(@Inject(KeysService) keys: KeysService, @Inject(EventKeysService) eventKeys: EventKeysService) {
    this.keys = keys
    this.eventKeys = eventKeys
  }

  @Endpoint('GET', '', {
    summary: 'The keys of events, or the access keys',
    note,
    need: 'read',
    query: EventKeysParameters,
    csv: keysTable,
    answer: KeysAnswer,
  })
  async list(
    @CurrentApp() app: App,
    @CurrentCaller() caller: Caller,
    @ValidQuery() parameters: EventKeysParameters,
    @CurrentClient() client: Client,
  ): Promise<EventKeys | Keys> {
    if (parameters.prefix !== undefined || parameters.where !== undefined)
      return this.eventKeys.keys(app, parameters, client)
    checkScope(caller, 'admin')
    return { keys: await this.keys.list(app, caller) }
  }

  @Endpoint('GET', ':key/values', {
    summary: 'The values that a key of events has',
    need: 'read',
    query: KeyValuesParameters,
    answer: EventValues,
    csv: true,
  })
  values(
    @CurrentApp() app: App,
    @PathPart('key') key: string,
    @ValidQuery() parameters: KeyValuesParameters,
    @CurrentClient() client: Client,
  ): Promise<EventValues> {
    return this.eventKeys.values(app, key, parameters, client)
  }

  @Endpoint('POST', '', {
    summary: 'Create an access key; a read or admin key is shown only once',
    need: 'admin',
    body: NewKey,
    answer: CreatedKey,
  })
  create(@CurrentApp() app: App, @ValidBody() key: NewKey, @CurrentCaller() caller: Caller): Promise<CreatedKey> {
    return this.keys.create(app, key, caller)
  }

  @Endpoint('DELETE', ':key', { summary: 'Remove an access key', need: 'admin' })
  remove(@CurrentApp() app: App, @PathPart('key') id: string, @CurrentCaller() caller: Caller): Promise<void> {
    return this.keys.remove(app, id, caller)
  }
}

import { Controller, Inject } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import { Person, PersonParameters, Persons, PersonsParameters } from '../answers/people.ts'
import { personsTable, personTable } from '../answers/tables.ts'
import { Endpoint } from '../http/call.ts'
import { ValidQuery, PathPart, CurrentApp, CurrentClient } from '../http/parameters.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { PersonsService } from '../services/people/persons.service.ts'

@Controller('api/v1/apps/:app/persons')
export class PersonsController {
  private readonly persons: PersonsService

  constructor(@Inject(PersonsService) persons: PersonsService) {
    this.persons = persons
  }

  @Endpoint('GET', '', {
    need: 'read',
    status: 200,
    progress: true,
    summary: 'The persons that have events in the range',
    query: PersonsParameters,
    csv: personsTable,
    answer: Persons,
  })
  list(
    @CurrentApp() app: App,
    @ValidQuery() parameters: PersonsParameters,
    @CurrentClient() client: Client,
  ): Promise<Persons> {
    return this.persons.list(app, parameters, client)
  }

  @Endpoint('GET', ':person', {
    need: 'read',
    summary: 'Devices, traits, computed properties and timeline of a person',
    note:
      'A person is `u:USER` or `d:DEVICE`, as in the lists of a funnel; without a prefix it is a user. ' +
      'A device that was identified has the traits and properties of its first user.',
    query: PersonParameters,
    csv: personTable,
    answer: Person,
  })
  one(
    @CurrentApp() app: App,
    @PathPart('person') id: string,
    @ValidQuery() parameters: PersonParameters,
    @CurrentClient() client: Client,
  ): Promise<Person> {
    return this.persons.one(app, id, parameters, client)
  }
}

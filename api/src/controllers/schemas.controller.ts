import { Controller } from '@nestjs/common'
import { querySchema } from '@hopper/contracts'
import { Type } from 'typebox'
import { Endpoint } from '../http/call.ts'

const schema = querySchema()

/** The schema of a query, for editors and for programs that generate queries. */
@Controller('schemas')
export class SchemasController {
  @Endpoint('GET', 'query.json', {
    need: 'nothing',
    summary: 'The JSON Schema of a query, with an example for each part',
    answer: Type.Record(Type.String(), Type.Unknown()),
  })
  query(): Record<string, unknown> {
    return schema
  }
}

import { Type, type Static } from 'typebox'

/** A message of JSON-RPC 2.0, as the Model Context Protocol sends it. The protocol's own checks follow. */
export const McpMessage = Type.Object(
  {
    jsonrpc: Type.Literal('2.0'),
    method: Type.String({ maxLength: 100, description: 'initialize, tools/list, tools/call and the like' }),
    id: Type.Optional(Type.Union([Type.String({ maxLength: 200 }), Type.Integer()])),
    params: Type.Optional(Type.Object({}, { additionalProperties: true })),
  },
  { additionalProperties: true },
)
export type McpMessage = Static<typeof McpMessage>

export const McpAnswer = Type.Object({
  jsonrpc: Type.Literal('2.0'),
  id: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
  result: Type.Optional(Type.Object({}, { additionalProperties: true })),
  error: Type.Optional(Type.Object({}, { additionalProperties: true })),
})

import { Type, type Static } from 'typebox'

/** Request and response schemas of the calls about second factors. */

export const Code = Type.String({
  minLength: 1,
  maxLength: 40,
  description: 'of the authenticator, or a recovery code; spaces and hyphens are ignored',
})

export const SecondFactorView = Type.Object({
  on: Type.Boolean({ description: 'whether a login needs a code' }),
  recovery_codes_left: Type.Integer({ minimum: 0 }),
})
export type SecondFactorView = Static<typeof SecondFactorView>

export const NewSecondFactorBody = Type.Object({
  current_password: Type.Optional(Type.String({ maxLength: 200, description: 'needed if you have a password' })),
})
export type NewSecondFactorBody = Static<typeof NewSecondFactorBody>

export const NewSecondFactor = Type.Object({
  secret: Type.String({ description: 'base32, to type into an authenticator' }),
  uri: Type.String({ description: 'the same as an `otpauth:` address, to show as a QR code' }),
})
export type NewSecondFactor = Static<typeof NewSecondFactor>

export const CodeBody = Type.Object({ code: Code })
export type CodeBody = Static<typeof CodeBody>

export const RecoveryCodes = Type.Object({
  recovery_codes: Type.Array(Type.String(), { description: 'shown only once; each replaces the second factor once' }),
})
export type RecoveryCodes = Static<typeof RecoveryCodes>

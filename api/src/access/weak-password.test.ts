import { expect, test } from 'vitest'
import { weaknessOf } from './weak-password.ts'

test.each([
  'password12',
  'Password123!',
  'P@ssw0rd2024',
  'qwertyuiop',
  '1234567890',
  '0987654321',
  'aaaaaaaaaa',
  'abababab12',
  'iloveyou2026',
  'administrator',
  'Welcome2026!',
  'passwordpassword',
  '123password456',
  'hopperadmin',
  'ann.owner!!!',
])('%s is refused', (password) => expect(weaknessOf(password, ['ann.owner', 'acme'])).toBeDefined())

test.each([
  'correct horse',
  'another horse',
  'blue kettle on tuesday',
  'xK9!vQ2#mZ7p',
  'my password is a long sentence',
])('%s is accepted', (password) => expect(weaknessOf(password, ['ann', 'acme'])).toBeUndefined())

/**
 * Words that occur in most guessed passwords, from what published lists of leaked passwords have in common. A word
 * with digits or signs around it, with letters written as digits, or repeated, is found as well.
 */
const words = (
  'password passwort passwd pass admin administrator root user login welcome letmein changeme default secret ' +
  'qwerty qwertyuiop qwertz qwertzuiop azerty asdfghjkl asdfgh zxcvbnm qazwsx qazwsxedc abc abcd abcdef abcdefgh ' +
  'iloveyou iloveu love monkey dragon football baseball basketball soccer master sunshine princess shadow superman ' +
  'batman starwars trustno michael jordan jennifer charlie thomas jessica ashley daniel andrew computer internet ' +
  'samsung google microsoft facebook linkedin hello freedom whatever flower summer winter spring autumn monday ' +
  'friday january hopper hopperadmin analytics company test testing demo guest temp temporary letmeinplease ' +
  'correcthorsebatterystaple'
).split(' ')
const known = new Set(words)
const letters: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
}
/** Fewer different characters are a key held down, or a walk back and forth. */
const DIFFERENT_MIN = 5
const ROWS = [
  '01234567890123456789',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
  '1qaz2wsx3edc4rfv5tgb',
]

/**
 * Returns why a password is among the first that anybody tries, as the end of a sentence; undefined if it is not.
 * @param own the name and id of the member and the id of the organization
 */
export function weaknessOf(password: string, own: readonly string[]): string | undefined {
  const text = password.normalize('NFKC').toLowerCase()
  if (new Set(text).size < DIFFERENT_MIN) return 'has too few different characters'
  if (ROWS.some((row) => isWalk(text, row))) return 'is a row of the keyboard or of the alphabet'
  const names = own.map((name) => name.toLowerCase()).filter((name) => name.length > 2)
  const cores = [coreOf(text), coreOf(spelledOut(text))]
  if (cores.some((core) => known.has(core) || known.has(halfOf(core)))) return 'is a common password'
  if (cores.some((core) => names.includes(core))) return 'is a name of yours'
  return undefined
}

/** Returns the text without digits and signs at its ends. */
function coreOf(text: string): string {
  return text.replace(/^[^a-z]+|[^a-z]+$/g, '')
}

function spelledOut(text: string): string {
  return text.replace(/[^a-z]+$/, '').replace(/[013457@$]/g, (sign) => letters[sign]!)
}

/** Returns one half of a text that consists of two equal ones. */
function halfOf(text: string): string {
  const half = text.slice(0, text.length / 2)
  return half + half === text ? half : text
}

function isWalk(text: string, row: string): boolean {
  return row.includes(text) || [...row].reverse().join('').includes(text)
}

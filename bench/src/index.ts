export { median, paired, reportLine, type Paired } from './paired.ts'

export { median, paired, reportLine, type Paired } from './harness/paired.ts'

export { Aggregator, type AggregatorLogger, type AggregatorOptions } from './aggregator.ts'

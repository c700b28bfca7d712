import { parser } from '@prometheus-io/lezer-promql'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'

const repository = resolve(import.meta.dirname, '../../..')
const deploy = join(repository, 'deploy')
const packages = ['aggregator', 'api', 'cli', 'ingest']

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string }
}
const { groups } = parse(read('prometheus/alerts.yml')) as { groups: { rules: Alert[] }[] }
const alerts = groups.flatMap(({ rules }) => rules)

const { panels } = JSON.parse(read('grafana/hopper.json')) as {
  panels: { title: string; targets?: { expr: string }[] }[]
}
const charts = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))

function read(path: string): string {
  return readFileSync(join(deploy, path), 'utf8')
}

/** The metrics that the processes register, as their sources name them. */
function registeredMetrics(): Set<string> {
  const sources = packages.flatMap((name) =>
    readdirSync(join(repository, name, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(file))
      .map((file) => readFileSync(join(repository, name, 'src', file), 'utf8')),
  )
  return new Set(sources.flatMap((text) => [...text.matchAll(/'(hopper_[a-z_]+)'/g)].map(([, name]) => name!)))
}

/** The names of metrics in an expression of PromQL; throws when it does not parse. */
function metricsOf(expression: string): string[] {
  const names: string[] = []
  parser.parse(expression).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) throw new SyntaxError(`PromQL does not parse at ${from}: ${expression}`)
      if (type.name === 'Identifier' && !type.isTop) names.push(expression.slice(from, to))
    },
  })
  return names.map((name) => name.replace(/_(bucket|count|sum)$/, ''))
}

describe('alert rules and the Grafana dashboard', () => {
  const metrics = registeredMetrics()

  it.each([
    ...alerts.map(({ alert, expr }) => ({ name: alert, expr })),
    ...charts.map((c) => ({ ...c, name: c.title })),
  ])('$name parses and asks for metrics that exist', ({ expr }) => {
    const names = metricsOf(expr)
    expect(names).not.toEqual([])
    for (const name of names) expect(name === 'up' || metrics.has(name), name).toBe(true)
  })

  it('control: an expression that does not parse is refused', () => {
    expect(() => metricsOf('sum(rate(hopper_ingest_requests_total[5m])')).toThrow('does not parse')
  })

  it.each(alerts)('$alert says what to do, and its runbook is a heading', ({ labels, annotations }) => {
    expect(['page', 'ticket']).toContain(labels.severity)
    const [file, anchor] = annotations.runbook.split('#')
    const headings = readFileSync(join(repository, file!), 'utf8').matchAll(/^#+ (.*)$/gm)
    const anchors = [...headings].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    )
    expect(anchors).toContain(anchor)
    expect(annotations.description.length).toBeGreaterThan(20)
  })
})

const hasHelm = spawnSync('helm', ['version']).status === 0
if (!hasHelm) console.log('Helm chart: SKIPPED, no helm on this machine')

describe.skipIf(!hasHelm)('the Helm chart', () => {
  const required = [
    'engines.kafka.brokers=kafka:9092',
    'engines.cassandra.contactPoints=cassandra:9042',
    'engines.cassandra.datacenter=dc1',
    'publicUrl=https://hopper.example',
    'ingestUrl=https://events.example',
  ].flatMap((value) => ['--set', value])
  const helm = (...args: string[]): string =>
    execFileSync('helm', args, { cwd: join(deploy, 'helm/hopper'), encoding: 'utf8', stdio: 'pipe' })

  it('passes helm lint, and its schema refuses values without engines', () => {
    helm('lint', '--strict', '.', ...required)
    expect(() => helm('template', 'release', '.', '--kube-version', '1.29.0')).toThrow('engines.kafka.brokers')
  })

  it('runs each process unprivileged, with probes and a budget of disruptions', () => {
    const rendered = helm('template', 'release', '.', '--kube-version', '1.29.0', ...required)
    const objects = parseAllDocuments(rendered).map((document) => document.toJS() as KubernetesObject)
    const pods = objects.flatMap(({ spec }) => spec?.template?.spec ?? [])
    expect(pods.flatMap(({ containers }) => containers.map(({ name }) => name)).sort()).toEqual([
      'aggregator',
      'api',
      'ingest',
      'migrate',
    ])
    for (const { containers, securityContext } of pods) {
      expect(securityContext).toMatchObject({ runAsNonRoot: true })
      for (const container of containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        if (container.name !== 'migrate') expect(container).toHaveProperty('readinessProbe.httpGet.path', '/ready')
      }
    }
    const kinds = objects.map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'PodDisruptionBudget')).toHaveLength(3)
    expect(kinds).toContain('HorizontalPodAutoscaler')
  })
})

interface KubernetesObject {
  readonly kind: string
  readonly spec?: {
    readonly template?: {
      readonly spec: {
        readonly securityContext: object
        readonly containers: readonly { readonly name: string; readonly securityContext: object }[]
      }
    }
  }
}

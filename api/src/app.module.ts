import { SignedTokens } from '@hopper/storage'
import { Module, type DynamicModule, type Provider } from '@nestjs/common'
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core'
import { AlertChecks } from './alerts/alert-checks.ts'
import { AlertRunner } from './alerts/alert-runner.ts'
import { AlertSender } from './alerts/alert-sender.ts'
import { FallCheck } from './alerts/fall-check.ts'
import { FunnelQuestions } from './alerts/funnel-questions.ts'
import { QuietCheck } from './alerts/quiet-check.ts'
import { ReportCheck } from './alerts/report-check.ts'
import { AccessGuard } from './access/access.guard.ts'
import { LoginAttempts } from './access/login-attempts.ts'
import { OidcProvider } from './access/provider/oidc-provider.ts'
import { ProviderLinks } from './access/provider/provider-links.ts'
import { SecondFactors } from './access/second-factors.ts'
import { SessionGuesses } from './access/session-guesses.ts'
import { SharedSessions } from './access/shared-sessions.ts'
import { AccessService } from './access/access.service.ts'
import { Completeness } from './answers/completeness.ts'
import { AlertsController } from './controllers/administration/alerts.controller.ts'
import { AnnotationsController } from './controllers/administration/annotations.controller.ts'
import { AppsController } from './controllers/administration/apps.controller.ts'
import { DeadLettersController } from './controllers/dead-letters.controller.ts'
import { ElementsController } from './controllers/administration/elements.controller.ts'
import { EventStoreController } from './controllers/event-store.controller.ts'
import { EventsController } from './controllers/events.controller.ts'
import { ExportController } from './controllers/export.controller.ts'
import { ForgetsController } from './controllers/forgets.controller.ts'
import { FunnelsController } from './controllers/administration/funnels.controller.ts'
import { InstallingController } from './controllers/administration/installing.controller.ts'
import { KeysController } from './controllers/administration/keys.controller.ts'
import { AuditsController } from './controllers/system/audits.controller.ts'
import { InstallationController } from './controllers/system/installation.controller.ts'
import { ChangesController } from './controllers/changes.controller.ts'
import { LiveController } from './controllers/live.controller.ts'
import { SecondFactorController } from './controllers/administration/second-factor.controller.ts'
import { LoginController } from './controllers/administration/login.controller.ts'
import { McpController } from './controllers/mcp.controller.ts'
import { MembersController } from './controllers/administration/members.controller.ts'
import { OperationController } from './controllers/operation.controller.ts'
import { PersonsController } from './controllers/persons.controller.ts'
import { ProviderLoginController } from './controllers/administration/provider-login.controller.ts'
import { PropertiesController } from './controllers/properties.controller.ts'
import { QueriesController } from './controllers/queries.controller.ts'
import { QueryController } from './controllers/query.controller.ts'
import { SharedLinksController } from './controllers/administration/shared-links.controller.ts'
import { SchemasController } from './controllers/schemas.controller.ts'
import { SourcesController } from './controllers/sources.controller.ts'
import { StagesController } from './controllers/stages.controller.ts'
import { StatusController } from './controllers/status.controller.ts'
import { TrafficController } from './controllers/traffic.controller.ts'
import { CheckInterceptor } from './http/check.interceptor.ts'
import { CsvInterceptor } from './http/csv/csv.interceptor.ts'
import { EncodedInterceptor } from './http/csv/encoded.interceptor.ts'
import type { DashboardFiles } from './http/dashboard-files.ts'
import { ProgressInterceptor } from './http/progress.interceptor.ts'
import { SharedInterceptor } from './sharing/shared.interceptor.ts'
import { McpService } from './mcp/mcp.service.ts'
import type { AlertOptions, ApiOptions } from './options.ts'
import { ArchiveQueries } from './query/archive-queries.ts'
import { AlertsService } from './services/administration/alerts.service.ts'
import { AnnotationsService } from './services/administration/annotations.service.ts'
import { AnswerService } from './services/answer.service.ts'
import { AppsService } from './services/administration/apps.service.ts'
import { AuditsService } from './services/audits.service.ts'
import { ChangesService } from './services/changes.service.ts'
import { DeadLettersService } from './services/dead-letters.service.ts'
import { ElementTwinsService } from './services/element-twins.service.ts'
import { ElementReportsService } from './services/element-reports.service.ts'
import { ElementsService } from './services/administration/elements.service.ts'
import { EventFateService } from './services/event-fate.service.ts'
import { EventKeysService } from './services/event-keys.service.ts'
import { EventStoreService } from './services/event-store.service.ts'
import { EventsService } from './services/events.service.ts'
import { ExportService } from './services/export.service.ts'
import { ForgetsService } from './services/forgets.service.ts'
import { FunnelsService } from './services/administration/funnels.service.ts'
import { PicksService } from './services/administration/picks.service.ts'
import { InstallingService } from './services/administration/installing.service.ts'
import { InstallationService } from './services/installation.service.ts'
import { KeysService } from './services/administration/keys.service.ts'
import { LiveService } from './services/live.service.ts'
import { LoginService } from './services/administration/login.service.ts'
import { MembersService } from './services/administration/members.service.ts'
import { ProviderLoginService } from './services/administration/provider-login.service.ts'
import { PersonsService } from './services/people/persons.service.ts'
import { PropertiesService } from './services/people/properties.service.ts'
import { QueryService } from './services/query.service.ts'
import { RatesService } from './services/rates.service.ts'
import { SharedLinksService } from './services/administration/shared-links.service.ts'
import { SourcesService } from './services/sources.service.ts'
import { SecondFactorService } from './services/administration/second-factor.service.ts'
import { StagesService } from './services/stages.service.ts'
import { StatusService } from './services/status.service.ts'
import { TrafficService } from './services/traffic.service.ts'
import {
  ALERT_OPTIONS,
  ARCHIVE,
  CLOCK,
  DASHBOARD_FILES,
  HEALTH,
  INGEST_URL,
  LANES,
  LANES_COUNT,
  LOG,
  LOGGER,
  METRICS,
  METRICS_ACCESS,
  MODE,
  OIDC_OPTIONS,
  PUBLIC_URL,
  QUERY_LIMIT_MS,
  READER,
  REGISTRY,
  SECRETS,
  START_AUDIT,
  TRACKER_SCRIPT,
  WORKS_WITHOUT,
  WRITER,
} from './tokens.ts'

const controllers = [
  SourcesController,
  StagesController,
  ElementsController,
  TrafficController,
  QueriesController,
  QueryController,
  EventsController,
  EventStoreController,
  PersonsController,
  PropertiesController,
  ExportController,
  LiveController,
  ChangesController,
  ForgetsController,
  AlertsController,
  AnnotationsController,
  FunnelsController,
  KeysController,
  AppsController,
  InstallingController,
  MembersController,
  LoginController,
  ProviderLoginController,
  SecondFactorController,
  StatusController,
  DeadLettersController,
  AuditsController,
  InstallationController,
  McpController,
  SharedLinksController,
  SchemasController,
]
const services = [
  AlertsService,
  AnnotationsService,
  AnswerService,
  AppsService,
  AuditsService,
  ChangesService,
  DeadLettersService,
  ElementReportsService,
  ElementTwinsService,
  ElementsService,
  EventFateService,
  EventKeysService,
  EventsService,
  EventStoreService,
  ExportService,
  ForgetsService,
  InstallationService,
  FunnelsService,
  InstallingService,
  PicksService,
  KeysService,
  LiveService,
  LoginService,
  MembersService,
  PersonsService,
  PropertiesService,
  ProviderLoginService,
  QueryService,
  RatesService,
  SecondFactorService,
  SharedLinksService,
  SourcesService,
  StagesService,
  StatusService,
  TrafficService,
]

const alerts = [AlertChecks, AlertRunner, AlertSender, FallCheck, FunnelQuestions, QuietCheck, ReportCheck]

const QUERY_LIMIT_MS_DEFAULT = 30_000

const NO_ALERTS: AlertOptions = { webhookOrigins: [], arePrivateAddressesAllowed: false }

/** The only module: every controller, every service, and the ports under their tokens. */
@Module({})
export class AppModule {
  static over(options: ApiOptions, dashboard?: DashboardFiles): DynamicModule {
    return {
      module: AppModule,
      controllers: options.operationRoutes ? [...controllers, OperationController] : controllers,
      providers: [
        ...portsOf(options),
        { provide: DASHBOARD_FILES, useValue: dashboard },
        ...services,
        ...alerts,
        McpService,
        AccessService,
        LoginAttempts,
        OidcProvider,
        ProviderLinks,
        SecondFactors,
        SessionGuesses,
        SharedSessions,
        ArchiveQueries,
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_INTERCEPTOR, useClass: CheckInterceptor },
        { provide: APP_INTERCEPTOR, useClass: EncodedInterceptor },
        { provide: APP_INTERCEPTOR, useClass: CsvInterceptor },
        { provide: APP_INTERCEPTOR, useClass: ProgressInterceptor },
        { provide: APP_INTERCEPTOR, useClass: SharedInterceptor },
      ],
    }
  }
}

function portsOf(options: ApiOptions): Provider[] {
  const clock = options.clock ?? Date.now
  return [
    { provide: LOG, useValue: options.log },
    { provide: READER, useValue: options.reader },
    { provide: WRITER, useValue: options.writer },
    { provide: ARCHIVE, useValue: options.archive },
    { provide: QUERY_LIMIT_MS, useValue: options.queryLimitMs ?? QUERY_LIMIT_MS_DEFAULT },
    { provide: LANES, useValue: options.lanes },
    { provide: LANES_COUNT, useValue: options.log.lanes },
    { provide: START_AUDIT, useValue: options.startAudit },
    { provide: REGISTRY, useValue: options.registry },
    { provide: HEALTH, useValue: options.health },
    { provide: WORKS_WITHOUT, useValue: options.worksWithout ?? [] },
    { provide: MODE, useValue: options.mode },
    { provide: PUBLIC_URL, useValue: options.publicUrl },
    { provide: INGEST_URL, useValue: options.ingestUrl },
    { provide: TRACKER_SCRIPT, useValue: options.trackerScript },
    { provide: SignedTokens, useValue: new SignedTokens(options.secrets, clock) },
    { provide: SECRETS, useValue: options.secrets },
    { provide: ALERT_OPTIONS, useValue: options.alerts ?? NO_ALERTS },
    { provide: OIDC_OPTIONS, useValue: options.oidc },
    { provide: LOGGER, useValue: options.logger },
    { provide: METRICS, useValue: options.metrics },
    { provide: METRICS_ACCESS, useValue: options.metricsAccess },
    { provide: CLOCK, useValue: clock },
    { provide: Completeness, useValue: new Completeness(options.log, options.lanes, clock, options.registry) },
  ]
}

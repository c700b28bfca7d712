import { openIdProvider, type OpenIdProvider } from '@hopper/api/testing/openid-provider'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { expectUsable } from './usable.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })
const EMAIL = 'ann@shop.example'
let provider: OpenIdProvider
let dashboard: OpenedDashboard

beforeAll(async () => {
  provider = await openIdProvider({ redirectUri: 'http://127.0.0.1/', hasPage: true })
  dashboard = await openDashboard(undefined, {
    env: {
      HOPPER_OIDC_ISSUER: provider.issuer,
      HOPPER_OIDC_CLIENT_ID: provider.clientId,
      HOPPER_OIDC_CLIENT_SECRET: provider.clientSecret,
      HOPPER_OIDC_NAME: 'Keycloak',
    },
  })
  provider.redirectUri = `${dashboard.installation.apiUrl}/login/oidc/callback`
}, 120_000)
afterAll(async () => {
  await dashboard?.close()
  await provider?.stop()
})

/** Opens a page of Hopper in a browser that knows neither it nor the provider. */
async function newPerson(path: string): Promise<Page> {
  const page = await (await dashboard.browser.newContext()).newPage()
  page.setDefaultTimeout(30_000)
  await page.goto(dashboard.installation.apiUrl + path)
  await page.getByRole('link', { name: 'Log in with Keycloak' }).waitFor()
  return page
}

/** Somebody who was invited needs no password: the provider is offered instead. */
async function comesByInvitation(link: string): Promise<void> {
  const page = await (await dashboard.browser.newContext()).newPage()
  await page.goto(link)
  await page.getByRole('button', { name: 'Log in to Hopper' }).click()
  await page.getByRole('heading', { level: 1, name: 'Choose a password' }).waitFor()
  await page.getByRole('link', { name: 'Log in without a password, with Keycloak' }).click()
  await page.getByRole('button', { name: 'Continue as subject-of-ann' }).click()
  await page.waitForURL('**/a/**')
  await page.context().close()
}

it('a member named by an admin logs in by the provider, and is logged out when the address is changed', async () => {
  const { page } = dashboard
  await dashboard.open('settings')
  const members = page.getByRole('region', { name: 'Members' })
  await members.getByLabel('Id').fill('ann')
  await members.getByLabel('E-mail', { exact: true }).fill(EMAIL)
  await members.getByRole('button', { name: 'Invite' }).click()
  await members.getByText(`${EMAIL} may log in with Keycloak`).waitFor()

  provider.account = 'subject-of-ann'
  provider.accounts.set('subject-of-ann', { email: EMAIL, email_verified: true })
  const link = await members.getByRole('group', { name: 'Login link' }).locator('pre').textContent()
  await comesByInvitation(link!)
  const theirs = await newPerson('/a/demo-shop/funnels')
  await expectUsable(theirs)
  await theirs.getByRole('link', { name: 'Log in with Keycloak' }).click()
  await theirs.getByRole('button', { name: 'Continue as subject-of-ann' }).click()
  // back where they were
  await theirs.waitForURL('**/a/demo-shop/funnels')
  await theirs.getByRole('heading', { level: 1 }).waitFor()
  await theirs.getByRole('button', { name: /Account: / }).click()
  await theirs.getByRole('link', { name: 'Your account' }).click()
  const card = theirs.getByRole('region', { name: 'Login with Keycloak' })
  await card.getByText(`was found by the address ${EMAIL}`).waitFor()
  await expectUsable(theirs)

  await page.reload()
  await members.getByText(`${EMAIL} is linked with Keycloak`).waitFor()
  await members.getByRole('button', { name: 'E-mail address of ann' }).click()
  await members.getByLabel('E-mail of ann at Keycloak').waitFor()
  await expectUsable(page)
  await members.getByLabel('E-mail of ann at Keycloak').fill('ann.b@shop.example')
  await members.getByRole('button', { name: 'Save' }).click()
  await members.getByText('ann.b@shop.example may log in with Keycloak').waitFor()
  await theirs.reload()
  await theirs.getByRole('heading', { name: 'Log in' }).waitFor()
  await theirs.context().close()
  expect(dashboard.complaints).toEqual([])
})

it('the login page says why a login failed', async () => {
  for (const [subject, account, text] of [
    ['stranger', { email: 'stranger@shop.example', email_verified: true }, 'no member has your e-mail address'],
    ['unconfirmed', { email: 'ann.b@shop.example', email_verified: false }, 'does not confirm your e-mail address'],
    [undefined, {}, 'you have cancelled'],
  ] as const) {
    provider.account = subject
    if (subject !== undefined) provider.accounts.set(subject, account)
    const page = await newPerson('/')
    await page.getByRole('link', { name: 'Log in with Keycloak' }).click()
    await page.getByRole('button', { name: 'Continue as' }).click()
    await page.getByRole('alert').getByText(text).waitFor()
    await page.getByRole('link', { name: 'Log in with Keycloak' }).waitFor()
    await expectUsable(page)
    await page.context().close()
  }
})

import { createRequire } from 'node:module'
import { withAuditContext } from 'prisma-extension-audit'
import type { Countries, Country } from 'world-countries'
import type { Atlas } from './atlas.ts'

// The package is CommonJS, and its types say otherwise.
const world: Countries = createRequire(import.meta.url)('world-countries')

/** Loads every country with its languages, currencies and borders, as a job that no user started. */
export async function importWorld(prisma: Atlas): Promise<void> {
  await withAuditContext(
    { actor: { id: 'importer', type: 'system' }, requestId: 'import-world' },
    async () => {
      await prisma.language.createMany({ data: languages() })
      await prisma.currency.createMany({ data: currencies() })
      await prisma.country.createMany({ data: world.map(countryRow) })
      await prisma.nativeName.createMany({ data: world.flatMap(nativeNames) })
      // Links need both of their ends, so they come last. The connection pool runs a few at a time.
      await Promise.all(world.map((country) => link(prisma, country)))
    },
  )
}

function link(prisma: Atlas, country: Country) {
  return prisma.country.update({
    where: { code: country.cca2 },
    data: {
      languages: { connect: Object.keys(country.languages).map((code) => ({ code })) },
      currencies: { connect: Object.keys(country.currencies).map((code) => ({ code })) },
      borders: { connect: country.borders.map((cca3) => ({ code: codeOf(cca3) })) },
    },
  })
}

function countryRow({ cca2, name, demonyms, capital, region, area }: Country) {
  return {
    code: cca2,
    name: name.common,
    official: name.official,
    demonym: demonyms.eng?.m ?? '',
    capitals: capital,
    region,
    area,
  }
}

function nativeNames({ cca2, name }: Country) {
  return Object.entries(name.native).map(([languageCode, { common, official }]) => ({
    countryCode: cca2,
    languageCode,
    name: common,
    official,
  }))
}

/** Each language once: the package repeats it in every country that speaks it. */
function languages() {
  const names = new Map(world.flatMap((country) => Object.entries(country.languages)))
  return [...names].map(([code, name]) => ({ code, name }))
}

function currencies() {
  const all = new Map(world.flatMap((country) => Object.entries(country.currencies)))
  return [...all].map(([code, { name, symbol }]) => ({ code, name, symbol }))
}

const codes = new Map(world.map(({ cca2, cca3 }) => [cca3, cca2]))

/** The package writes borders in three letters; here a country is known by two. */
function codeOf(cca3: string): string {
  const code = codes.get(cca3)
  if (!code) throw new Error(`No country has the code ${cca3}.`)
  return code
}

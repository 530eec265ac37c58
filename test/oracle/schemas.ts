import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type fc from 'fast-check'
import type { PrismaClient } from '../generated/client/client.ts'
import type { ModelInfo } from '../support/oracle.ts'
import { DataModel, relationsOf, scalarsOf } from './data-model.ts'
import { stepsOf } from './operations.ts'
import type { RawCall, Step } from './steps.ts'
import { moreStatements, rowsWithoutModels, tablesWithoutModels } from './tables-without-models.ts'

/** A schema that the suite runs on. */
export interface OracleSchema {
  readonly name: string
  /** The text of its schema.prisma. */
  readonly text: string
  readonly dataModel: DataModel
  readonly Client: typeof PrismaClient
  readonly steps: fc.Arbitrary<Step>
  /** SQL that completes its tables, and that adds rows to the first ones. */
  readonly setUp: string
  readonly rows: string
  /** Its fields whose values the log must not show; undefined when nobody knows, and it shows all. */
  readonly secrets: readonly string[] | undefined
  /** The models as the oracle knows them. */
  readonly models: readonly ModelInfo[]
}

interface Extras {
  readonly setUp?: string
  readonly rows?: string
  readonly statements?: readonly fc.Arbitrary<RawCall>[]
  readonly secrets?: readonly string[]
}

const extras: Record<string, () => Extras> = {
  'test-schema': () => ({
    setUp: `${readFileSync('test/prisma/triggers.sql', 'utf8')}\n${tablesWithoutModels}`,
    rows: rowsWithoutModels,
    statements: moreStatements,
    secrets: ['passwordHash'],
  }),
  chinook: () => ({ secrets: [] }),
  pagila: () => ({ setUp: readFileSync('test/prisma/real-world/pagila.sql', 'utf8'), secrets: ['password'] }),
}

/** Loads a schema whose client `scripts/prisma-generate.mjs` has generated. */
export async function loadSchema(name: string): Promise<OracleSchema> {
  const directory = resolve('test/generated/oracle', name)
  if (!existsSync(directory)) throw new Error(`${directory} is missing: run npm run generate.`)
  const client = pathToFileURL(join(directory, 'client', 'client.ts')).href
  const { PrismaClient: Client } = (await import(/* @vite-ignore */ client)) as {
    PrismaClient: typeof PrismaClient
  }
  const dataModel = new DataModel(join(directory, 'data-model.json'))
  const { setUp = '', rows = '', statements = [], secrets } = extras[name]?.() ?? {}
  return {
    ...{ name, dataModel, Client, setUp, rows, secrets },
    text: readFileSync(join(directory, 'schema.prisma'), 'utf8'),
    steps: stepsOf(dataModel, statements),
    models: dataModel.models.map((model) => ({
      name: model.name,
      table: model.dbName ?? model.name,
      fields: new Map(scalarsOf(model).map((field) => [field.dbName ?? field.name, field.name])),
      lists: relationsOf(model)
        .filter(({ isList }) => isList)
        .map((field) => {
          const isNamed = dataModel.isManyToMany(model, field) && !isDefaultName(model.name, field)
          return {
            field: field.name,
            of: field.type,
            ...(isNamed && field.relationName && { relation: field.relationName }),
          }
        }),
    })),
  }
}

/** Whether Prisma made a relation's name of its models'. */
function isDefaultName(
  model: string,
  { type, relationName }: { type: string; relationName?: string },
): boolean {
  return relationName === [model, type].sort().join('To')
}

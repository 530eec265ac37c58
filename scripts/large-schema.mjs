// The models of a large application, for tests and the benchmark: 61 models in 62 tables, as a SaaS has them. Deleting a
// workspace reaches most of them by ON DELETE CASCADE or SET NULL, three levels deep and more; deleting a user reaches most by
// SET NULL, as every record says who made it and who changed it last.

/**
 * A line is a model, by level below the workspace. Then its parents, which it is deleted with, or (?) which it loses;
 * `lead:Member?` is a field that is not called like its model. `.secret` is a column of its own, `@int` and `@bigint` are keys
 * that count, `@parents` is a key made of the parents, `tags[]` a many-to-many relation, and `-` leaves out who made it.
 */
const models = `
  Workspace
  Plan -
  User - home:Workspace? lastProject:Project?
  FeatureFlag - workspace?
  SupportTicket workspace? customer?

  Role workspace
  Member workspace user role?
  Invitation workspace role? .token
  Team workspace lead:Member?
  Project workspace team? lead:Member?
  Label workspace
  Tag workspace
  Customer workspace owner:Member?
  Subscription workspace plan?
  PaymentMethod workspace customer?
  Invoice workspace customer? subscription?
  Webhook workspace .secret
  ApiKey workspace member?
  Integration workspace .accessToken
  Domain workspace
  Folder workspace parent:Folder??
  Document workspace folder? tags[]
  Channel workspace team?
  Report workspace
  Dashboard workspace
  Automation workspace
  CustomField workspace
  Form workspace
  Import workspace
  Goal workspace owner:Member?
  Calendar workspace

  Permission role -
  TeamMember team member @parents
  ProjectMember project member @parents
  Milestone project
  Sprint project
  Board project
  Task project milestone? sprint? assignee:Member? parent:Task?
  InvoiceLine invoice @int
  Payment invoice paymentMethod?
  WebhookDelivery webhook @bigint -
  SyncRun integration @bigint -
  CustomerContact customer
  DocumentVersion document
  Message channel author:Member? @bigint
  Widget dashboard report?
  AutomationStep automation
  FormField form
  FormSubmission form
  KeyResult goal
  CalendarEvent calendar

  BoardColumn board
  Comment task
  Checklist task
  Attachment task
  TimeEntry task member? @int
  TaskLabel task label @parents -
  Refund payment
  DeliveryAttempt webhookDelivery @bigint -
  Reaction message -
  FormAnswer formSubmission formField? -
`

const columns = [
  'title String?',
  'description String?',
  'status State @default(DRAFT)',
  'position Int @default(0)',
  'amount Decimal @default(0) @db.Decimal(12, 2)',
  'bytes BigInt?',
  'share Float?',
  'isActive Boolean @default(true)',
  'settings Json @default("{}")',
  'startsAt DateTime?',
  'dueOn DateTime? @db.Date',
  'url String?',
  'keywords String[]',
]

/** The models as the text of a Prisma schema, without a generator and a data source. The same each time. */
export function largeModels() {
  const parsed = models
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parse)
  const random = randomFrom(62)
  const blocks = parsed.map((model) => block(model, parsed, random))
  return ['enum State {\n  DRAFT\n  ACTIVE\n  ARCHIVED\n}', ...blocks].join('\n\n')
}

function parse(line) {
  const [name, ...words] = line.trim().split(' ')
  const parents = words.filter((word) => /^\w/.test(word) && !word.endsWith('[]')).map(parentOf)
  const users = ['createdBy:User?', 'updatedBy:User?'].map(parentOf)
  return {
    name,
    parents: [...parents, ...(words.includes('-') ? [] : users)],
    key: words.find((word) => word.startsWith('@'))?.slice(1) ?? 'text',
    own: words.filter((word) => word.startsWith('.')).map((word) => `${word.slice(1)} String`),
    others: words
      .filter((word) => word.endsWith('[]'))
      .map((word) => upperFirst(word.slice(0, -'s[]'.length))),
  }
}

/** `?` is SET NULL, `??` may be missing and is CASCADE all the same. */
function parentOf(word) {
  const [field, model = upperFirst(field)] = word.replace(/\?+$/, '').split(':')
  return { field, model, isOptional: word.endsWith('?'), isLost: /\w\?$/.test(word) }
}

const keyTypes = { text: 'String', int: 'Int', bigint: 'BigInt' }
const keyDefaults = { text: 'cuid()', int: 'autoincrement()', bigint: 'autoincrement()' }

function block({ name, parents, key, own, others }, all, random) {
  const typeOf = (model) => keyTypes[all.find((one) => one.name === model).key]
  const foreignKey = (field) => `${field}Id`
  const required = parents.filter(({ isOptional }) => !isOptional)
  const lines = [
    ...(key === 'parents' ? [] : [`id ${keyTypes[key]} @id @default(${keyDefaults[key]})`]),
    ...['name String', ...own, ...some(columns, random)],
    ...parents.flatMap(({ field, model, isOptional, isLost }) => [
      `${foreignKey(field)} ${typeOf(model)}${isOptional ? '?' : ''}`,
      `${field} ${model}${isOptional ? '?' : ''} @relation("${name}_${field}", fields: [${foreignKey(field)}], references: [id], onDelete: ${isLost ? 'SetNull' : 'Cascade'})`,
    ]),
    ...others.map((other) => `${lowerFirst(other)}s ${other}[]`),
    ...all.flatMap((child) => [
      ...child.parents
        .filter(({ model }) => model === name)
        .map(
          ({ field }) =>
            `${lowerFirst(child.name)}By${upperFirst(field)} ${child.name}[] @relation("${child.name}_${field}")`,
        ),
      ...(child.others.includes(name) ? [`${lowerFirst(child.name)}s ${child.name}[]`] : []),
    ]),
    ...['createdAt DateTime @default(now())', 'updatedAt DateTime @updatedAt'],
    ...(key === 'parents' ? [`@@id([${required.map(({ field }) => foreignKey(field))}])`] : []),
    ...parents.filter(({ model }) => model !== 'User').map(({ field }) => `@@index([${foreignKey(field)}])`),
  ]
  return `model ${name} {\n${lines.map((line) => `  ${line}`).join('\n')}\n}`
}

/** Two to six of them, in their order. */
function some(all, random) {
  const count = 2 + Math.floor(random() * 5)
  const chosen = new Set()
  while (chosen.size < count) chosen.add(all[Math.floor(random() * all.length)])
  return all.filter((one) => chosen.has(one))
}

/** A generator of numbers from 0 to 1 (mulberry32): the same ones for the same seed. */
function randomFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function upperFirst(name) {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

function lowerFirst(name) {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

export const [mine, theirs] = ['acme', 'globex'] as const
/** What the page of `mine` must never show, in any answer: the word is in every part of an entry that can hold one. */
export const secret = 'globex'

/** Every parameter with values that a visitor could try. */
const tries: [string, string][] = [
  ...['', mine, theirs, '*', '%', `${mine}' OR '1'='1`, 'null', '_', '0'].map((value): [string, string] => [
    'organization',
    value,
  ]),
  ...['*', '*.*', `${secret}.*`, 'order.update', `order.*`, '%', '**'].map((value): [string, string] => [
    'action',
    value,
  ]),
  ...[`ada of ${theirs}`, `ada of ${mine}`, '*'].map((value): [string, string] => ['actor', value]),
  ...['order', 'patient', secret, '*'].map((value): [string, string] => ['resource', value]),
  ...['1', '2', secret].map((value): [string, string] => ['id', value]),
  ...['7', '1000'].map((value): [string, string] => ['transaction', value]),
  ...[secret, 'note', '%', '_', '\\'].map((value): [string, string] => ['text', value]),
  ['request', 'r1'],
  ['outcome', 'failure'],
  ['from', '2000-01-01T00:00:00Z'],
  ['to', '2100-01-01T00:00:00Z'],
]
export const pairs: [string, string][] = [
  ['organization', theirs],
  ['action', '*'],
  ['text', secret],
]
/** Queries of a visitor who wants to see what is not his. */
export const queries = [
  '',
  ...tries.map((one) => new URLSearchParams([one]).toString()),
  ...pairs
    .flatMap((one) =>
      tries.filter(([name]) => name !== one[0]).map((other) => new URLSearchParams([one, other]).toString()),
    )
    .filter((_, index) => index % 3 === 0),
  // the same parameter twice
  `organization=${mine}&organization=${theirs}`,
  `organization=${theirs}&organization=${mine}`,
  'filter=%7B%7D&fixed=&within=&organizationId=globex',
]

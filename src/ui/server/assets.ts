import { createHash } from 'node:crypto'
import { answer } from './answers.ts'

const contentTypes = {
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

type AssetName = keyof typeof contentTypes

interface Asset {
  readonly body: string
  /** Changes with the contents. */
  readonly version: string
}

const assets = new Map<AssetName, Promise<Asset>>()

function asset(name: AssetName): Promise<Asset> {
  const known = assets.get(name) ?? load(name)
  assets.set(name, known)
  return known
}

async function load(name: AssetName): Promise<Asset> {
  const { readAsset } = await import('./asset-files.ts')
  const body = await readAsset(name)
  return { body, version: createHash('sha256').update(body).digest('base64url').slice(0, 12) }
}

/** A script, style or image of the web page; undefined when there is none with this name. */
export async function assetAnswer(name: string, version: string | null): Promise<Response | undefined> {
  if (!Object.hasOwn(contentTypes, name)) return undefined
  const { body, version: current } = await asset(name as AssetName)
  return answer(body, 200, {
    'Content-Type': contentTypes[name as AssetName],
    'Cache-Control': version === current ? 'private, max-age=31536000, immutable' : 'no-cache',
  })
}

/** The document, which finds everything below `base`. */
export async function documentAnswer(base: string): Promise<Response> {
  const address = async (name: AssetName) =>
    escapeAttribute(`${base}/assets/${name}?v=${(await asset(name)).version}`)
  const document = `<!doctype html>
<html lang="en" data-base="${escapeAttribute(base)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Audit log</title>
<link rel="icon" href="${await address('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${await address('page.css')}">
<script src="${await address('page.js')}" defer></script>
</head>
<body><div id="page"><noscript>The audit log needs JavaScript to show itself.</noscript></div></body>
</html>
`
  return answer(document, 200, { 'Content-Type': 'text/html; charset=utf-8' })
}

function escapeAttribute(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

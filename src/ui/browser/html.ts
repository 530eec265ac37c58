import htm from 'htm'
import { type ComponentChild, h } from 'preact'

/** Markup as a template; every value in it becomes text or an attribute, never markup. */
export const html = htm.bind(h) as unknown as (
  strings: TemplateStringsArray,
  ...values: unknown[]
) => ComponentChild

/** Nothing from elsewhere, nothing inline, no frames: what the web page shows was written by strangers. */
const contentSecurityPolicy = [
  ...[
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
  ],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ')

const securityHeaders = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'X-Robots-Tag': 'noindex',
}

/** A response with the security headers; it is not cached unless `headers` says otherwise. */
export function answer(
  body: string | ReadableStream<Uint8Array> | null,
  status: number,
  headers: Record<string, string>,
): Response {
  return new Response(body, {
    status,
    headers: { 'Cache-Control': 'no-store', ...securityHeaders, ...headers },
  })
}

export function jsonAnswer(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return answer(JSON.stringify(value), status, {
    'Content-Type': 'application/json; charset=utf-8',
    ...headers,
  })
}

export function errorAnswer(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return jsonAnswer({ error: { code, message } }, status, headers)
}

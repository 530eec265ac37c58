/** A product as jsonb, for the state of an entry with number `n`. */
export const productState = `jsonb_build_object('id', 'seed-' || n % 10000, 'sku', 'SKU-' || n, 'name', 'Product ' || n,
  'description', 'What people say about product ' || n || ' when they have used it for a while', 'price', n / 100.0,
  'stock', n % 100, 'status', 'ACTIVE', 'featured', n % 2 = 0, 'attributes', '{"color": "green", "tags": ["new"]}'::jsonb,
  'warehouseId', n % 10, 'createdAt', now(), 'updatedAt', now())`

"""Questions to the log: filters, cursors and pages, as the TypeScript half has them."""

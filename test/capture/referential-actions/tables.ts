/** Tables that no model knows, with the actions that Prisma's schema language can't say. */
export const tables = `
  CREATE TABLE memo (id int PRIMARY KEY, country char(2) REFERENCES "Country" ON DELETE CASCADE, text text);
  CREATE TABLE memo_line (memo int REFERENCES memo ON DELETE CASCADE, text text); -- no key
  CREATE TABLE node (code text PRIMARY KEY, touched boolean,
    parent text DEFAULT 'root' REFERENCES node ON UPDATE CASCADE ON DELETE SET DEFAULT);
  CREATE TABLE marked (id int PRIMARY KEY, tag int REFERENCES "Tag" ON DELETE SET NULL,
    is_tagged boolean GENERATED ALWAYS AS (tag IS NOT NULL) STORED);
  CREATE TABLE parent (id int PRIMARY KEY, a int, b int, UNIQUE (a, b));
  CREATE TABLE kept (id int PRIMARY KEY, a int, b int,
    FOREIGN KEY (a, b) REFERENCES parent (a, b) ON DELETE SET NULL ON UPDATE SET NULL);
  CREATE TABLE moved (id int PRIMARY KEY, a int DEFAULT 1, b int DEFAULT 1,
    FOREIGN KEY (a, b) REFERENCES parent (a, b) ON DELETE SET DEFAULT ON UPDATE SET DEFAULT);
  CREATE TABLE middle (id int PRIMARY KEY, parent int UNIQUE REFERENCES parent ON DELETE SET NULL ON UPDATE CASCADE);
  CREATE TABLE leaf (id int PRIMARY KEY, middle int REFERENCES middle (parent) ON UPDATE CASCADE);
  CREATE TABLE many (LIKE "Everything" INCLUDING ALL, status text REFERENCES "Status" ON DELETE SET NULL ON UPDATE CASCADE);
`

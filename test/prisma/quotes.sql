CREATE TYPE "kind'" AS ENUM ('it''s plain', '$1; --');
CREATE TABLE "parent'); --" (
  "id'" int PRIMARY KEY,
  "text') --" text NOT NULL,
  "ki\ d" "kind'" NOT NULL DEFAULT 'it''s plain',
  "secret', '" text
);
CREATE TABLE "chil'd" (
  "$1" int PRIMARY KEY,
  "parent' \" int REFERENCES "parent'); --" ON DELETE SET NULL ON UPDATE CASCADE
);

-- Only raw SQL can write to this one.
CREATE TABLE "ra""w' ""$1" ("i""d" int PRIMARY KEY, "va""lue') --" text);

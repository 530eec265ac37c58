-- Written by prisma-extension-audit: triggers record every change of these tables, whoever makes it.
-- After a change of the schema or of the options run "npx prisma-extension-audit triggers" again.

SELECT "audit_logs_watch"('"public"."Team"', 'team');
SELECT "audit_logs_watch"('"public"."ApiKey"', 'apiKey', '{"redact":["hash"]}');
SELECT "audit_logs_watch"('"public"."Note"', 'note');
SELECT "audit_logs_watch"('"public"."Tag"', 'tag');
SELECT "audit_logs_watch"('"public"."_NoteToTag"', '_NoteToTag', '{"link":{"A":{"resource":"note","relation":"tags"},"B":{"resource":"tag","relation":"notes"}}}');

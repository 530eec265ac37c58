-- Written by prisma-extension-audit: triggers record every change of these tables, whoever makes it.
-- After a change of the schema or of the options run "npx prisma-extension-audit triggers" again.

SELECT "audit_logs_watch"('"public"."Patient"', 'patient', '{"redact":["insuranceId"]}');
SELECT "audit_logs_watch"('"public"."Prescription"', 'prescription');

-- Written by prisma-extension-audit: triggers record every change of these tables, whoever makes it.
-- After a change of the schema or of the options run "npx prisma-extension-audit triggers" again.

SELECT "audit_logs_watch"('"public"."User"', 'user');
SELECT "audit_logs_watch"('"public"."Product"', 'product');
SELECT "audit_logs_watch"('"public"."Order"', 'order');
SELECT "audit_logs_watch"('"public"."OrderLine"', 'orderLine');
SELECT "audit_logs_watch"('"public"."Refund"', 'refund');

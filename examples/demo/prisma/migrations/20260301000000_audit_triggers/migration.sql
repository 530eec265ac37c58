-- Written by prisma-extension-audit: triggers record every change of these tables, whoever makes it.
-- After a change of the schema or of the options run "npx prisma-extension-audit triggers" again.

SELECT "audit_logs_watch"('"public"."countries"', 'country');
SELECT "audit_logs_watch"('"public"."native_names"', 'nativeName', '{"fields":{"country_code":"countryCode","language_code":"languageCode"}}');
SELECT "audit_logs_watch"('"public"."languages"', 'language');
SELECT "audit_logs_watch"('"public"."currencies"', 'currency');
SELECT "audit_logs_watch"('"public"."_CountryToLanguage"', '_CountryToLanguage', '{"link":{"A":{"resource":"country","relation":"languages"},"B":{"resource":"language","relation":"countries"}}}');
SELECT "audit_logs_watch"('"public"."_CountryToCurrency"', '_CountryToCurrency', '{"link":{"A":{"resource":"country","relation":"currencies"},"B":{"resource":"currency","relation":"countries"}}}');
SELECT "audit_logs_watch"('"public"."_borders"', '_borders', '{"link":{"A":{"resource":"country","relation":"borderOf"},"B":{"resource":"country","relation":"borders"}}}');

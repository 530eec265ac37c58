-- Whether a field's name says secret: exact names, case and underscores ignored, as the library has them.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."is_secret"(name text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog
AS $$
  SELECT lower(replace(name, '_', '')) IN (
    'password', 'passwd', 'passwordhash', 'hashedpassword', 'passwordsalt', 'passwordresettoken', 'passphrase',
    'secret', 'secretkey', 'clientsecret', 'appsecret', 'sharedsecret', 'totpsecret', 'mfasecret',
    'twofactorsecret', 'webhooksecret', 'signingsecret', 'signingkey', 'encryptionkey', 'privatekey', 'apikey',
    'apisecret', 'apitoken', 'token', 'accesstoken', 'refreshtoken', 'idtoken', 'sessiontoken', 'resettoken',
    'verificationtoken', 'authtoken', 'bearertoken', 'csrftoken', 'otp', 'pin', 'cvv', 'cvc', 'recoverycode',
    'recoverycodes', 'backupcodes', 'salt'
  )
$$;

"""Fields that the log must not hold, by their names."""

from __future__ import annotations

#: Exact names, case and underscores ignored: a field named `token_count` is not a secret.
SECRET_NAMES = frozenset(
    [
        "accesstoken",
        "apikey",
        "apisecret",
        "apitoken",
        "appsecret",
        "authtoken",
        "backupcodes",
        "bearertoken",
        "clientsecret",
        "csrftoken",
        "cvc",
        "cvv",
        "encryptionkey",
        "hashedpassword",
        "idtoken",
        "mfasecret",
        "otp",
        "passphrase",
        "passwd",
        "password",
        "passwordhash",
        "passwordresettoken",
        "passwordsalt",
        "pin",
        "privatekey",
        "recoverycode",
        "recoverycodes",
        "refreshtoken",
        "resettoken",
        "salt",
        "secret",
        "secretkey",
        "sessiontoken",
        "sharedsecret",
        "signingkey",
        "signingsecret",
        "token",
        "totpsecret",
        "twofactorsecret",
        "verificationtoken",
        "webhooksecret",
    ]
)

REDACTED = "[redacted]"


def is_secret(field: str) -> bool:
    """Whether a field's name suggests a secret."""
    return field.replace("_", "").lower() in SECRET_NAMES

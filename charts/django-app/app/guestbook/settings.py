"""Settings, from the environment. There is no password: the proxy on 127.0.0.1 adds it."""

import os

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost").split()
# What nginx passes on says whether the visitor came by HTTPS; no other way leads to this process.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = ["django.contrib.staticfiles", "guestbook"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "guestbook.urls"
WSGI_APPLICATION = "guestbook.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

STATIC_URL = "/static/"
STATIC_ROOT = os.environ.get("STATIC_ROOT", "/srv/static")

# The proxy has pool_mode: transaction, so two transactions in a row may be those of two sessions of the server. Nothing
# may count on a session beyond its transaction: no server-side cursors outside of one, no prepared statements (Django
# makes none of itself), no LISTEN, no SET but SET LOCAL, no advisory locks but those of a transaction.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("DATABASE_HOST", "127.0.0.1"),
        "PORT": os.environ.get("DATABASE_PORT", "6432"),
        "NAME": os.environ.get("DATABASE_NAME", "shop"),
        "USER": os.environ.get("DATABASE_USER", "shop"),
        # 0: each request opens a connection of its own, which costs little as it is one to the proxy.
        "CONN_MAX_AGE": int(os.environ.get("CONN_MAX_AGE", "0")),
        # A connection that is kept is tried before it is used: the proxy may have been restarted.
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        # The connection never leaves the pod.
        "OPTIONS": {"sslmode": "disable", "gssencmode": "disable", "connect_timeout": 5},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{", "datefmt": "%Y-%m-%dT%H:%M:%SZ"},
    },
    "handlers": {
        # Rotated by rename, which a log shipper follows without losing a line. The file is made with its first line.
        "file": {
            "class": "logging.handlers.RotatingFileHandler",
            "filename": os.environ.get("LOG_FILE", "/var/log/guestbook/guestbook.log"),
            "maxBytes": 10_000_000,
            "backupCount": 2,
            "delay": True,
            "formatter": "line",
        },
    },
    "loggers": {
        "django": {"handlers": ["file"], "level": "INFO", "propagate": False},
        "guestbook": {"handlers": ["file"], "level": "INFO", "propagate": False},
    },
}

from django.core.management.commands import migrate
from django.db import connections

# Any number that no other lock of the database has.
LOCK = 6432


class Command(migrate.Command):
    """Django's own command, for one pod at a time: those of a Deployment start together.

    The lock is that of a transaction on a connection of its own, as a lock of a session means nothing behind a proxy that
    gives each transaction another session. It ends with that connection, however this process ends.
    """

    def handle(self, *args, **options):
        lock = connections.create_connection(options["database"])
        try:
            lock.set_autocommit(False)
            with lock.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            super().handle(*args, **options)
            lock.rollback()
        finally:
            lock.close()

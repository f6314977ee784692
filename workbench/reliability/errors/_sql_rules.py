"""What the exceptions of SQL databases mean: by SQLSTATE, by MySQL's error numbers, by SQLite's result codes.

Drivers of PostgreSQL put the SQLSTATE on the exception; without one an OperationalError is a connection
that broke or never came to be, so TRANSIENT. PostgreSQL ends a statement that a user cancels and one that
exceeds ``statement_timeout`` with the same code, 57014; its message tells them apart where it is in
English.
"""

from typing import Any

from workbench.reliability.errors._rules import Answer, Rule, Rules, under
from workbench.reliability.errors.status import classify_sqlstate
from workbench.reliability.errors.taxonomy import ErrorClass

__all__ = ["SQL_RULES"]

TRANSIENT, PERMANENT, OVERLOAD = ErrorClass.TRANSIENT, ErrorClass.PERMANENT, ErrorClass.OVERLOAD
TIMEOUT, CANCELLED, THROTTLED = ErrorClass.TIMEOUT, ErrorClass.CANCELLED, ErrorClass.THROTTLED

QUERY_CANCELED = "57014"
MYSQL: dict[int, ErrorClass] = {
    **dict.fromkeys(
        (
            1020,  # record has changed since last read
            1053,  # server shutdown in progress
            1080,  # forcing close of thread
            1152,  # aborted connection
            1158,  # network read error
            1160,  # network write error
            1205,  # lock wait timeout: restart the transaction
            1213,  # deadlock
            1927,  # MariaDB: connection was killed
            2002,  # client: cannot connect through the socket
            2003,  # client: cannot connect to the host
            2006,  # client: server has gone away
            2013,  # client: lost connection during the query
            2055,  # client: lost connection, with the system's error
            3572,  # NOWAIT: the lock is held
            4031,  # disconnected because of inactivity
        ),
        TRANSIENT,
    ),
    **dict.fromkeys(
        (
            1021,  # disk full
            1037,  # out of memory
            1038,  # out of sort memory
            1040,  # too many connections
            1041,  # out of resources
            1203,  # the user has too many connections
        ),
        OVERLOAD,
    ),
    **dict.fromkeys((1159, 1161, 1969, 3024), TIMEOUT),  # network; MariaDB's and MySQL's statement limits
    1226: THROTTLED,  # the user's resources of this hour are used up
    1317: CANCELLED,  # query execution was interrupted
}
OF_CLIENT = range(2_000, 3_000)
SQLITE: dict[int, ErrorClass] = {  # primary result codes, sqlite.org/rescode.html
    5: TRANSIENT,  # BUSY: another connection writes
    6: TRANSIENT,  # LOCKED
    7: OVERLOAD,  # NOMEM
    9: CANCELLED,  # INTERRUPT
    10: TRANSIENT,  # IOERR
    13: OVERLOAD,  # FULL
    15: TRANSIENT,  # PROTOCOL: lost a race for the lock
    17: TRANSIENT,  # SCHEMA: it has changed, prepare again
}


def _by_sqlstate(exc: Any) -> Answer:
    code = getattr(exc, "sqlstate", None) or getattr(exc, "pgcode", None)
    if not isinstance(code, str) or len(code) != 5:
        return None
    if code == QUERY_CANCELED and "statement timeout" in str(exc):
        return TIMEOUT
    return classify_sqlstate(code)


def _by_sqlstate_or(default: ErrorClass) -> Rule:
    return lambda exc: _by_sqlstate(exc) or default


def _by_mysql_number(exc: Any) -> Answer:
    """Ask the number; one that the server gave and that is not listed says that it refuses."""
    number = getattr(exc, "errno", None) or (exc.args[0] if exc.args else None)
    if not isinstance(number, int) or number <= 0:
        return _by_sqlstate(exc)
    return MYSQL.get(number) or _by_sqlstate(exc) or (None if number in OF_CLIENT else PERMANENT)


def _by_mysql_number_or(default: ErrorClass) -> Rule:
    return lambda exc: _by_mysql_number(exc) or default


def _by_result_code(exc: Any) -> Answer:
    """Ask the result code; exceptions of Python's module itself, such as for wrong arguments, have none."""
    code = getattr(exc, "sqlite_errorcode", None)
    return SQLITE.get(code & 0xFF, PERMANENT) if isinstance(code, int) else PERMANENT


def _original(exc: Any) -> Answer:
    """Ask the driver's exception that SQLAlchemy wraps."""
    original = getattr(exc, "orig", None)
    return original if isinstance(original, BaseException) else None


def _dbapi(by_code: Rule, or_default: Any) -> Rules:
    """Return rules for the exceptions that PEP 249 names."""
    return {
        "OperationalError": or_default(TRANSIENT),
        "InterfaceError": or_default(PERMANENT),  # of the client: closed, or used wrongly
        "InternalError": or_default(PERMANENT),
        "DataError": or_default(PERMANENT),
        "IntegrityError": or_default(PERMANENT),
        "ProgrammingError": or_default(PERMANENT),
        "NotSupportedError": or_default(PERMANENT),
        "Error": by_code,
    }


POSTGRES_CLASSES: Rules = {  # as drivers name them, for recordings that hold no SQLSTATE
    name: classify_sqlstate(code)
    for name, code in (
        ("AdminShutdown", "57P01"),
        ("CannotConnectNow", "57P03"),
        ("CheckViolation", "23514"),
        ("DeadlockDetected", "40P01"),
        ("DiskFull", "53100"),
        ("ForeignKeyViolation", "23503"),
        ("LockNotAvailable", "55P03"),
        ("NotNullViolation", "23502"),
        ("SerializationFailure", "40001"),
        ("TooManyConnections", "53300"),
        ("UndefinedTable", "42P01"),
        ("UniqueViolation", "23505"),
    )
}
POSTGRES = _dbapi(_by_sqlstate, _by_sqlstate_or)
MARIADB = _dbapi(_by_mysql_number, _by_mysql_number_or)
SQL_RULES: Rules = {
    **under("psycopg", POSTGRES),
    "psycopg.errors.ConnectionTimeout": TIMEOUT,
    "psycopg.errors.CancellationTimeout": TIMEOUT,
    "psycopg_pool.errors.PoolTimeout": OVERLOAD,  # no connection of the pool became free
    "psycopg_pool.errors.TooManyRequests": OVERLOAD,
    "psycopg_pool.errors.PoolClosed": PERMANENT,
    **under("psycopg2", POSTGRES),
    **under("psycopg.errors", POSTGRES_CLASSES),
    **under("psycopg2.errors", POSTGRES_CLASSES),
    **{f"asyncpg.exceptions.{name}Error": rule for name, rule in POSTGRES_CLASSES.items()},
    "asyncpg.exceptions._base.PostgresError": _by_sqlstate,
    "asyncpg.exceptions._base.InterfaceError": PERMANENT,
    "asyncpg.exceptions._base.OutdatedSchemaCacheError": TRANSIENT,
    "asyncpg.exceptions._base.TargetServerAttributeNotMatched": TRANSIENT,  # a fail-over has not ended
    "asyncpg.exceptions._base.InternalClientError": PERMANENT,
    **under("pymysql.err", MARIADB),
    **under("MySQLdb", MARIADB),
    **under("MySQLdb._exceptions", MARIADB),
    **under("mariadb", MARIADB),
    **under("mysql.connector.errors", MARIADB),
    "mysql.connector.errors.PoolError": OVERLOAD,
    "mysql.connector.errors.ConnectionTimeoutError": TIMEOUT,
    "mysql.connector.errors.ReadTimeoutError": TIMEOUT,
    "mysql.connector.errors.WriteTimeoutError": TIMEOUT,
    "sqlite3.Error": _by_result_code,
    "sqlalchemy.exc.TimeoutError": OVERLOAD,  # its pool has no connection
    "sqlalchemy.exc.DBAPIError": _original,
    "sqlalchemy.exc.DisconnectionError": TRANSIENT,
    "sqlalchemy.exc.SQLAlchemyError": PERMANENT,
}

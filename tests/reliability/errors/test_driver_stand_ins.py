"""Drivers that are not installed here: classes of the same qualified names, bases and attributes as theirs.

Those of redis, valkey, psycopg, psycopg2, asyncpg, PyMySQL, mysql-connector, aiohttp, confluent-kafka,
aiokafka, nats-py, aiomqtt and SQLAlchemy were read from their installed releases of 2026.
"""

import pytest

from workbench.reliability import ErrorClass, classify
from workbench.reliability.errors._python_rules import PYTHON_RULES
from workbench.reliability.errors._rulebook import BUILT_IN

T, P, O = ErrorClass.TRANSIENT, ErrorClass.PERMANENT, ErrorClass.OVERLOAD  # noqa: E741
TIMEOUT, THROTTLED, CANCELLED = ErrorClass.TIMEOUT, ErrorClass.THROTTLED, ErrorClass.CANCELLED


def stand_in(*names, base=Exception, **attributes):
    """A class with the last name, derived from those before it."""
    kind = base
    for name in names:
        module, _, own = name.rpartition(".")
        kind = type(own, (kind,), {"__module__": module})
    for key, value in attributes.items():
        setattr(kind, key, value)
    return kind


def redis(*names, flavour="redis", root="RedisError"):
    return stand_in(*(f"{flavour}.exceptions.{name}" for name in (root, *names)))


def postgres(driver, *names, **attributes):
    return stand_in(*(f"{driver}.{name}" for name in names), **attributes)


def mysql(module, name):
    return stand_in(f"{module}.Error", f"{module}.DatabaseError", f"{module}.{name}")


class KafkaError:
    """What confluent_kafka puts into a KafkaException."""

    def __init__(self, code, *, retriable=False, fatal=False, aborts=False):
        self.numbers = (code, retriable, fatal, aborts)

    def code(self):
        return self.numbers[0]

    def retriable(self):
        return self.numbers[1]

    def fatal(self):
        return self.numbers[2]

    def txn_requires_abort(self):
        return self.numbers[3]


def kafka(code, **flags):
    return stand_in("cimpl.KafkaException")(KafkaError(code, **flags))


def mqtt(code, *names):
    error = stand_in("aiomqtt.exceptions.MqttError", "aiomqtt.exceptions.MqttCodeError", *names)()
    error.rc = code
    return error


AIO = "aiohttp.client_exceptions."
CASES = {
    "redis refused": (redis("ConnectionError")(), T),
    "redis slow": (redis("TimeoutError")(), TIMEOUT),
    "redis loading": (redis("ConnectionError", "BusyLoadingError")(), T),
    "redis wrong password": (redis("ConnectionError", "AuthenticationError")(), P),
    "redis pool": (redis("ConnectionError", "MaxConnectionsError")(), O),
    "redis memory": (redis("ResponseError", "OutOfMemoryError")(), O),
    "redis replica": (redis("ResponseError", "ReadOnlyError")(), T),
    "redis watch": (redis("WatchError")(), T),
    "redis wrong type": (redis("ResponseError")("WRONGTYPE Operation against a key"), P),
    "redis busy script": (redis("ResponseError")("BUSY Redis is busy running a script"), O),
    "redis clients": (redis("ResponseError")("max number of clients reached"), O),
    "redis lost lock": (redis("LockError", "LockNotOwnedError")(), P),
    "valkey refused": (redis("ConnectionError", flavour="valkey", root="ValkeyError")(), T),
    "psycopg deadlock": (postgres("psycopg", "Error", "OperationalError", sqlstate="40P01")(), T),
    "psycopg refused": (postgres("psycopg", "Error", "OperationalError", sqlstate=None)(), T),
    "psycopg duplicate": (postgres("psycopg", "Error", "IntegrityError", sqlstate="23505")(), P),
    "psycopg connections": (postgres("psycopg", "Error", "OperationalError", sqlstate="53300")(), O),
    "psycopg statement timeout": (
        postgres("psycopg", "Error", "OperationalError", sqlstate="57014")(
            "canceling statement due to statement timeout"
        ),
        TIMEOUT,
    ),
    "psycopg cancelled": (
        postgres("psycopg", "Error", "OperationalError", sqlstate="57014")("due to user request"),
        CANCELLED,
    ),
    "psycopg pool": (
        stand_in("psycopg.Error", "psycopg.OperationalError", "psycopg_pool.errors.PoolTimeout")(),
        O,
    ),
    "psycopg2 serialization": (postgres("psycopg2", "Error", "OperationalError", pgcode="40001")(), T),
    "psycopg2 closed": (postgres("psycopg2", "Error", "InterfaceError", pgcode=None)(), P),
    "asyncpg deadlock": (stand_in("asyncpg.exceptions._base.PostgresError", sqlstate="40P01")(), T),
    "asyncpg duplicate": (stand_in("asyncpg.exceptions._base.PostgresError", sqlstate="23505")(), P),
    "asyncpg closed": (stand_in("asyncpg.exceptions._base.InterfaceError")(), P),
    "pymysql deadlock": (mysql("pymysql.err", "OperationalError")(1213, "Deadlock found"), T),
    "pymysql gone": (mysql("pymysql.err", "OperationalError")(2006, "server has gone away"), T),
    "pymysql denied": (mysql("pymysql.err", "OperationalError")(1045, "Access denied"), P),
    "pymysql connections": (mysql("pymysql.err", "OperationalError")(1040, "Too many connections"), O),
    "pymysql statement": (mysql("pymysql.err", "OperationalError")(3024, "maximum statement time"), TIMEOUT),
    "mysqlclient killed": (mysql("MySQLdb", "OperationalError")(1317, "interrupted"), CANCELLED),
    "connector pool": (stand_in("mysql.connector.errors.Error", "mysql.connector.errors.PoolError")(), O),
    "aiohttp 429": (stand_in(f"{AIO}ClientError", f"{AIO}ClientResponseError", status=429)(), THROTTLED),
    "aiohttp no json": (stand_in(f"{AIO}ClientError", f"{AIO}ClientResponseError", status=200)(), P),
    "aiohttp timeout": (
        stand_in(f"{AIO}ClientConnectionError", f"{AIO}ServerConnectionError", f"{AIO}ServerTimeoutError")(),
        TIMEOUT,
    ),
    "aiohttp hung up": (stand_in(f"{AIO}ClientError", f"{AIO}ClientPayloadError")(), T),
    "aiohttp refused": (
        stand_in(f"{AIO}ClientOSError", f"{AIO}ClientConnectorError", base=OSError)(111, "x"),
        T,
    ),
    "confluent transport": (kafka(-195), T),
    "confluent timed out": (kafka(-185), TIMEOUT),
    "confluent queue": (kafka(-184), O),
    "confluent quota": (kafka(89), THROTTLED),
    "confluent flag": (kafka(1_000, retriable=True), T),
    "confluent fatal": (kafka(-195, fatal=True), P),
    "confluent not allowed": (kafka(29), P),
    "aiokafka flag": (stand_in("aiokafka.errors.KafkaError", base=RuntimeError, retriable=True)(), T),
    "aiokafka none": (stand_in("aiokafka.errors.KafkaError", base=RuntimeError, retriable=False)(), P),
    "kafka-python timeout": (
        stand_in("kafka.errors.KafkaError", "kafka.errors.KafkaTimeoutError")(),
        TIMEOUT,
    ),
    "nats slow": (stand_in("nats.errors.Error", "nats.errors.TimeoutError")(), TIMEOUT),
    "nats nobody": (stand_in("nats.errors.Error", "nats.errors.NoRespondersError")(), T),
    "nats closed": (stand_in("nats.errors.Error", "nats.errors.ConnectionClosedError")(), P),
    "jetstream 503": (stand_in("nats.errors.Error", "nats.js.errors.APIError", code=503)(), O),
    "jetstream 404": (stand_in("nats.errors.Error", "nats.js.errors.APIError", code=404)(), P),
    "mqtt lost": (mqtt(7), T),
    "mqtt queue": (mqtt(15), O),
    "mqtt 5 quota": (mqtt(0x97), THROTTLED),
    "mqtt 5 topic": (mqtt(0x90), P),
    "mqtt refused": (mqtt(5, "aiomqtt.exceptions.MqttConnectError"), P),
    "mqtt unavailable": (mqtt(3, "aiomqtt.exceptions.MqttConnectError"), T),
    "paho websocket": (stand_in("paho.mqtt.client.WebsocketConnectionError", base=ConnectionError)(), T),
    "sqlalchemy wraps": (
        stand_in("sqlalchemy.exc.SQLAlchemyError", "sqlalchemy.exc.DBAPIError", orig=TimeoutError())(),
        TIMEOUT,
    ),
    "trio cancelled": (stand_in("trio.Cancelled", base=BaseException)(), CANCELLED),
}


@pytest.mark.parametrize("case", CASES)
def test_a_driver_that_is_not_imported_is_known_by_name(case):
    error, expected = CASES[case]
    assert classify(error) is expected


def test_a_driver_whose_exception_lacks_what_we_ask_for_is_still_classified():
    """Every rule meets an exception with nothing on it but its name."""
    for name in BUILT_IN:
        if name not in PYTHON_RULES:
            assert isinstance(classify(stand_in(name)()), ErrorClass), name

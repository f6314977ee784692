"""What the exceptions of Redis and Valkey, Kafka, NATS and MQTT clients mean.

What a client says after it was closed is PERMANENT: it does not come back by itself. What it says while it
reconnects is TRANSIENT.
"""

from typing import Any

from workbench.reliability.errors._http_rules import by_status
from workbench.reliability.errors._rules import Answer, Rules, under
from workbench.reliability.errors.taxonomy import ErrorClass

__all__ = ["MESSAGING_RULES"]

TRANSIENT, PERMANENT, OVERLOAD = ErrorClass.TRANSIENT, ErrorClass.PERMANENT, ErrorClass.OVERLOAD
TIMEOUT, THROTTLED = ErrorClass.TIMEOUT, ErrorClass.THROTTLED

REDIS_REPLIES = {  # the first word of an error reply
    "TRYAGAIN": TRANSIENT,
    "LOADING": TRANSIENT,
    "CLUSTERDOWN": TRANSIENT,
    "MASTERDOWN": TRANSIENT,
    "READONLY": TRANSIENT,  # a fail-over has made it a replica
    "NOREPLICAS": TRANSIENT,
    "MOVED": TRANSIENT,
    "ASK": TRANSIENT,
    "BUSY": OVERLOAD,  # a script holds the server
    "OOM": OVERLOAD,
}
KAFKA_CODES: dict[int, ErrorClass] = {  # negative ones are librdkafka's own
    **dict.fromkeys((2, 3, 5, 6, 13, 14, 15, 16, 19, 20, 27, 41, 51, 56, 74, 75), TRANSIENT),
    **dict.fromkeys((-195, -187, -180, -193), TRANSIENT),  # transport, all brokers down, wait, resolve
    7: TIMEOUT,
    **dict.fromkeys((-185, -192), TIMEOUT),
    -184: OVERLOAD,  # the local queue is full
    89: THROTTLED,
}
MQTT_5_REASONS = {  # from 0x80 on, OASIS MQTT 5.0 section 2.4
    0x80: TRANSIENT,  # unspecified
    0x88: TRANSIENT,  # server unavailable
    0x89: OVERLOAD,  # server busy
    0x8B: TRANSIENT,  # shutting down
    0x8D: TIMEOUT,  # keep alive
    0x93: OVERLOAD,  # receive maximum exceeded
    0x96: THROTTLED,  # message rate too high
    0x97: THROTTLED,  # quota exceeded
    0x98: TRANSIENT,  # administrative action
    0x9C: TRANSIENT,  # use another server
    0x9F: THROTTLED,  # connection rate exceeded
}
SERVER_UNAVAILABLE = 3
PAHO_CODES = {  # of the client itself, below 0x80
    1: OVERLOAD,  # out of memory
    SERVER_UNAVAILABLE: TRANSIENT,
    4: TRANSIENT,  # no connection
    7: TRANSIENT,  # connection lost
    14: TRANSIENT,  # see errno
    15: OVERLOAD,  # the queue is full
    16: TIMEOUT,  # keep alive
}


def _redis_reply(exc: Any) -> Answer:
    text = str(exc)
    if text.startswith("max number of clients"):
        return OVERLOAD
    return REDIS_REPLIES.get(text.partition(" ")[0], PERMANENT)


def _librdkafka(exc: Any) -> Answer:
    """Ask the KafkaError that is the exception's argument."""
    error: Any = exc.args[0] if exc.args else None
    if not callable(getattr(error, "code", None)):
        return None
    if error.fatal():
        return PERMANENT
    retriable = error.retriable() or error.txn_requires_abort()
    return KAFKA_CODES.get(error.code(), TRANSIENT if retriable else PERMANENT)


def _kafka_flag(exc: Any) -> Answer:
    """Ask the flag that the classes of kafka-python and aiokafka carry."""
    return TRANSIENT if getattr(exc, "retriable", False) else PERMANENT


def _full_queue(exc: Any) -> Answer:
    """Know the BufferError of a confluent_kafka producer whose queue is full."""
    return OVERLOAD if "Queue full" in str(exc) else PERMANENT


def _jetstream(exc: Any) -> Answer:
    return by_status(getattr(exc, "code", None)) or PERMANENT


def _reason_code(exc: Any) -> Any:
    """Return a code as a number; paho wraps those of MQTT 5."""
    code = getattr(exc, "rc", None)
    return getattr(code, "value", code)


def _mqtt_code(exc: Any) -> Answer:
    code = _reason_code(exc)
    if not isinstance(code, int):
        return TRANSIENT
    return (MQTT_5_REASONS if code >= 0x80 else PAHO_CODES).get(code, PERMANENT)


def _connack(exc: Any) -> Answer:
    """Know the answers to CONNECT: of MQTT 3.1.1 only "server unavailable" passes."""
    code = _reason_code(exc)
    return _mqtt_code(exc) if code in MQTT_5_REASONS or code == SERVER_UNAVAILABLE else PERMANENT


REDIS: Rules = {
    "AuthenticationError": PERMANENT,
    "AuthorizationError": PERMANENT,
    "ExternalAuthProviderError": TRANSIENT,
    "MaxConnectionsError": OVERLOAD,
    "ConnectionError": TRANSIENT,
    "TimeoutError": TIMEOUT,
    "ClusterDownError": TRANSIENT,
    "AskError": TRANSIENT,
    "TryAgainError": TRANSIENT,
    "ReadOnlyError": TRANSIENT,
    "OutOfMemoryError": OVERLOAD,
    "WatchError": TRANSIENT,  # a watched key has changed: run the transaction again
    "LockNotOwnedError": PERMANENT,
    "LockError": TRANSIENT,
    "SlotNotCoveredError": TRANSIENT,
    "ResponseError": _redis_reply,
    "InvalidResponse": TRANSIENT,
    "DataError": PERMANENT,
    "PubSubError": PERMANENT,
}
KAFKA: Rules = {
    "KafkaTimeoutError": TIMEOUT,
    "RequestTimedOutError": TIMEOUT,
    "ThrottlingQuotaExceededError": THROTTLED,
    "KafkaError": _kafka_flag,
}
NATS: Rules = {
    "TimeoutError": TIMEOUT,
    "NoRespondersError": TRANSIENT,
    "StaleConnectionError": TRANSIENT,
    "ConnectionReconnectingError": TRANSIENT,
    "NoServersError": TRANSIENT,
    "OutboundBufferLimitError": OVERLOAD,
    "SlowConsumerError": OVERLOAD,
    "Error": PERMANENT,
}
MESSAGING_RULES: Rules = {
    **under("redis.exceptions", REDIS),
    **under("valkey.exceptions", REDIS),
    "redis.exceptions.RedisClusterException": PERMANENT,
    "valkey.exceptions.ValkeyClusterException": PERMANENT,
    "cimpl.KafkaException": _librdkafka,
    "confluent_kafka.KafkaException": _librdkafka,
    "confluent_kafka.error.KafkaException": _librdkafka,
    "builtins.BufferError": _full_queue,
    **under("aiokafka.errors", KAFKA),
    **under("kafka.errors", KAFKA),
    **under("nats.errors", NATS),
    "nats.js.errors.NoStreamResponseError": TRANSIENT,
    "nats.js.errors.APIError": _jetstream,
    "paho.mqtt.exception.MQTTException": PERMANENT,
    "aiomqtt.exceptions.MqttConnectError": _connack,
    "aiomqtt.exceptions.MqttCodeError": _mqtt_code,
    "aiomqtt.exceptions.MqttReentrantError": PERMANENT,
    "aiomqtt.exceptions.MqttError": TRANSIENT,
}

"""An exporter's settings: what the caller said, else what the environment says, else the defaults.

The variables are ``OTEL_EXPORTER_OTLP_<OPTION>`` and, before it, ``OTEL_EXPORTER_OTLP_<SIGNAL>_<OPTION>``.
Source: OpenTelemetry specification, "OpenTelemetry Protocol Exporter"; headers as W3C baggage.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, cast
from urllib.parse import SplitResult, unquote, urlsplit

from workbench.otlp.transport._clock import LONGEST_WAIT_S
from workbench.otlp.transport._compression import CODINGS, Coding
from workbench.otlp.transport._services import (
    DEFAULT_GRPC_PORT,
    DEFAULT_HTTP_PORT,
    SERVICES,
    ServiceName,
)
from workbench.otlp.transport.errors import ConfigurationError, EndpointError

__all__ = ["USER_AGENT", "Compression", "Options", "Protocol", "Target", "resolve", "without_secrets"]

Protocol = Literal["http/protobuf", "http/json", "grpc"]
Compression = Coding | Literal["none"]
PROTOCOLS: tuple[Protocol, ...] = ("http/protobuf", "http/json", "grpc")
PREFIX = "OTEL_EXPORTER_OTLP"
DEFAULT_TIMEOUT_S = 10.0
MILLISECONDS = 1000
GRPC_TARGET = re.compile(
    r"(?P<scheme>dns|ipv4|ipv6|unix|unix-abstract|vsock|xds):(//[^/]*/)?(?P<addresses>.*)"
)
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")  # RFC 9110 section 5.1
HEADER_NAME_OF_GRPC = re.compile(r"[0-9a-z_.-]+")


def _user_agent() -> str:
    try:
        number = version("reliability-workbench")
    except PackageNotFoundError:  # a source tree that is not installed
        number = "0"
    return f"OTel-OTLP-Exporter-Python/{number} workbench"


USER_AGENT = _user_agent()


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller said; None leaves it to the environment."""

    endpoint: str | None = None
    protocol: str | None = None
    headers: Mapping[str, str] | None = None
    compression: str | None = None
    timeout_s: float | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where the requests of one signal go, and how."""

    signal: ServiceName
    protocol: Protocol
    url: str  # of HTTP with its path; of gRPC host:port, or a target such as unix:/run/otlp.sock
    secure: bool
    headers: tuple[tuple[str, str], ...]
    compression: Coding | None
    timeout_s: float
    certificate: str | None
    client_certificate: str | None
    client_key: str | None

    @property
    def is_local(self) -> bool:
        """Tell whether the target is on this machine, which no proxy is asked for."""
        if self.protocol == "grpc":
            return _grpc_is_here(self.url, "endpoint")
        return _is_here(urlsplit(self.url).hostname)


def without_secrets(url: str) -> str:
    """Return an address with what stands before an @ left out.

    Examples
    --------
    >>> without_secrets("https://me:secret@collector:4318/v1/traces")
    'https://***@collector:4318/v1/traces'
    """
    return re.sub(r"(^|//)[^/?#]*@", r"\1***@", url)


def resolve(options: Options, environment: Mapping[str, str] | None = None) -> dict[ServiceName, Target]:
    """Return the target of each signal.

    Raises
    ------
    ConfigurationError, EndpointError
        When a value has no meaning; the message names its variable.
    """
    reader = _Reader(os.environ if environment is None else environment)
    return {signal: _target(signal, options, reader) for signal in SERVICES}


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def find(self, signal: ServiceName, option: str) -> tuple[str, str] | None:
        """Return the value and its variable, the signal's own before the general one; empty is unset."""
        for name in (f"{PREFIX}_{signal.upper()}_{option}", f"{PREFIX}_{option}"):
            value = self.environment.get(name, "").strip()
            if value:
                return value, name
        return None

    def value(self, signal: ServiceName, option: str, given: str | None, default: str) -> tuple[str, str]:
        """Return a value and where it comes from."""
        if given is not None:
            return given, option.lower()
        return self.find(signal, option) or (default, option.lower())


def _target(signal: ServiceName, options: Options, reader: _Reader) -> Target:
    protocol = _protocol(*reader.value(signal, "PROTOCOL", options.protocol, "http/protobuf"))
    url, secure = _endpoint(signal, protocol, options, reader)
    coding = _coding(*reader.value(signal, "COMPRESSION", options.compression, "none"))
    if protocol == "grpc" and coding == "zstd":
        msg = "gRPC's core knows no zstd: use gzip, or zstd over HTTP"
        raise ConfigurationError(msg)
    return Target(
        signal,
        protocol,
        url,
        secure,
        _headers(signal, protocol, options, reader),
        coding,
        _timeout_s(signal, options, reader),
        _file(*reader.value(signal, "CERTIFICATE", options.certificate, "")),
        _file(*reader.value(signal, "CLIENT_CERTIFICATE", None, "")),
        _file(*reader.value(signal, "CLIENT_KEY", None, "")),
    )


def _protocol(value: str, source: str) -> Protocol:
    return cast("Protocol", _one_of(PROTOCOLS, value, source))


def _coding(value: str, source: str) -> Coding | None:
    found = _one_of(("none", *CODINGS), value, source)
    return None if found == "none" else cast("Coding", found)


def _one_of(known: tuple[str, ...], value: str, source: str) -> str:
    """Return one of the known words, whatever its case is."""
    found = str(value).lower()
    if found not in known:
        msg = f"{source} must be one of {', '.join(known)}, got {value!r}"
        raise ConfigurationError(msg)
    return found


def _endpoint(signal: ServiceName, protocol: Protocol, options: Options, reader: _Reader) -> tuple[str, bool]:
    port = DEFAULT_GRPC_PORT if protocol == "grpc" else DEFAULT_HTTP_PORT
    found = None if options.endpoint else reader.find(signal, "ENDPOINT")
    value, source = found or (options.endpoint or f"http://localhost:{port}", "endpoint")
    if protocol == "grpc":
        return _grpc_endpoint(value, source, insecure=_insecure(signal, reader))
    parts = _parts(value, source)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        shown = without_secrets(value)
        msg = f"{source} must be a URL such as http://localhost:{DEFAULT_HTTP_PORT}, got {shown!r}"
        raise EndpointError(msg)
    own = source == f"{PREFIX}_{signal.upper()}_ENDPOINT"
    path = (parts.path or "/") if own else parts.path.rstrip("/") + SERVICES[signal].path
    return parts._replace(path=path).geturl(), parts.scheme == "https"


def _grpc_endpoint(value: str, source: str, *, insecure: bool) -> tuple[str, bool]:
    if "://" not in value or GRPC_TARGET.fullmatch(value):
        is_here = _grpc_is_here(value, source)
        return value, not insecure and not is_here
    parts = _parts(value, source)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        shown = without_secrets(value)
        msg = f"{source} must be host:port, a URL or a target of gRPC such as dns:host:port, got {shown!r}"
        raise EndpointError(msg)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port or DEFAULT_GRPC_PORT}", parts.scheme == "https"


def _grpc_is_here(target: str, source: str) -> bool:
    """Tell whether a target of gRPC is this machine, and refuse what is none (gRPC, "Name Resolution")."""
    found = GRPC_TARGET.fullmatch(target)
    scheme, addresses = (found["scheme"], found["addresses"]) if found else ("dns", target)
    if not addresses:
        msg = f"{source} must have an address behind its scheme, got {target!r}"
        raise EndpointError(msg)
    if scheme in ("unix", "unix-abstract", "vsock"):
        return True
    parts = [_parts(f"//{address}", source) for address in unquote(addresses).split(",")]
    if any(part.path or part.query or part.fragment for part in parts):
        msg = f"{source} must be host:port and no path for gRPC, got {without_secrets(target)!r}"
        raise ConfigurationError(msg)
    return all(_is_here(part.hostname) for part in parts)


def _parts(value: str, source: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port  # is looked at when it is asked for
    except ValueError as error:
        msg = f"{source} is no address: {error}, got {without_secrets(value)!r}"
        raise EndpointError(msg) from error
    return parts


def _is_here(host: str | None) -> bool:
    """Tell whether a host is this machine, where TLS would protect nothing; None is a socket of its files.

    The address that a server listens on everywhere with means this machine to a client.
    """
    if host in (None, "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _insecure(signal: ServiceName, reader: _Reader) -> bool:
    return reader.value(signal, "INSECURE", None, "false")[0].lower() == "true"


def _headers(
    signal: ServiceName, protocol: Protocol, options: Options, reader: _Reader
) -> tuple[tuple[str, str], ...]:
    source = "headers"
    if options.headers is not None:
        found = tuple((str(name).lower(), value) for name, value in options.headers.items())
    else:
        value, source = reader.find(signal, "HEADERS") or ("", "")
        found = tuple(_header(pair, source) for pair in value.split(",") if pair.strip())
    for name, text in found:
        _check_header(name, text, protocol, source)
    return found


def _check_header(name: str, value: object, protocol: Protocol, source: str) -> None:
    """Refuse what no request could carry, or what would end the header before its end."""
    names = HEADER_NAME_OF_GRPC if protocol == "grpc" else HEADER_NAME
    sound = isinstance(value, str) and value.isascii() and value.isprintable() and value == value.strip()
    if not sound or not names.fullmatch(name):
        msg = f"{source} must be names and values of printable ASCII: {name!r} has other ones"  # or a secret
        raise ConfigurationError(msg)
    if protocol == "grpc" and name.endswith("-bin"):
        msg = f"{source} must be text: gRPC takes {name!r} for binary, by its end"
        raise ConfigurationError(msg)


def _header(pair: str, source: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not equals or not name.strip():
        msg = f"{source} must be name=value pairs separated by commas, got {pair!r}"
        raise ConfigurationError(msg)
    return unquote(name.strip()).lower(), unquote(value.strip())


def _timeout_s(signal: ServiceName, options: Options, reader: _Reader) -> float:
    if options.timeout_s is not None:
        return _positive(options.timeout_s, "timeout_s")
    value, source = reader.find(signal, "TIMEOUT") or (str(DEFAULT_TIMEOUT_S * MILLISECONDS), "timeout_s")
    try:
        milliseconds = float(value)
    except ValueError as error:
        msg = f"{source} must be a number of milliseconds, got {value!r}"
        raise ConfigurationError(msg) from error
    return _positive(milliseconds / MILLISECONDS, source)


def _file(value: str, source: str) -> str | None:
    if value and not os.access(value, os.R_OK):
        msg = f"{source} must be a file that can be read, got {value!r}"
        raise ConfigurationError(msg)
    return value or None


def _positive(seconds: float, source: str) -> float:
    if not 0 < seconds <= LONGEST_WAIT_S:
        msg = f"{source} must be positive and at most {LONGEST_WAIT_S:g} s, got {seconds:g} s"
        raise ConfigurationError(msg)
    return seconds

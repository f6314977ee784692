"""Where an exporter sends, as its options and the environment say."""

import pytest

from workbench import otlp
from workbench.otlp.transport._settings import Options, resolve

E = "OTEL_EXPORTER_OTLP_"


def target(signal="traces", environment=(), **options):
    return resolve(Options(**options), dict(environment))[signal]


def test_defaults_are_the_specifications():
    found = target()
    assert (found.protocol, found.url) == ("http/protobuf", "http://localhost:4318/v1/traces")
    assert (found.timeout_s, found.compression, found.headers, found.secure) == (10.0, None, (), False)
    assert target(protocol="grpc").url == "localhost:4317"


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://collector:4318", "http://collector:4318/v1/metrics"),
        ("http://collector:4318/", "http://collector:4318/v1/metrics"),
        ("https://collector/mycollector/", "https://collector/mycollector/v1/metrics"),
        ("http://[::1]:4318", "http://[::1]:4318/v1/metrics"),
    ],
)
def test_a_base_endpoint_gets_the_path_of_the_signal(base, url):
    assert target("metrics", {f"{E}ENDPOINT": base}).url == url
    assert target("metrics", endpoint=base).url == url


@pytest.mark.parametrize(
    ("own", "url"),
    [
        ("http://collector:4318", "http://collector:4318/"),
        ("http://collector:4318/", "http://collector:4318/"),
        ("http://collector:4318/traces/v7", "http://collector:4318/traces/v7"),
    ],
)
def test_a_signals_endpoint_is_used_as_it_is(own, url):
    environment = {f"{E}ENDPOINT": "http://other", f"{E}TRACES_ENDPOINT": own}
    assert target("traces", environment).url == url
    assert target("logs", environment).url == "http://other/v1/logs"


def test_profiles_have_the_path_of_a_protocol_in_development():
    assert target("profiles").url == "http://localhost:4318/v1development/profiles"


@pytest.mark.parametrize(
    ("endpoint", "url", "secure"),
    [
        ("http://collector:4317", "collector:4317", False),
        ("https://collector:4317", "collector:4317", True),
        ("https://collector", "collector:4317", True),
        ("http://[::1]:9", "[::1]:9", False),
        ("collector:4317", "collector:4317", True),
        ("127.0.0.1:4317", "127.0.0.1:4317", False),
        ("127.0.0.2:4317", "127.0.0.2:4317", False),
        ("[::]:4317", "[::]:4317", False),
        ("0.0.0.0:4317", "0.0.0.0:4317", False),
        ("192.0.2.1:4317", "192.0.2.1:4317", True),
        ("unix:///run/otlp.sock", "unix:///run/otlp.sock", False),
        ("unix:/run/otlp.sock", "unix:/run/otlp.sock", False),
        ("unix-abstract:otlp", "unix-abstract:otlp", False),
        ("dns:///127.0.0.1:4317", "dns:///127.0.0.1:4317", False),
        ("dns:localhost:4317", "dns:localhost:4317", False),
        ("dns:collector:4317", "dns:collector:4317", True),
        ("dns://8.8.8.8/collector:4317", "dns://8.8.8.8/collector:4317", True),
        ("ipv4:127.0.0.1:4317", "ipv4:127.0.0.1:4317", False),
        ("ipv4:127.0.0.1:4317,192.0.2.1:4317", "ipv4:127.0.0.1:4317,192.0.2.1:4317", True),
        ("ipv6:[::1]:4317", "ipv6:[::1]:4317", False),
        ("ipv6:%5B::1%5D:4317", "ipv6:%5B::1%5D:4317", False),
    ],
)
def test_grpc_endpoints_are_urls_or_addresses(endpoint, url, secure):
    found = target(protocol="grpc", endpoint=endpoint)
    assert (found.url, found.secure, found.is_local) == (url, secure, not secure and "collector" not in url)


def test_a_target_of_grpc_is_insecure_where_that_is_said():
    environment = {f"{E}INSECURE": "true", f"{E}PROTOCOL": "grpc", f"{E}ENDPOINT": "dns:collector:4317"}
    assert not target(environment=environment).secure


def test_words_are_known_in_any_case():
    found = target(environment={f"{E}COMPRESSION": "GZIP", f"{E}PROTOCOL": "HTTP/JSON"})
    assert (found.compression, found.protocol) == ("gzip", "http/json")


def test_no_password_is_shown():
    with otlp.Exporter("http://me:hunter2@127.0.0.1:9/base") as exporter:
        assert "http://***@127.0.0.1:9/base/v1/traces" in repr(exporter)
    for endpoint, protocol in (("ftp://me:hunter2@x", "grpc"), ("x://me:hunter2@x:y", "http/json")):
        with pytest.raises(otlp.EndpointError, match=r"\*\*\*@x") as caught:
            target(endpoint=endpoint, protocol=protocol)
        assert "hunter2" not in str(caught.value)


def test_insecure_applies_where_no_scheme_says():
    environment = {f"{E}INSECURE": "TRUE", f"{E}ENDPOINT": "collector:4317", f"{E}PROTOCOL": "grpc"}
    assert not target(environment=environment).secure
    assert target(environment=environment | {f"{E}ENDPOINT": "https://collector:4317"}).secure


def test_what_the_caller_says_goes_before_the_environment_and_a_signal_before_the_rest():
    environment = {
        f"{E}PROTOCOL": "grpc",
        f"{E}LOGS_PROTOCOL": "http/json",
        f"{E}TIMEOUT": "2500",
        f"{E}LOGS_TIMEOUT": "500",
        f"{E}COMPRESSION": "gzip",
        f"{E}LOGS_COMPRESSION": "none",
        f"{E}CERTIFICATE": __file__,
    }
    logs, traces = target("logs", environment), target("traces", environment)
    assert (logs.protocol, logs.timeout_s, logs.compression) == ("http/json", 0.5, None)
    assert (traces.protocol, traces.timeout_s, traces.compression) == ("grpc", 2.5, "gzip")
    assert traces.certificate == __file__
    told = target("logs", environment, protocol="http/protobuf", timeout_s=1.0, compression="zstd")
    assert (told.protocol, told.timeout_s, told.compression) == ("http/protobuf", 1.0, "zstd")


def test_headers_are_baggage():
    environment = {f"{E}HEADERS": "Api-Key=a%20b%3D, x = 1 ,,"}
    assert target(environment=environment).headers == (("api-key", "a b="), ("x", "1"))
    assert target(environment=environment, headers={"Only": "me"}).headers == (("only", "me"),)


def test_an_empty_variable_is_unset():
    assert target(environment={f"{E}PROTOCOL": " ", f"{E}TIMEOUT": ""}).timeout_s == 10.0


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({f"{E}PROTOCOL": "http"}, "OTEL_EXPORTER_OTLP_PROTOCOL must be one of http/protobuf"),
        (
            {f"{E}COMPRESSION": "br"},
            "OTEL_EXPORTER_OTLP_COMPRESSION must be one of none, gzip, zstd, got 'br'",
        ),
        ({f"{E}TRACES_TIMEOUT": "ten"}, "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT must be a number of milliseconds"),
        ({f"{E}TIMEOUT": "0"}, "OTEL_EXPORTER_OTLP_TIMEOUT must be positive"),
        ({f"{E}TIMEOUT": "nan"}, "OTEL_EXPORTER_OTLP_TIMEOUT must be positive"),
        ({f"{E}CERTIFICATE": "/no/ca.pem"}, "OTEL_EXPORTER_OTLP_CERTIFICATE must be a file that can be read"),
        ({f"{E}HEADERS": "novalue"}, "OTEL_EXPORTER_OTLP_HEADERS must be name=value pairs"),
        ({f"{E}HEADERS": "x=a%0Ab"}, "OTEL_EXPORTER_OTLP_HEADERS must be names and values of printable"),
        ({f"{E}HEADERS": "x=%C3%A9"}, "OTEL_EXPORTER_OTLP_HEADERS must be names and values of printable"),
        ({f"{E}HEADERS": "a b=1"}, "OTEL_EXPORTER_OTLP_HEADERS must be names and values of printable"),
        ({f"{E}HEADERS": "a!=1", f"{E}PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_HEADERS must be names and"),
        ({f"{E}TIMEOUT": "1e15"}, "OTEL_EXPORTER_OTLP_TIMEOUT must be positive and at most"),
        ({f"{E}ENDPOINT": "http://collector:99999"}, "OTEL_EXPORTER_OTLP_ENDPOINT is no address: Port out"),
        ({f"{E}ENDPOINT": "http://collector:otlp"}, "OTEL_EXPORTER_OTLP_ENDPOINT is no address: Port could"),
        ({f"{E}ENDPOINT": "http://[::1"}, "OTEL_EXPORTER_OTLP_ENDPOINT is no address: Invalid IPv6"),
        ({f"{E}PROTOCOL": "grpc", f"{E}ENDPOINT": "http://x:99999"}, "ENDPOINT is no address: Port out"),
        ({f"{E}PROTOCOL": "grpc", f"{E}ENDPOINT": "x:99999"}, "ENDPOINT is no address: Port out"),
        ({f"{E}ENDPOINT": "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT must be a URL"),
        ({f"{E}PROTOCOL": "grpc", f"{E}ENDPOINT": "ftp://x"}, "must be host:port, a URL or a target of gRPC"),
        ({f"{E}PROTOCOL": "grpc", f"{E}ENDPOINT": "x:4317/path"}, "must be host:port and no path for gRPC"),
        ({f"{E}PROTOCOL": "grpc", f"{E}ENDPOINT": "dns:///x:99999"}, "ENDPOINT is no address: Port out"),
        ({f"{E}PROTOCOL": "grpc", f"{E}ENDPOINT": "unix:"}, "must have an address behind its scheme"),
        ({f"{E}PROTOCOL": "grpc", f"{E}HEADERS": "key-bin=x"}, "gRPC takes 'key-bin' for binary"),
        ({f"{E}PROTOCOL": "grpc", f"{E}COMPRESSION": "zstd"}, "gRPC's core knows no zstd"),
    ],
)
def test_a_value_without_a_meaning_is_refused_by_the_name_of_its_variable(environment, message):
    with pytest.raises((otlp.ConfigurationError, otlp.EndpointError), match=message):
        target(environment=environment)


def test_the_environment_is_that_of_the_process(monkeypatch):
    monkeypatch.setenv(f"{E}ENDPOINT", "http://127.0.0.1:9")
    exporter = otlp.Exporter()
    assert "http://127.0.0.1:9/v1/traces" in repr(exporter)
    assert exporter.shutdown(1)


@pytest.mark.parametrize(
    "options",
    [
        {"max_queue": 0},
        {"max_batch_records": 0},
        {"max_batch_bytes": 65 << 20},
        {"schedule_delay_s": -1},
        {"schedule_delay_s": float("nan")},
        {"headers": {"x": 1}},
        {"when_full": "explode"},
        {"max_concurrent_requests": 0},
        {"timeout_s": -1.0},
        {"protocol": "grpc", "max_response_bytes": 1 << 31},
    ],
)
def test_an_exporters_options_are_checked(options):
    with pytest.raises(otlp.ConfigurationError):
        otlp.Exporter("http://127.0.0.1:9", **options)

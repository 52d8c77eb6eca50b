"""Private certificates: `verify` of an Airflow connection, or SSL_CERT_FILE, names the trusted ones. Proxies, as
docs/aws-setup.md describes them."""

import base64
import contextlib
import dataclasses
import datetime
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from library import health_error

from .test_moto_identity import AirflowServer


@dataclasses.dataclass(frozen=True)
class Behind(AirflowServer):
    """With further variables."""

    variables: tuple[tuple[str, str], ...] = ()

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **dict(self.variables)}


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    own, secret = folder / "ca.pem", folder / "key.pem"
    own.write_bytes(made.public_bytes(pem))
    plain = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return own, secret


class Refuses(BaseHTTPRequestHandler):
    """Answers every request with an error: a client that receives it has accepted the certificate."""

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", 0))
        self.rfile.read(length)
        body = b'{"message": "reached over TLS"}'
        self.send_response(403)
        self.send_header("x-amzn-errortype", "AccessDeniedException")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """URL of a server, and its certificate."""
    own, secret = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, secret)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}", own
    server.shutdown()
    server.server_close()


def health(url: str, home: Path, extra: dict[str, object], **variables: str) -> str:
    connection = {"login": "AKID", "password": "s", "extra": {"endpoint_url": url, "region_name": "eu-west-1", **extra}}
    server = Behind("tls", url, connection=json.dumps(connection), home=str(home), variables=tuple(variables.items()))
    config = {
        "airflow": True,
        "endpoint_url": None,
        "region_name": None,
        "function_name": "run",
        "queue_url": f"{url}/1/results",
        "dead_letter_queue_url": f"{url}/1/letters",
    }
    return health_error(server, config)


def test_only_the_given_bundle_is_trusted(secure: tuple[str, Path], tmp_path: Path) -> None:
    url, own = secure
    assert "reached over TLS" in health(url, tmp_path, {"verify": str(own)})
    untrusting = health(url, tmp_path, {})
    assert "reached over TLS" not in untrusting
    assert "cannot be reached: invalid peer certificate: UnknownIssuer" in untrusting


def test_a_missing_bundle_is_reported(secure: tuple[str, Path], tmp_path: Path) -> None:
    error = health(secure[0], tmp_path, {"verify": str(tmp_path / "none.pem")})
    assert f"the CA bundle {tmp_path}/none.pem (verify of the connection) cannot be read" in error


def test_trusting_every_certificate_is_refused(secure: tuple[str, Path], tmp_path: Path) -> None:
    assert "extra.verify: false is not supported" in health(secure[0], tmp_path, {"verify": False})


def test_a_bundle_of_the_environment_is_trusted(secure: tuple[str, Path], tmp_path: Path) -> None:
    url, own = secure
    assert "reached over TLS" in health(url, tmp_path, {}, SSL_CERT_FILE=str(own))
    # A variable of AWS's other clients, which the library does not read.
    ignored = health(url, tmp_path, {}, AWS_CA_BUNDLE=str(own))
    assert "cannot be reached: invalid peer certificate" in ignored


class Proxy:
    """Opens a tunnel for each request with the right password, and notes the heads of all requests."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            self.heads.append(head.decode().lower())
            if base64.b64encode(b"user:pa ss").decode().lower() not in self.heads[-1]:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                return
            host, port = head.split()[1].decode().rsplit(":", 1)
            with socket.create_connection((host, int(port)), timeout=10) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
                back.start()
                self._copy(client, server)
                back.join(10)

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    yield made
    made.close()


def test_a_proxy_and_a_bundle_of_the_environment(secure: tuple[str, Path], proxy: Proxy, tmp_path: Path) -> None:
    url, own = secure
    address = f"http://user:pa%20ss@127.0.0.1:{proxy.port}"
    assert "reached over TLS" in health(url, tmp_path, {}, HTTPS_PROXY=address, SSL_CERT_FILE=str(own))
    target = url.removeprefix("https://")
    assert proxy.heads
    assert all(head.startswith(f"connect {target} http/1.1\r\n") for head in proxy.heads)


def test_a_proxy_that_refuses_the_password_is_named(secure: tuple[str, Path], proxy: Proxy, tmp_path: Path) -> None:
    url, own = secure
    error = health(url, tmp_path, {"verify": str(own)}, https_proxy=f"http://user:wrong@127.0.0.1:{proxy.port}")
    assert "cannot be reached: tunnel error: proxy authorization required" in error
    assert "wrong" not in error
    assert proxy.heads


@pytest.mark.parametrize("hosts", ["127.0.0.0/8", "other.example, 127.0.0.1"])
def test_hosts_without_a_proxy(secure: tuple[str, Path], proxy: Proxy, tmp_path: Path, hosts: str) -> None:
    url, own = secure
    address = f"http://127.0.0.1:{proxy.port}"
    error = health(url, tmp_path, {"verify": str(own)}, ALL_PROXY=address, NO_PROXY=hosts)
    assert "reached over TLS" in error
    assert proxy.heads == []


def test_a_proxy_of_another_kind_is_not_used(secure: tuple[str, Path], tmp_path: Path) -> None:
    url, own = secure
    error = health(url, tmp_path, {"verify": str(own)}, HTTPS_PROXY="socks5://127.0.0.1:1")
    assert "HTTPS_PROXY is ignored: it is not the URL of an HTTP proxy" in error
    assert "reached over TLS" in error

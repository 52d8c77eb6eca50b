"""Private certificates: `verify` of an Airflow connection names the trusted ones."""

import datetime
import ipaddress
import json
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


def health(url: str, home: Path, extra: dict[str, object]) -> str:
    connection = {"login": "AKID", "password": "s", "extra": {"endpoint_url": url, "region_name": "eu-west-1", **extra}}
    server = AirflowServer("tls", url, connection=json.dumps(connection), home=str(home))
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
    assert "cannot be reached: invalid peer certificate" in untrusting


def test_a_missing_bundle_is_reported(secure: tuple[str, Path], tmp_path: Path) -> None:
    error = health(secure[0], tmp_path, {"verify": str(tmp_path / "none.pem")})
    assert f"the CA bundle {tmp_path}/none.pem (verify of the connection) cannot be read" in error


def test_trusting_every_certificate_is_refused(secure: tuple[str, Path], tmp_path: Path) -> None:
    assert "extra.verify: false is not supported" in health(secure[0], tmp_path, {"verify": False})

"""Go's build cache ignores installed headers and pkg-config's output: these flags make both part of its key."""

import hashlib
from pathlib import Path


def go_flags(prefix: Path) -> dict[str, str]:
    """The environment of a build against an installed prefix; bindings/go/test.sh has the same."""
    installed = [*sorted((prefix / "lib" / "pkgconfig").glob("*.pc")), prefix / "include" / "lambda_executor.h"]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in installed)).hexdigest()
    return {"CGO_CPPFLAGS": f"-DLAMBDA_EXECUTOR_BUILD=0x{digest[:16]}"}

"""Go's build cache sees neither an installed header nor pkg-config's answer: flags that make both part of its key."""

import hashlib
from pathlib import Path


def go_flags(prefix: Path) -> dict[str, str]:
    """The environment of a build against what is installed there; bindings/go/test.sh has the same."""
    installed = [*sorted((prefix / "lib" / "pkgconfig").glob("*.pc")), prefix / "include" / "lambda_executor.h"]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in installed)).hexdigest()
    return {"CGO_CPPFLAGS": f"-DLAMBDA_EXECUTOR_BUILD=0x{digest[:16]}"}

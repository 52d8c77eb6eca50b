"""What the header declares. Each has a man page."""

import re

from servers import ROOT

_TEXT = (ROOT / "include" / "lambda_executor.h").read_text()
FUNCTIONS = re.findall(r"^(?![ /#*]).*?\b(lambda_executor_\w+)\(", _TEXT, re.MULTILINE)
# Structs, opaque types and callbacks.
TYPES = re.findall(r"(?:^\} |^typedef struct \w+ |\(\*)(lambda_executor_\w+)", _TEXT, re.MULTILINE)
_INLINE = re.findall(r"^static LAMBDA_EXECUTOR_INLINE .*?\b(lambda_executor_\w+)\(", _TEXT, re.MULTILINE)
# Those that the library exports.
EXPORTED = set(FUNCTIONS) - set(_INLINE)

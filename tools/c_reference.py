#!/usr/bin/env python3
"""Generates docs/c-api.md, the reference of the C API, from include/lambda_executor.h.

    tools/c_reference.py            writes the page
    tools/c_reference.py --check    writes nothing; prints the difference, and fails if there is one

The header comes from cbindgen and is regular. An item of another form is an error with its line, so that the page never
lacks an item.
"""

import difflib
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = ROOT / "include" / "lambda_executor.h"
PAGE = ROOT / "docs" / "c-api.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"

MADE_BY = (
    "<!-- Made by tools/c_reference.py from include/lambda_executor.h: change src/ffi/, then `make header docs` -->"
)
INTRODUCTION = (
    "Everything that [`lambda_executor.h`](../include/lambda_executor.h) declares. Programs that use it: [c.md](c.md). "
    "Options of `lambda_executor_create`: [configuration.md](configuration.md). What may change in which release: "
    "[ABI.md](ABI.md)."
)

# Groups on the page. A constant or function in no group is an error.
CONSTANTS = [
    (
        "Statuses",
        r"OK|TIMED_OUT|INTERRUPTED|QUEUE_FULL|DUPLICATE|NOT_FOUND|BUFFER_TOO_SMALL|PARTIAL|ERR_\w+",
        "status_t",
    ),
    ("States", r"TASK_(?!INIT)\w+", "task_state_t"),
    ("Reasons", r"REASON_\w+", "reason_t"),
    ("Log levels", r"LOG_\w+", "log_level_t"),
    ("Modes of drain", r"DRAIN_\w+", None),
    ("Limits", r"MAX_\w+|DEFAULT_EVENTS|ATTEMPT_ID_SIZE", None),
    ("Versions and special values", r"VERSION|ABI_VERSION|NUL|TIMEOUT_CONFIGURED", None),
    ("Initialisers and strings", r"TASK_INIT|COUNTS_INIT|STR", None),
]
FUNCTIONS = [
    ("Executors", "create drain close free"),
    ("Tasks", "queue queue_batch new_attempt_id cancel adopt"),
    ("Events", "sync batch_len batch_event batch_events batch_ack ack batch_free"),
    ("Waiting", "wait wakeup_fd wake"),
    ("State and statistics", "state describe counts stats"),
    ("AWS", "check_health set_credentials"),
    ("Log", "set_log_callback"),
    ("Errors", "error_status error_message error_cstr error_aws_code error_request_id error_is_retriable error_free"),
    ("Strings", "str"),
    (
        "Self-description",
        "version version_string abi_version status_name status_string task_state_name reason_name config_schema",
    ),
]


class HeaderError(Exception):
    """The header has an item that the page would lack."""


@dataclass(frozen=True)
class Comment:
    paragraphs: tuple[tuple[str, ...], ...]
    """Each is its lines."""

    def texts(self) -> list[str]:
        return [" ".join(lines) for lines in self.paragraphs]


@dataclass(frozen=True)
class Member:
    type: str
    name: str
    comment: Comment


@dataclass(frozen=True)
class Item:
    kind: str
    """constant, opaque, alias, struct, callback or function."""
    name: str
    comment: Comment
    value: str = ""
    """A constant's number, or an alias's type."""
    declaration: str = ""
    parameters: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()


# ---- reading the header ----

# Lines that are not items of the API.
SKIPPED = re.compile(r"#(include|ifndef|ifdef|endif)\b|#define LAMBDA_EXECUTOR_H$|extern \"C\" \{$|\} /\* extern|\}$")
DEFINE = re.compile(r"#define (\w+) (.+)")
OPAQUE = re.compile(r"typedef struct \w+ (\w+);")
ALIAS = re.compile(r"typedef (\w+) (\w+);")
STRUCT = re.compile(r"typedef struct \w+ \{(.*)\} (\w+);", re.DOTALL)
CALLBACK = re.compile(r"typedef void \(\*(\w+)\)\((.*)\);", re.DOTALL)
FUNCTION = re.compile(r"[\w ]+?[ *]+(\w+)\(([^()]*)\);", re.DOTALL)
MEMBER = re.compile(r"(.*?[ *])(\w+);")


def regular(text: str) -> str:
    """The header with each comment before its item, and without parts that only compilers need."""
    top, rest = text.split("\n#ifndef LAMBDA_EXECUTOR_H\n", 1)
    # Visibility, warnings and `inline`, up to the first section.
    rest = rest[rest.index("\n/* ---- ") :]
    rest = re.sub(r"^/\* -{4} .* \*/$", "", rest, flags=re.MULTILINE)
    rest = re.sub(r"^(#define \S+) +(\S+) /\*\*< (.*) \*/$", r"/**\n * \3\n */\n\1 \2", rest, flags=re.MULTILINE)
    rest = re.sub(r"^( *)/\*\* (.*) \*/$", r"\1/**\n\1 * \2\n\1 */", rest, flags=re.MULTILINE)
    # Macros that are not numbers: keep only their name.
    rest = re.sub(r"^#else\n#define LAMBDA_EXECUTOR_STR(.*\\\n)*.*$", "", rest, flags=re.MULTILINE)
    macro = r"^#define (LAMBDA_EXECUTOR_(?:STR|\w+_INIT))(.*\\\n)*.*$"
    rest = re.sub(macro, r"#define \1 macro", rest, flags=re.MULTILINE)
    rest = re.sub(r"^#ifdef __cplusplus\n(?=#define)", "", rest, flags=re.MULTILINE)
    rest = re.sub(r"^static LAMBDA_EXECUTOR_INLINE (.*) \{\n(  .*\n)*\}$", r"\1;", rest, flags=re.MULTILINE)
    rest = re.sub(r"LAMBDA_EXECUTOR_(EXPORT|MUST_CHECK) ?", "", rest)
    # `const char *` alone on a line belongs to the next line.
    result_type = r"^((?:const )?\w+(?: \*)?)\n(?=lambda_executor_\w+\()"
    rest = re.sub(result_type, lambda m: m[1] + ("" if m[1].endswith("*") else " "), rest, flags=re.MULTILINE)
    return top + "\n" + rest


def parse(text: str) -> tuple[list[str], list[Item]]:
    """The lines of the first comment, and the items in their order."""
    lines = regular(text).splitlines()
    if lines[0] != "/*":
        raise HeaderError("line 1: expected the comment that opens the header")
    end = lines.index(" */")
    top = [line[3:] for line in lines[1:end]]
    items: list[Item] = []
    comment: Comment | None = None
    at = end + 1
    while at < len(lines):
        if lines[at] == "/**":
            comment, at = read_comment(lines, at)
        elif not lines[at] or SKIPPED.match(lines[at]):
            at += 1
        else:
            declaration, after = read_declaration(lines, at)
            if comment is None:
                raise HeaderError(f"line {at + 1}: no comment before `{lines[at]}`")
            items.append(item(declaration, comment, at + 1))
            comment, at = None, after
    return top, items


def read_comment(lines: list[str], at: int, indent: str = "") -> tuple[Comment, int]:
    """The comment that starts in line `at`, and the number of the line after it."""
    paragraphs: list[list[str]] = [[]]
    for end in range(at + 1, len(lines)):
        line = lines[end].removeprefix(indent)
        if line == " */":
            found = tuple(tuple(paragraph) for paragraph in paragraphs if paragraph)
            if not found:
                raise HeaderError(f"line {at + 1}: an empty comment")
            return Comment(found), end + 1
        if line == " *":
            paragraphs.append([])
        elif line.startswith(" * "):
            # A table keeps its columns: every line of its paragraph is indented.
            table = line.startswith(" *   ") and (not paragraphs[-1] or paragraphs[-1][0].startswith("  "))
            paragraphs[-1].append(line[3:] if table else line[3:].strip())
        else:
            break
    raise HeaderError(f"line {at + 1}: a comment that does not end")


def read_declaration(lines: list[str], at: int) -> tuple[str, int]:
    """A directive, or the text up to a semicolon outside of braces; and the number of the line after it."""
    if lines[at].startswith("#"):
        return lines[at], at + 1
    depth = 0
    for end in range(at, len(lines)):
        code = "" if lines[end].lstrip().startswith(("/*", "*")) else lines[end]
        depth += code.count("{") - code.count("}")
        if depth == 0 and code.endswith(";"):
            return "\n".join(lines[at : end + 1]), end + 1
    raise HeaderError(f"line {at + 1}: a declaration that does not end")


def item(declaration: str, comment: Comment, line: int) -> Item:
    if match := DEFINE.fullmatch(declaration):
        return Item("constant", match[1], comment, value=match[2])
    if match := OPAQUE.fullmatch(declaration):
        return Item("opaque", match[1], comment)
    if match := ALIAS.fullmatch(declaration):
        return Item("alias", match[2], comment, value=match[1])
    if match := STRUCT.fullmatch(declaration):
        return Item("struct", match[2], comment, members=tuple(members(match[1], line)))
    if match := CALLBACK.fullmatch(declaration):
        return Item("callback", match[1], comment, declaration=declaration)
    if match := FUNCTION.fullmatch(declaration):
        names = tuple(re.findall(r"(\w+)(?:\[\w+\])?(?:,|$)", match[2]))
        return Item("function", match[1], comment, declaration=declaration, parameters=names)
    raise HeaderError(f"line {line}: a form that this tool does not know: `{declaration}`")


def members(body: str, line: int) -> Iterator[Member]:
    lines = body.splitlines()
    comment: Comment | None = None
    at = 1
    while at < len(lines):
        if lines[at] == "  /**":
            comment, at = read_comment(lines, at, "  ")
            continue
        match = MEMBER.fullmatch(lines[at].strip())
        if match is None or comment is None:
            raise HeaderError(f"line {line + at}: expected a member after its comment, not `{lines[at]}`")
        yield Member(match[1].strip(), match[2], comment)
        comment, at = None, at + 1


# ---- writing the page ----


class Page:
    """Markdown, with links for names of the header."""

    def __init__(self, top: list[str], items: list[Item], options: set[str]) -> None:
        constants = [item for item in items if item.kind == "constant"]
        self.top = top
        self.items = items
        self.options = options
        self.names = {item.name for item in items}
        self.functions = {item.name.removeprefix("lambda_executor_") for item in items if item.kind == "function"}
        self.statuses = {short(item) for item in constants if group_of(item) == "Statuses"}
        # Short names, as comments and log lines use them: RUNNING, EXPIRED.
        family = re.compile(r"(TASK|REASON|LOG|DRAIN)_(\w+)")
        self.words_of_families = {match[2] for item in constants if (match := family.fullmatch(short(item)))}
        self.lines: list[str] = []

    def write(self) -> str:
        self.add(MADE_BY, "", "# The C API", "")
        self.prose(INTRODUCTION)
        self.contents()
        self.rules()
        self.constants()
        self.structs()
        self.types()
        for title, names in FUNCTIONS:
            self.add(f"## {title}", "")
            for name in names.split():
                self.function(self.find("function", f"lambda_executor_{name}"))
        return "\n".join(self.lines).rstrip() + "\n"

    def add(self, *lines: str) -> None:
        self.lines += lines

    def prose(self, text: str, first: str = "", rest: str = "") -> None:
        """A paragraph, wrapped like the pages written by hand."""
        wrap = textwrap.TextWrapper(
            120, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
        )
        self.add(*wrap.wrap(text), "")

    def find(self, kind: str, name: str) -> Item:
        for item in self.items:
            if (item.kind, item.name) == (kind, name):
                return item
        raise HeaderError(f"the header has no {kind} `{name}`, which tools/c_reference.py puts into a group")

    def contents(self) -> None:
        self.add("| part | what is in it |", "|---|---|")
        for title, names in FUNCTIONS:
            links = ", ".join(f"[`{name}`](#lambda_executor_{name})" for name in names.split())
            self.add(f"| [{title}](#{anchor(title)}) | {links} |")
        constants = ", ".join(f"[{title}](#{anchor(title)})" for title, _, _ in CONSTANTS)
        structs = ", ".join(f"[`{item.name}`](#{item.name})" for item in self.items if item.kind == "struct")
        others = [item.name for item in self.items if item.kind in ("opaque", "callback")]
        types = ", ".join(f"[`{name}`](#{name})" for name in others)
        self.add(f"| [Constants](#constants) | {constants} |", f"| [Structs](#structs) | {structs} |")
        self.add(f"| [Other types](#other-types) | {types} |", "")

    def rules(self) -> None:
        """The opening comment: headings with indented text or a list below, then paragraphs."""
        for block in blocks(self.top[1:]):
            if len(block) > 1 and block[1].startswith("  "):
                self.add(f"## {block[0]}", "")
                for entry in re.split(r"^  (?=- )", "\n".join(block[1:]), flags=re.MULTILINE):
                    words = " ".join(entry.split())
                    if words.startswith("- "):
                        self.prose(self.link(words[2:]), "- ", "  ")
                        self.lines.pop()
                    elif words:
                        self.prose(self.link(words[0].upper() + words[1:]))
                if self.lines[-1]:
                    self.add("")
            elif not block[0].startswith("Generated from"):
                self.prose(self.link(" ".join(block)))

    def constants(self) -> None:
        self.add("## Constants", "")
        for title, _, alias in CONSTANTS:
            self.add(f"### {title}", "")
            if alias is not None:
                item = self.find("alias", f"lambda_executor_{alias}")
                self.add(f'<a id="{item.name}"></a>')
                self.prose(f"`{item.name}`, which is `{item.value}`. {self.text_of(item)}")
            self.add("| number | name | what it is |", "|---|---|---|")
            for item in self.items:
                if item.kind == "constant" and group_of(item) == title:
                    self.row(f"`{item.value}`", f'<a id="{item.name}"></a>`{item.name}`', self.text_of(item))
            self.add("")

    def structs(self) -> None:
        self.add("## Structs", "")
        for item in self.items:
            if item.kind == "struct":
                self.add(f"### {item.name}", "")
                for paragraph in item.comment.paragraphs:
                    if paragraph[0].startswith("  "):
                        self.add("```", *(line[2:] for line in paragraph), "```", "")
                    else:
                        self.prose(self.link(" ".join(paragraph)))
                self.add("| type | member | what it is |", "|---|---|---|")
                for member in item.members:
                    self.row(self.type(member.type), f"`{member.name}`", self.link(" ".join(member.comment.texts())))
                self.add("")

    def types(self) -> None:
        self.add("## Other types", "")
        for item in self.items:
            if item.kind in ("opaque", "callback"):
                self.add(f"### {item.name}", "")
                self.prose(("" if item.declaration else "Opaque. ") + self.text_of(item))
                if item.declaration:
                    self.add("```c", item.declaration, "```", "")

    def function(self, item: Item) -> None:
        self.add(f"### {item.name}", "", "```c", item.declaration, "```", "")
        paragraphs = list(item.comment.paragraphs)
        returns = ""
        if len(paragraphs) > 1 and re.match(r"(lambda_executor_status_t|int32_t) ", item.declaration):
            returns = " ".join(paragraphs.pop())
        for lines in paragraphs:
            described = list(parameters(lines, item.parameters))
            if not described:
                self.prose(self.link(" ".join(lines)))
                continue
            self.add("| parameter | |", "|---|---|")
            for names, text in described:
                self.row(", ".join(f"`{name}`" for name in names), self.link(text, statuses=True))
            self.add("")
        if returns:
            self.prose("**Returns** " + self.link(returns, statuses=True))

    def text_of(self, item: Item) -> str:
        return self.link(" ".join(item.comment.texts()))

    def row(self, *cells: str) -> None:
        self.add("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")

    def type(self, name: str) -> str:
        words = re.search(r"lambda_executor\w*", name)
        return f"[`{name}`](#{words[0]})" if words else f"`{name}`"

    def link(self, text: str, statuses: bool = False) -> str:
        """Text of a comment as Markdown; with `statuses` also bare names such as ERR_CLOSED are links."""
        # Code that stays unchanged: text in backticks, one word in quotes, a sizeof.
        parts = re.split(r'(`[^`]+`|"[\w.]+"|sizeof\(\w+\))', text)
        return "".join(self.words(part, statuses) if at % 2 == 0 else self.code(part) for at, part in enumerate(parts))

    def code(self, part: str) -> str:
        name = part.strip("`")
        return f"[`{name}`](#lambda_executor_{name})" if name in self.functions else f"`{name}`"

    def words(self, part: str, statuses: bool) -> str:
        def replace(match: re.Match[str]) -> str:
            before, word, after = match["before"] or "", match["word"], match["after"] or ""
            if after == "...":
                return f"{before}[`{word}{after}`](#{anchor(family_of(word))})"
            if before and (word in self.options or "_" in word):
                if word not in self.options:
                    raise HeaderError(f"a comment names option `{word}`, which {CONFIGURATION.name} does not have")
                return f"{before}[`{word}`]({CONFIGURATION.name}#configuration){after}"
            return before + self.word(word + after, statuses)

        escaped = re.sub(r"\*(?=\S)|<", r"\\\g<0>", part)
        pattern = r"(?P<before>\boption )?\b(?P<word>[A-Za-z_]\w*)(?P<after>\.\.\.|\(\))?"
        return re.sub(pattern, replace, escaped)

    def word(self, word: str, statuses: bool) -> str:
        """One identifier, optionally with the parentheses of a call."""
        name = word.removesuffix("()")
        if name in self.names:
            return f"[`{word}`](#{name})"
        if statuses and name in self.statuses:
            return f"[`{word}`](#LAMBDA_EXECUTOR_{name})"
        if name.startswith(("lambda_executor", "LAMBDA_EXECUTOR_")) and name not in UNLINKED:
            raise HeaderError(f"a comment names `{name}`, which the header does not have")
        code = "_" in name or name in self.statuses or name in self.words_of_families
        return f"`{word}`" if code else word


# The prefix itself, the header's file, a variable of commands, a variable of the function.
UNLINKED = {
    "LAMBDA_EXECUTOR_",
    "lambda_executor",
    "LAMBDA_EXECUTOR_RESULT_FILE",
    "LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES",
}


def blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Groups of lines between empty lines."""
    block: list[str] = []
    for line in [*lines, ""]:
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


def parameters(lines: Iterable[str], names: tuple[str, ...]) -> Iterator[tuple[list[str], str]]:
    """`name: text` and `name, name: text` with their further lines; empty if the first line has another form."""
    found: list[str] | None = None
    text = ""
    for line in lines:
        head, _, tail = line.partition(": ")
        if all(name in names for name in head.split(", ")):
            if found is not None:
                yield found, text
            found, text = head.split(", "), tail
        elif found is None:
            return
        else:
            text += " " + line
    if found is not None:
        yield found, text


def short(item: Item) -> str:
    return item.name.removeprefix("LAMBDA_EXECUTOR_")


def group_of(item: Item) -> str:
    for title, pattern, _ in CONSTANTS:
        if re.fullmatch(pattern, short(item)):
            return title
    raise HeaderError(f"`{item.name}` is in no group: add it to CONSTANTS in tools/c_reference.py")


def family_of(prefix: str) -> str:
    """The group of constants for `LAMBDA_EXECUTOR_TASK_...`."""
    for title, pattern, _ in CONSTANTS:
        if pattern.replace("(?!INIT)", "") == prefix.removeprefix("LAMBDA_EXECUTOR_") + r"\w+":
            return title
    raise HeaderError(f"a comment names `{prefix}...`, which is not a group of constants")


def anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def reference(header: str) -> str:
    """The page for a header."""
    top, items = parse(header)
    grouped = {f"lambda_executor_{name}" for _, names in FUNCTIONS for name in names.split()}
    for item in items:
        if item.kind == "function" and item.name not in grouped:
            raise HeaderError(f"`{item.name}` is in no group: add it to FUNCTIONS in tools/c_reference.py")
    options = set(re.findall(r"^\| `(\w+)` \|", CONFIGURATION.read_text(), flags=re.MULTILINE))
    return Page(top, items, options).write()


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: tools/c_reference.py [--check]", file=sys.stderr)
        return 2
    try:
        page = reference(HEADER.read_text())
    except HeaderError as error:
        print(f"{HEADER.relative_to(ROOT)}: {error}", file=sys.stderr)
        return 1
    if not arguments:
        PAGE.write_text(page)
        return 0
    committed = PAGE.read_text() if PAGE.exists() else ""
    sides = (str(PAGE.relative_to(ROOT)), "what the header makes")
    difference = list(difflib.unified_diff(committed.splitlines(), page.splitlines(), *sides, lineterm=""))
    print("\n".join(difference), end="\n" if difference else "")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

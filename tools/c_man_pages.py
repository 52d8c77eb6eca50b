#!/usr/bin/env python3
"""Generates the man pages of the C API, packaging/man/functions/, and the rules in lambda_executor.3 from
include/lambda_executor.h.

    tools/c_man_pages.py            writes the pages
    tools/c_man_pages.py --check    writes nothing; prints the names of pages that differ, and fails if there are any

Functions that are used together share a page. Every other name of a page is a file that refers to it by `.so`, so that
`man` finds each function and each type.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from c_reference import CONSTANTS, HEADER, HeaderError, Item, blocks, group_of, parameters, parse

ROOT = Path(__file__).resolve().parents[1]
MAN = ROOT / "packaging" / "man"
OVERVIEW = MAN / "lambda_executor.3"
FOLDER = MAN / "functions"

MADE_BY = '.\\" Made by tools/c_man_pages.py from include/lambda_executor.h: change src/ffi/, then `make header docs`\n'
BEGIN = '.\\" From the header: tools/c_man_pages.py\n'
END = '.\\" End of the rules.\n'

# Names of a page without their prefix, and what the page is about. The first name is the page's. A function or type on
# no page is an error.
PAGES = [
    ("create t", "create an executor"),
    ("drain", "finish or cancel all tasks and wait for the end"),
    ("close", "end all calls that submit or wait"),
    ("free", "free an executor"),
    ("queue queue_batch task_t", "submit tasks"),
    ("new_attempt_id", "create the id of a submission"),
    ("cancel", "cancel tasks by key"),
    ("adopt", "track tasks that an earlier process submitted"),
    ("sync", "wait for events and take them"),
    ("batch_len batch_event batch_events batch_t event_t", "read the events of a batch"),
    ("batch_ack ack", "acknowledge events"),
    ("batch_free", "free a batch of events"),
    ("wait", "wait until one task is final"),
    ("wakeup_fd", "get a descriptor for poll or epoll"),
    ("wake", "interrupt calls that wait"),
    ("state", "look up the state of a task"),
    ("describe", "write all that is known about a task as JSON"),
    ("counts counts_t", "count tasks and events"),
    ("stats", "write statistics and health as JSON"),
    ("check_health", "ask AWS whether functions and queues can be used"),
    ("set_credentials", "set new AWS credentials"),
    ("set_log_callback log_callback_t log_record_t", "receive log records"),
    (
        "error_status error_message error_cstr error_aws_code error_request_id error_is_retriable error_free error_t",
        "read an error and free it",
    ),
    ("str str_t", "make a string of the API from a C string"),
    ("status_name status_string task_state_name reason_name", "get names of statuses, states and reasons"),
    ("version version_string abi_version", "get the version of the loaded library"),
    ("config_schema", "get the JSON Schema of all options"),
]
ALIASES = {f"lambda_executor_{alias}": title for title, _, alias in CONSTANTS if alias}


@dataclass(frozen=True)
class Page:
    names: tuple[str, ...]
    about: str
    functions: tuple[Item, ...]
    types: tuple[Item, ...]

    @property
    def name(self) -> str:
        return self.names[0]


class Pages:
    def __init__(self, top: list[str], items: list[Item], date: str) -> None:
        self.top = top
        self.date = date
        self.constants = [item for item in items if item.kind == "constant"]
        self.statuses = {
            item.name.removeprefix("LAMBDA_EXECUTOR_"): item for item in self.constants if group_of(item) == "Statuses"
        }
        documented = {item.name: item for item in items if item.kind not in ("constant", "alias")}
        self.pages = [page_of(names.split(), about, documented) for names, about in PAGES]
        self.page_of = {name: page.name for page in self.pages for name in page.names}
        if missing := documented.keys() - self.page_of.keys():
            raise HeaderError(f"on no page: {', '.join(sorted(missing))}; add them to PAGES in tools/c_man_pages.py")

    def files(self) -> dict[str, str]:
        """The text of each file in `FOLDER`."""
        found = {}
        for page in self.pages:
            found[f"{page.name}.3"] = Writer(self, page).write()
            for name in page.names[1:]:
                found[f"{name}.3"] = f".so man3/{page.name}.3\n"
        return found

    def rules(self) -> str:
        """The rules for every function, as a section of the overview."""
        writer = Writer(self, None)
        for block in blocks(self.top):
            if block[0] != "Rules for every function":
                continue
            writer.add(".Sh RULES FOR EVERY FUNCTION", ".Bl -bullet")
            for rule in re.split(r"^  - ", "\n".join(block[1:]), flags=re.MULTILINE)[1:]:
                writer.add(".It")
                writer.prose(" ".join(rule.split()))
            writer.add(".El")
        return "".join(line + "\n" for line in writer.lines)


def page_of(names: list[str], about: str, documented: dict[str, Item]) -> Page:
    full = tuple(f"lambda_executor_{name}" for name in names)
    for name in full:
        if name not in documented:
            raise HeaderError(f"the header has no `{name}`, which tools/c_man_pages.py puts on a page")
    items = [documented[name] for name in full]
    functions = tuple(item for item in items if item.kind == "function")
    return Page(full, about, functions, tuple(item for item in items if item.kind != "function"))


class Writer:
    """One page in mdoc."""

    def __init__(self, pages: Pages, page: Page | None) -> None:
        self.pages = pages
        self.page = page
        self.lines: list[str] = []
        self.others: set[str] = set()
        self.named: set[str] = set()

    def add(self, *lines: str) -> None:
        self.lines += lines

    def write(self) -> str:
        page = self.page
        assert page is not None
        self.add(f".Dd {self.pages.date}", f".Dt {page.name.upper()} 3", ".Os", ".Sh NAME")
        self.add(*(f".Nm {name} ," for name in page.names[:-1]), f".Nm {page.names[-1]}", f".Nd {page.about}")
        self.add(".Sh LIBRARY", ".Pa liblambda_executor ,", ".Fl llambda_executor")
        self.add(".Sh SYNOPSIS", ".In lambda_executor.h")
        for function in page.functions:
            self.synopsis(function)
        self.add(".Sh DESCRIPTION")
        returns = {}
        for function in page.functions:
            if len(page.functions) > 1:
                self.add(f".Ss {function.name}")
            returns[function.name] = self.description(function)
        for item in page.types:
            self.type(item)
        self.families()
        # Written before the constants, because it may name some.
        before, self.lines = self.lines, []
        self.returns({name: text for name, text in returns.items() if text})
        after, self.lines = self.lines, before
        self.constants()
        self.add(*after)
        self.see_also()
        return MADE_BY + "".join(line + "\n" for line in self.lines)

    def synopsis(self, function: Item) -> None:
        match = re.fullmatch(r"(.+?[ *]+)(lambda_executor_\w+)\((.*)\);", function.declaration, re.DOTALL)
        assert match is not None
        self.add(f".Ft {quoted(match[1].strip())}", f".Fo {match[2]}")
        self.add(*(f".Fa {quoted(' '.join(parameter.split()))}" for parameter in match[3].split(",")), ".Fc")
        self.mentioned(function.declaration.replace(function.name, ""))

    def description(self, function: Item) -> str:
        """Writes all but the statuses, which are returned."""
        paragraphs = list(function.comment.paragraphs)
        returns = ""
        if len(paragraphs) > 1 and re.match(r"(lambda_executor_status_t|int32_t) ", function.declaration):
            returns = " ".join(paragraphs.pop())
        for number, lines in enumerate(paragraphs):
            described = list(parameters(lines, function.parameters))
            if described:
                self.add(".Bl -tag -width Ds")
                for names, text in described:
                    self.add(f".It {' , '.join(f'Fa {name}' for name in names)}")
                    self.prose(text)
                self.add(".El")
            else:
                self.paragraph(lines, first=number == 0)
        return returns

    def type(self, item: Item) -> None:
        self.add(f".Ss {item.name}")
        if item.kind == "opaque":
            self.add("Opaque.")
        for number, lines in enumerate(item.comment.paragraphs):
            self.paragraph(lines, first=number == 0)
        if item.declaration:
            self.add(".Bd -literal", *map(literal, item.declaration.splitlines()), ".Ed")
        if item.members:
            self.add(".Bl -tag -width Ds")
            for member in item.members:
                self.add(f".It Vt {quoted(member.type)} Fa {member.name}")
                self.prose(" ".join(member.comment.texts()))
                self.mentioned(member.type)
            self.add(".El")

    def families(self) -> None:
        """Constants that a parameter or member can have."""
        assert self.page is not None
        parts = [function.declaration.partition("(")[2] for function in self.page.functions]
        parts += [f"{member.type} {member.name}" for item in self.page.types for member in item.members]
        for alias, title in ALIASES.items():
            # For an array of statuses the text names those that are possible.
            value = rf"\b{alias}\b(?! \*)" if title == "Statuses" else rf"\b{alias}\b"
            if any(re.search(value, part) for part in parts):
                self.add(f".Ss {alias}")
                self.list(item for item in self.pages.constants if group_of(item) == title)

    def constants(self) -> None:
        listed = set(re.findall(r"^\.It Dv (\w+)", "\n".join(self.lines), re.MULTILINE))
        others = [
            item
            for item in self.pages.constants
            if item.name in self.named - listed and re.search(r"\d", item.value) and group_of(item) != "Statuses"
        ]
        if others:
            self.add(".Ss Constants")
            self.list(others)

    def list(self, items: Iterable[Item]) -> None:
        self.add(".Bl -tag -width Ds")
        for item in items:
            value = re.fullmatch(r"\((.*)\)|(.*?)u?", item.value)
            assert value is not None
            self.add(f".It Dv {item.name} Pq {quoted(value[1] or value[2])}")
            self.prose(" ".join(item.comment.texts()))
        self.add(".El")

    def returns(self, returns: dict[str, str]) -> None:
        if not returns:
            return
        self.add(".Sh RETURN VALUES")
        named: set[str] = set()
        for number, (name, text) in enumerate(returns.items()):
            if number:
                self.add(".Pp")
            self.add(f".Fn {name}", "returns")
            self.prose(text)
            named |= set(re.findall(r"\b[A-Z_]+\b", text))
        self.add(".Pp", "What these statuses mean:")
        self.list(item for name, item in self.pages.statuses.items() if name in named)

    def see_also(self) -> None:
        assert self.page is not None
        names = ["lambda_executor", *sorted(self.others - {self.page.name})]
        self.add(".Sh SEE ALSO")
        self.add(*(f".Xr {name} 3{' ,' if name != names[-1] else ''}" for name in names))

    def paragraph(self, lines: tuple[str, ...], first: bool) -> None:
        if lines[0].startswith("  "):
            self.add(".Bd -literal", *(literal(line[2:]) for line in lines), ".Ed")
            return
        if not first:
            self.add(".Pp")
        self.prose(" ".join(lines))

    def prose(self, text: str) -> None:
        """Text of a comment: a line for each sentence, and for each name of the API."""
        for sentence in re.split(r"(?<=\.) (?=[A-Z0-9`\"])", text):
            self.sentence(sentence)

    def sentence(self, text: str) -> None:
        # Whole words with a name or code in them, and the text between them.
        pattern = (
            r"(?P<before>[^\s`]*?)(?P<name>`[^`]+`|\b(?:lambda_executor|LAMBDA_EXECUTOR)_\w+(?:\.\.\.)?)(?P<after>\S*)"
        )
        at = 0
        for match in re.finditer(pattern, text):
            self.text(text[at : match.start()])
            self.mark(match["before"], match["name"], match["after"])
            at = match.end()
        self.text(text[at:])

    def text(self, text: str) -> None:
        words = escaped(text.strip())
        if words:
            self.add(re.sub(r"^([.'])", r"\&\1", words))

    def mark(self, before: str, name: str, after: str) -> None:
        word = name.strip("`")
        macro = f"Ql {quoted(word)}"
        function = word if word.startswith("lambda_executor_") else f"lambda_executor_{word}"
        if function in self.pages.page_of:
            self.mentioned(function)
            own = self.page is not None and function in self.page.names
            if function.endswith("_t"):
                macro = f"Vt {function}"
            elif own:
                macro = f"Fn {function}"
            else:
                macro = f"Xr {function} 3"
        elif function in ALIASES:
            macro = f"Vt {function}"
        elif not name.startswith("`"):
            macro = f"Dv {word}"
            self.named.add(word)
        after = after.removeprefix("()")
        # Punctuation as arguments of its own gets no markup.
        end = "".join(f" {mark}" for mark in after)
        if not re.fullmatch(r"[.,:;)]*", after):
            end = f" Ns No {quoted(after)}"
        self.add(f".No {quoted(before)} Ns {macro}{end}" if before else f".{macro}{end}")

    def mentioned(self, text: str) -> None:
        for name in re.findall(r"\blambda_executor_\w+", text):
            if name in self.pages.page_of:
                self.others.add(self.pages.page_of[name])


def escaped(text: str) -> str:
    """Text that roff prints unchanged; minus signs can be copied."""
    return re.sub(r"(?<![\w-])-(?=\w)", r"\-", text.replace("\\", "\\e"))


def literal(line: str) -> str:
    return re.sub(r"^([.'])", r"\&\1", line.replace("\\", "\\e").replace("-", "\\-"))


def quoted(text: str) -> str:
    """One argument of a macro that roff prints unchanged, also if it looks like a macro or a delimiter."""
    text = escaped(text).replace('"', r"\(dq")
    text = f"\\&{text}" if not re.match(r"\w{4}", text) else text
    return f'"{text}"' if " " in text else text


def texts(header: str) -> dict[Path, str]:
    """The text of each file, for a header."""
    top, items = parse(header)
    overview = OVERVIEW.read_text()
    match = re.match(r"\.Dd (.*)\n", overview)
    if match is None or BEGIN not in overview or END not in overview:
        raise HeaderError(f"{OVERVIEW.name} has no date, or no place for the rules")
    pages = Pages(top, items, match[1])
    before, rest = overview.split(BEGIN)
    files = {FOLDER / name: text for name, text in pages.files().items()}
    files[OVERVIEW] = f"{before}{BEGIN}{pages.rules()}{END}{rest.split(END)[1]}"
    return files


def different(files: dict[Path, str]) -> Iterator[Path]:
    for path in sorted({*files, *FOLDER.glob("*")}):
        if path not in files or not path.exists() or path.read_text() != files[path]:
            yield path


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: tools/c_man_pages.py [--check]", file=sys.stderr)
        return 2
    try:
        files = texts(HEADER.read_text())
    except HeaderError as error:
        print(f"{HEADER.relative_to(ROOT)}: {error}", file=sys.stderr)
        return 1
    changed = list(different(files))
    if arguments:
        print("".join(f"{path.relative_to(ROOT)} is not what the header makes\n" for path in changed), end="")
        return 1 if changed else 0
    for path in changed:
        if path in files:
            path.parent.mkdir(exist_ok=True)
            path.write_text(files[path])
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

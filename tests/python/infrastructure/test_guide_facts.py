"""Checks facts of docs/aws-setup.md against code, template and program."""

import json
import re
from typing import Any

import servers
from jsonschema import Draft202012Validator

from .conftest import config_schema
from .guide import BLOCKS, GUIDE, TEXT, rows, section

# Variables of Airflow, and those of proxies and certificates, whose effect other_servers/test_tls.py and
# src/aws/http/proxy.rs show. All others in the page must be the function's or the image's.
OTHER_VARIABLE = re.compile(
    r"AIRFLOW__(CORE|DATABASE|LOGGING)__\w+|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|REQUEST_METHOD"
    r"|(AWS|REQUESTS)_CA_BUNDLE"
)
# Options of AWS's configuration files that are not read.
OPTIONS_OF_PROFILES = {"ca_bundle"}


def test_json_is_a_valid_configuration_of_the_library() -> None:
    blocks = [json.loads(block) for kind, block in BLOCKS if kind == "json"]
    assert len(blocks) == 1
    for config in blocks:
        assert list(Draft202012Validator(config_schema()).iter_errors(config)) == []


def test_names_in_code_are_names_that_exist(template: dict[str, Any]) -> None:
    """Everything in code that looks like an option, variable, parameter, output or reason."""
    root = servers.ROOT
    function = [*(root / "function").rglob("*.rs"), *(root / "function").rglob("*ockerfile*")]
    function += [root / "function" / "README.md", root / "function" / "template.yaml"]
    program = "\n".join(file.read_text() for file in function if file.is_file())
    other_pages = "\n".join(file.read_text() for file in (root / "docs").glob("*.md") if file != GUIDE)
    header = (root / "include" / "lambda_executor.h").read_text()
    known_camel = {*template["Parameters"], *template["Outputs"], "MaximumRetryAttempts", "MaximumMessageSize"}
    # Errors and policies of AWS, and an executor of Airflow.
    known_camel |= {"AccessDenied", "AccessDeniedException", "AwsLambdaExecutor", "AWSLambdaVPCAccessExecutionRole"}
    known_camel |= {it["Properties"].get("MetricName") for it in template["Resources"].values()}
    known_camel |= set(template["Resources"])
    prose = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"`([^`]+)`", prose):
        for name in re.findall(r"\b[A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)+\b", code):
            assert OTHER_VARIABLE.fullmatch(name) or re.search(rf"\b{name}\b", program + other_pages), name
        if re.fullmatch(r"[a-z]+(_[a-z]+)+", code):
            is_ours = f"`{code}`" in other_pages or code in program or f"REASON_{code.upper()}" in header
            assert is_ours or code in OPTIONS_OF_PROFILES, code
        if re.fullmatch(r"([A-Z][a-z0-9]+){2,}", code):
            assert code in known_camel, code


def test_messages_that_are_quoted_are_those_of_the_program() -> None:
    """Or messages of Lambda, which `lambda-executor-local` also has, or of TLS and proxies, which a test has."""
    folders = [servers.ROOT / folder for folder in ("function/src", "local/src", "src")]
    sources = [file for folder in folders for file in folder.rglob("*.rs")]
    sources.append(servers.ROOT / "tests" / "python" / "other_servers" / "test_tls.py")
    # A long text has several lines in the source.
    program_text = re.sub(r"\\\n\s*", "", "\n".join(source.read_text() for source in sources))
    quoted = [code for code in re.findall(r"`([^`]+)`", section("When nothing comes back")) if code.count(" ") >= 3]
    assert len(quoted) >= 5
    for message in quoted:
        for part in message.split("…"):
            assert part.strip(" :") in program_text, message


def test_parameters_and_their_defaults_are_those_of_the_template(template: dict[str, Any]) -> None:
    checked = 0
    for names, default, *_ in rows("The stack"):
        defaults = [str(template["Parameters"][name]["Default"]) for name in re.findall(r"`(\w+)`", names)]
        written = ["" if it == "none" else it for it in re.findall(r"none|\w+", default)]
        assert written == defaults, names
        checked += len(defaults)
    assert checked >= 10


def test_the_costs_are_added_up_from_the_prices_of_the_library() -> None:
    prices = (servers.ROOT / "src" / "metrics" / "prices.rs").read_text()
    price = dict(re.findall(r'of: "(.+?)",\s+usd_per_million: ([\d.]+)', prices))
    as_of = re.search(r'AS_OF: &str = "(.+?)"', prices)
    assert as_of
    assert as_of[1] in section("Cost")
    *items, (_, _, _, together) = rows("Cost")
    total = 0.0
    for what, amount, each, cost in items:
        number, numbers = float(amount.replace(",", "")), each.replace(",", "").split(" / ")
        exact = number * float(numbers[0]) / (float(numbers[1]) if numbers[1:] else 1)
        assert cost == f"{exact:.4f}", what
        total += exact
        if numbers[1:]:
            assert numbers[1] == "1000000"
            assert numbers[0] == price["Lambda, Invoke" if what == "Invokes" else "SQS, standard queue"], what
    assert together == f"{total:.4f}"
    (time,) = (item for item in items if item[0].startswith("time"))
    factors = re.search(r"([\d,]+) . (\d+) s . (\d+) GB", time[0])
    assert factors
    tasks, seconds, memory = (int(it.replace(",", "")) for it in factors.groups())
    assert tasks * seconds * memory == int(time[1].replace(",", ""))


def test_links_are_valid() -> None:
    def anchors(text: str) -> set[str]:
        titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}

    for target in re.findall(r"\]\((?!https:)([^)]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        text = (GUIDE.parent / path).read_text() if path else TEXT
        assert not anchor or anchor in anchors(text), target
    named = set(re.findall(r"\[([^\]]+)\](?![(:])", section("Quotas").split("\n[")[0]))
    assert named
    for name in named:
        assert f"\n[{name}]: https://docs.aws.amazon.com/" in TEXT, name

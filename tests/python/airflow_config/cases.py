"""Configurations for Airflow's parser and ours. `{dir}` is the folder of a case. Its airflow.cfg, if it has one, is at
Airflow's default path unless the case sets another path."""

from dataclasses import dataclass, field
from typing import Any

PREFIX = "AIRFLOW__AWS_LAMBDA_EXECUTOR__"
RESULTS = "https://sqs.eu-west-1.amazonaws.com/123456789012/results"
DEAD = "https://sqs.eu-west-1.amazonaws.com/123456789012/dead"
REQUIRED = {"FUNCTION_NAME": "run", "QUEUE_URL": RESULTS, "DEAD_LETTER_QUEUE_URL": DEAD}
SECTION = "[aws_lambda_executor]\n"
DEFAULT_FILE = "home/airflow/airflow.cfg"


@dataclass(frozen=True)
class Case:
    name: str
    environment: dict[str, str | list[int]]
    cfg: str | bytes | None = None
    json: dict[str, Any] | None = None
    file: str = DEFAULT_FILE
    # The row of docs/configuration.md that explains why the results differ.
    differs: str | None = field(default=None, kw_only=True)


def env(name: str, differs: str | None = None, /, **variables: str | list[int]) -> Case:
    """Options of the executor as variables. A `_` in front marks other variables, which are passed unchanged."""
    named = {
        key[1:] if key.startswith("_") else PREFIX + key: value for key, value in {**REQUIRED, **variables}.items()
    }
    return Case(name, {"HOME": "{dir}/home", **named}, differs=differs)


def cfg(name: str, text: str | bytes, differs: str | None = None, **variables: str) -> Case:
    """An airflow.cfg together with the required options and other variables in the environment."""
    case = env(name, differs, **variables)
    return Case(name, case.environment, text, differs=differs)


def section(name: str, lines: str, differs: str | None = None, **variables: str) -> Case:
    return cfg(name, SECTION + lines, differs, **variables)


def alone(name: str, text: str, **variables: str) -> Case:
    """An airflow.cfg without options in the environment."""
    return Case(name, {"HOME": "{dir}/home", **variables}, text)


def team(name: str, variables: dict[str, str], text: str | None = None, differs: str | None = None) -> Case:
    who = "blue" if differs is None else "a.b"
    return Case(name, {"HOME": "{dir}/home", **variables}, text, {"airflow": True, "team": who}, differs=differs)


ALL_THREE = f"function_name = file\nqueue_url = {RESULTS}\ndead_letter_queue_url = {DEAD}\n"
BLUE_PREFIX = "AIRFLOW__BLUE___AWS_LAMBDA_EXECUTOR__"
BLUE = {f"{BLUE_PREFIX}{name}": value for name, value in REQUIRED.items()}
ALL = {f"{PREFIX}{name}": value for name, value in REQUIRED.items()}


def chain(length: int) -> str:
    """An option with a chain of references: `length` levels of values with a `%` in them."""
    links = "".join(f"n{i} = %(n{i + 1})s\n" for i in range(1, length - 1))
    return f"conn_id = %(n1)s\n{links}n{length - 1} = %%\n"


ENVIRONMENT = [
    env("required options alone"),
    env("an ARN", FUNCTION_NAME="arn:aws:lambda:eu-west-1:123456789012:function:run"),
    env("an alias", FUNCTION_NAME="run:live"),
    env("a qualifier", FUNCTION_QUALIFIER="7"),
    env("a region and a connection", REGION_NAME="eu-west-1", CONN_ID="mine"),
    env("empty region", REGION_NAME=""),
    env("empty qualifier", FUNCTION_QUALIFIER=""),
    env("empty connection", CONN_ID=""),
    env("percent", CONN_ID="100%"),
    env("two percents", CONN_ID="%%"),
    env("a reference", CONN_ID="%(function_name)s"),
    env("names of variables in small letters", **{"_" + PREFIX + "region_name": "x", "_airflow__x": "y"}),
    env("a command", REGION_NAME_CMD="echo x"),
    env("a secret", REGION_NAME_SECRET="x"),
]

EXPANSION = [
    env("variable", CONN_ID="$A", _A="1"),
    env("variable in braces", CONN_ID="x${A}x", _A="1"),
    env("unknown variables", CONN_ID="$NONE-${NONE}"),
    env("empty variable", CONN_ID="x${A}y", _A=""),
    env("variable with a variable", CONN_ID="$A", _A="${B}-$B", _B="1"),
    env("two dollars", CONN_ID="$$A", _A="1"),
    env("two dollars make another variable", CONN_ID="$$A", _A="B", _B="2"),
    env("open brace", CONN_ID="${A", _A="1"),
    env("empty braces", CONN_ID="${}"),
    env("dollar at the end", CONN_ID="x$"),
    env("longest name", CONN_ID="$AB-$A_B-$A.B", _A="1", _AB="2", _A_B="3"),
    env("letters beyond ASCII", CONN_ID="$Aä", _A="1"),
    env("variable that names itself", CONN_ID="$A", _A="$A"),
    env("variable with a percent", CONN_ID="$A", _A="%(x)s"),
    env("home", CONN_ID="~"),
    env("file at home", CONN_ID="~/x"),
    env("home with a slash", CONN_ID="~/x", _HOME="/h//"),
    env("home is the root", CONN_ID="~", _HOME="/"),
    env("empty home", CONN_ID="~/x", _HOME=""),
    env("home of a user", CONN_ID="~root/x"),
    env("home of an unknown user", CONN_ID="~nobody-has-this-name/x"),
    env("tilde inside", CONN_ID="a~/x"),
    env("tilde from a variable", CONN_ID="$T/x", _T="~"),
    Case("no HOME", {**ALL, PREFIX + "CONN_ID": "~/x", "AIRFLOW_HOME": "{dir}"}),
    env("number from a variable", MAX_INVOKE_ATTEMPTS="${N}0", _N="5"),
    env("endless circle", "endless", CONN_ID="$A", _A="$B", _B="$A"),
    env("endless growth", "endless", CONN_ID="$A", _A="x$A"),
    env("too long", "too-long", CONN_ID="$A$A", _A="x" * 100_000),
    env("not UTF-8", "not-utf-8", CONN_ID=[0x78, 0xFF]),
    env("variable that is not UTF-8", "not-utf-8", CONN_ID="$A", _A=[0xFF]),
]

TRUTH = [
    env(f"truth {value!r}", CHECK_HEALTH_ON_STARTUP=value)
    for value in (
        *("True", "true", "TRUE", "t", "1", "False", "false", "f", "F", "0", " true ", "\ttrue\n", "false # off", "t#"),
        *("yes", "no", "on", "off", "y", "", " ", "2", "01", "1.0", "None", "#true", "tru", "true;"),
    )
]

NUMBERS = [
    env(f"number {value!r}", MAX_INVOKE_ATTEMPTS=value)
    for value in (
        *("3", " 3 ", "\n3", "+3", "007", "1_000", "3.0", "3.", "1e2", "1E+2", "1_0.0", "30e-1", "\u20073"),
        *("abc", "", " ", "3.5", "0x10", "1__0", "_1", "1_", "1_.0", "inf", "nan", "1e400", "3 4", "3s", "--3", "."),
    )
] + [
    env("zero seconds", END_WAIT_TIMEOUT="-0"),
    env("seconds", END_WAIT_TIMEOUT="600.0"),
    env("no attempts", "range", MAX_INVOKE_ATTEMPTS="0"),
    env("very many attempts", "range", MAX_INVOKE_ATTEMPTS="99999999999999999999999"),
    env("a negative number", "range", END_WAIT_TIMEOUT="-1"),
    env("digits beyond ASCII", "digits", MAX_INVOKE_ATTEMPTS="\u0663"),
]

CHECKED = [
    env("no function", "checked", FUNCTION_NAME=""),
    env("no queue", "checked", QUEUE_URL=""),
    env("no URL", "checked", QUEUE_URL="my-queue"),
    env("white space", "checked", REGION_NAME=" eu-west-1"),
    env("wrong qualifier", "checked", FUNCTION_QUALIFIER="a/b"),
    env("one queue for both", "checked", DEAD_LETTER_QUEUE_URL=RESULTS),
    env("two qualifiers", "checked", FUNCTION_NAME="run:live", FUNCTION_QUALIFIER="7"),
    section("several lines", "region_name = a\n  b\n", "checked"),
    section("value in the next line", "region_name =\n  a\n", "checked"),
    section("comment after a value", "region_name = a # b\n", "checked"),
    env("the older name of the qualifier", "qualifier", QUALIFIER="7"),
    section("the older name of the qualifier in the file", "qualifier = 7\n", "qualifier"),
    section("both names of the qualifier", "qualifier = 7\nfunction_qualifier = 8\n"),
]

FILE = [
    alone("nothing at all", ""),
    alone("everything in the file", SECTION + ALL_THREE + "region_name = eu-west-1\nmax_invoke_attempts = 7\n"),
    alone("one is missing", SECTION + f"function_name = file\nqueue_url = {RESULTS}\n"),
    section("colons", "region_name: a\nconn_id : b:c=d\n"),
    section("spaces and tabs", "region_name   =\t a  \nconn_id=b"),
    section("no value", "region_name =\n"),
    section("comments", "# conn_id = a\n; conn_id = b\n   # conn_id = c\nconn_id = d\n"),
    section("truth with a comment", "check_health_on_startup = False  # for now\n"),
    section("marks of comments within", "conn_id = a#b;c\n"),
    section("number in the next line", "max_invoke_attempts =\n  5\n\ncheck_health_on_startup =\n\n  f\n"),
    section("comment within a value", "max_invoke_attempts =\n# no\n  5\n"),
    section("deeper lines belong to the value", "max_invoke_attempts = 5\n  end_wait_timeout = 4\n"),
    section("everything indented", "  max_invoke_attempts = 5\n  end_wait_timeout = 4\n"),
    section("less and less indented", "    max_invoke_attempts = 5\n  end_wait_timeout = 4\n"),
    section("empty lines before other options", "max_invoke_attempts = 5\n\n\n\nend_wait_timeout = 4\n"),
    cfg("section indented", "[core]\na = b\n  [aws_lambda_executor]\nregion_name = a\n"),
    cfg("section after empty lines", "\n\n[core]\n\n[aws_lambda_executor]\nregion_name = a\n"),
    cfg("text after the section", "[aws_lambda_executor] # ours\nregion_name = a\n"),
    cfg("spaces in the brackets", "[ aws_lambda_executor ]\nregion_name = a\n"),
    cfg("Windows", "[aws_lambda_executor]\r\nregion_name = a\r\nmax_invoke_attempts =\r\n  5\r\n"),
    cfg("old Macintosh", "[aws_lambda_executor]\rregion_name = a\r"),
    section("line ends that are none", "conn_id = a\x0bb\x1cc\x85d\u2028e\n", "checked"),
    section("spaces that are stripped", "conn_id = \x1c\u3000a\x1f\n"),
    section("deep by other spaces", "max_invoke_attempts =\n\u3000 5\n\u30007\n"),
    section("name in other letters", "Region_Name = a\nREGION_NAME = b\n"),
    section("the same name in two cases", "region_name = a\nRegion_name = b\n"),
    cfg("section in other letters", "[AWS_LAMBDA_EXECUTOR]\nregion_name = a\n"),
    section("the same option twice", "region_name = a\nregion_name = b\n"),
    cfg("the same section twice", "[aws_lambda_executor]\n[core]\n[aws_lambda_executor]\n"),
    cfg("another section twice", "[core]\n[core]\n[aws_lambda_executor]\n"),
    cfg("no section", "region_name = a\n"),
    section("no value and no sign", "region_name\n"),
    section("no name", "= a\n"),
    section("colon without a name", "   : a\n"),
    cfg("empty brackets", "[]\n[aws_lambda_executor]\n"),
    cfg("byte order mark", "\ufeff[aws_lambda_executor]\nregion_name = a\n"),
    cfg("a file that is not UTF-8", b"[aws_lambda_executor]\nregion_name = \xff\n"),
    cfg("letters beyond ASCII in the file", "[aws_lambda_executor]\nconn_id = größe\n"),
    section("the environment wins", "region_name = file\n", REGION_NAME="environment"),
    section("an empty variable wins", "region_name = file\n", REGION_NAME=""),
    section("commands in the file", "region_name_cmd = echo x\nregion_name_secret = x\n"),
]

INTERPOLATION = [
    section("percents", "conn_id = 100%%\n"),
    section("a reference in the file", "conn_id = %(x)s-%(x)s\nx = 1\n"),
    section("a reference to an option", "conn_id = c-%(region_name)s\nregion_name = a\n"),
    section("a reference to what the environment has", "conn_id = %(region_name)s\nregion_name = a\n", REGION_NAME="b"),
    section("a reference in other letters", "conn_id = %(X)s\nx = 1\n"),
    section("percents that make no reference", "conn_id = %%(x)s\nx = 1\n"),
    section("a reference to nothing", "conn_id = %(x)s\n"),
    section("one percent", "conn_id = a%b\n"),
    section("a percent at the end", "conn_id = a%\n"),
    section("no end", "conn_id = %(x\nx = 1\n"),
    section("no s", "conn_id = %(x)d\nx = 1\n"),
    section("a reference without a name", "conn_id = %()s\n"),
    section("a wrong one that nobody reads", "other = %(x)s\nconn_id = a\n"),
    section("ten levels", chain(10)),
    section("eleven levels", chain(11)),
    section("eleven levels, the last without a percent", chain(11).replace("= %%", "= x")),
    section("twelve levels, the last without a percent", chain(12).replace("= %%", "= x")),
    section("a circle", "conn_id = %(x)s\nx = %(conn_id)s\n"),
    section("then a variable", "conn_id = %(x)s\nx = $A%%\n", _A="a%%(x)s"),
    section("references around a variable", "conn_id = $%(x)s\nx = A\n", _A="1"),
    section("number by reference", "max_invoke_attempts = %(x)s0\nx = 1\n"),
    section("white space around the name", "conn_id = %( x )s\n x = 1\n"),
    cfg("another section's option", "[core]\nx = 1\n[aws_lambda_executor]\nconn_id = %(x)s\n"),
    cfg("a default", "[DEFAULT]\nregion_name = a\n[aws_lambda_executor]\n"),
    cfg("a default without the section", "[DEFAULT]\nregion_name = a\n[core]\n"),
    cfg("defaults twice", "[DEFAULT]\nregion_name = a\n[DEFAULT]\nconn_id = b\n[aws_lambda_executor]\n"),
    cfg("a default twice", "[DEFAULT]\nregion_name = a\n[DEFAULT]\nregion_name = b\n[aws_lambda_executor]\n"),
    cfg("the section wins over defaults", "[aws_lambda_executor]\nregion_name = a\n[DEFAULT]\nregion_name = b\n"),
    cfg("a reference to a default", "[DEFAULT]\nx = 1\n[aws_lambda_executor]\nconn_id = %(x)s\n"),
    cfg("a default's reference", "[DEFAULT]\nconn_id = %(x)s\nx = 1\n[aws_lambda_executor]\nx = 2\n"),
]

SELECTED = SECTION + ALL_THREE
PLACES = [
    Case("no file", {"HOME": "{dir}/home", **ALL}),
    Case("AIRFLOW_HOME", {"HOME": "{dir}/home", "AIRFLOW_HOME": "{dir}/a"}, SELECTED, file="a/airflow.cfg"),
    Case("AIRFLOW_HOME at home", {"HOME": "{dir}/home", "AIRFLOW_HOME": "~/a"}, SELECTED, file="home/a/airflow.cfg"),
    Case(
        "AIRFLOW_HOME by variables", {"AIRFLOW_HOME": "$X/${Y}", "X": "{dir}", "Y": "y"}, SELECTED, file="y/airflow.cfg"
    ),
    Case("AIRFLOW_CONFIG", {"AIRFLOW_HOME": "{dir}/a", "AIRFLOW_CONFIG": "{dir}/my.cfg"}, SELECTED, file="my.cfg"),
    Case("AIRFLOW_CONFIG by variables", {"AIRFLOW_CONFIG": "$D/my.cfg", "D": "{dir}"}, SELECTED, file="my.cfg"),
    Case("AIRFLOW_CONFIG names nothing", {"HOME": "{dir}/home", "AIRFLOW_CONFIG": "{dir}/my.cfg", **ALL}, SELECTED),
    Case("empty AIRFLOW_CONFIG", {"HOME": "{dir}/home", "AIRFLOW_CONFIG": "", **ALL}, SELECTED),
    Case("a folder", {"AIRFLOW_CONFIG": "{dir}/home", **ALL}, SELECTED, differs="unreadable"),
]

TEAMS = [
    team("a team's variables", BLUE),
    team("a team's section", {}, f"[blue=aws_lambda_executor]\n{ALL_THREE}region_name = team\n"),
    team("a team's variables win", BLUE, "[blue=aws_lambda_executor]\nfunction_name = file\nregion_name = file\n"),
    team("nothing of all", ALL, SELECTED),
    team("nothing of all but defaults", {**BLUE, PREFIX + "CONN_ID": "all"}, SECTION + "max_invoke_attempts = 9\n"),
    team("nothing of another team", {}, f"[red=aws_lambda_executor]\n{ALL_THREE}"),
    team("a team in other letters", {}, f"[BLUE=aws_lambda_executor]\n{ALL_THREE}"),
    team("a team in small letters", {name.replace("BLUE", "blue"): value for name, value in BLUE.items()}),
    team("defaults of the file", BLUE, "[DEFAULT]\nx = a\n[blue=aws_lambda_executor]\nconn_id = %(x)s\n"),
    team(
        "an empty variable of a team",
        {**BLUE, f"{BLUE_PREFIX}REGION_NAME": ""},
        "[blue=aws_lambda_executor]\nregion_name = file\n",
    ),
    team("a team's wrong number", {**BLUE, f"{BLUE_PREFIX}MAX_INVOKE_ATTEMPTS": "many"}),
    team("a name that no team has", {name.replace("BLUE", "A.B"): value for name, value in BLUE.items()}, None, "team"),
]

CASES = [*ENVIRONMENT, *EXPANSION, *TRUTH, *NUMBERS, *CHECKED, *FILE, *INTERPOLATION, *PLACES, *TEAMS]

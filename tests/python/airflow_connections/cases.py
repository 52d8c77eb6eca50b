"""Valid and invalid connections as users write them."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

ROLE = "arn:aws:iam::123456789012:role/runner"
POLICY = '{"Version": "2012-10-17", "Statement": []}'


@dataclass(frozen=True)
class Case:
    """`differs` names the row of docs/connections.md that explains why Airflow reads it differently."""

    name: str
    value: str | None
    differs: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    conn_id: str = "aws_default"
    team: str | None = None

    @property
    def variables(self) -> dict[str, str]:
        own = {} if self.value is None else {f"AIRFLOW_CONN_{self.conn_id.upper()}": self.value}
        return {**own, **self.environment}


def uri(login: str = "", password: str = "", **extra: object) -> str:
    user = f"{quote(login, safe='')}:{quote(password, safe='')}@" if login or password else ""
    fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in extra.items()}
    return f"aws://{user}/" + ("?" + urlencode(fields) if fields else "")


def obj(extra: object = None, **fields: object) -> str:
    return json.dumps({"conn_type": "aws", **fields, **({} if extra is None else {"extra": extra})})


def as_role(method: str | None = None, kwargs: object = None, **extra: Any) -> dict[str, Any]:  # noqa: ANN401
    named = {"assume_role_method": method, "assume_role_kwargs": kwargs}
    return {"role_arn": ROLE, **{name: value for name, value in named.items() if value is not None}, **extra}


WEB = "assume_role_with_web_identity"
FILE = {"assume_role_with_web_identity_federation": "file"}
TOKEN = {"assume_role_with_web_identity_token_file": "/var/run/token"}
SECRET = "a/b+c=d:e@f?g#h%i j"

CASES = [
    # Empty, or almost.
    Case("no-variable", None),
    Case("empty-variable", ""),
    Case("empty-uri", "aws://"),
    Case("empty-uri-slash", "aws:///"),
    Case("empty-uri-query", "aws:///?"),
    Case("empty-json", "{}"),
    Case("json-null-extra", '{"conn_type": "aws", "extra": null}'),
    Case("json-empty-extra", '{"conn_type": "aws", "extra": ""}'),
    Case("space-around", "  aws://AKID:secret@/  "),
    # Keys.
    Case("uri-keys", uri("AKID", "secret")),
    Case("uri-keys-escaped", uri("AKID", SECRET)),
    Case("uri-keys-token", uri("AKID", "secret", aws_session_token="to+k/en==")),
    Case("uri-keys-in-extra", uri(aws_access_key_id="AKID", aws_secret_access_key="a+b/c")),
    Case("uri-login-wins-over-extra", uri("AKID", "s", aws_access_key_id="other", aws_secret_access_key="o")),
    Case("uri-upper-case-scheme", "AWS://AKID:secret@/"),
    Case("uri-plus-is-a-plus-in-passwords", "aws://AKID:a+b@/"),
    Case("uri-plus-is-a-space-in-queries", "aws:///?region_name=a+b"),
    Case("uri-bad-escape-stays", "aws://AKID:50%zz%4@/"),
    Case("uri-last-of-two", "aws:///?region_name=eu-west-1&region_name=eu-west-2"),
    Case("uri-blank-value", "aws:///?region_name="),
    Case("uri-whole-extra", uri(__extra__={"region_name": "eu-west-3", "profile_name": "x"})),
    Case("uri-whole-extra-wins", uri(__extra__={"region_name": "eu-west-3"}, profile_name="y")),
    Case("uri-host-port-schema", "aws://AKID:secret@Host.Example:8443/schema?region_name=eu-west-1"),
    Case("uri-host-with-protocol", "aws://https://AKID:secret@host.example/"),
    Case("uri-ipv6-host", "aws://AKID:secret@[::1]:80/"),
    Case("uri-other-type", uri("AKID", "secret").replace("aws:", "amazon-web-services:")),
    Case("json-keys", obj(login="AKID", password=SECRET)),
    Case("json-keys-in-extra", obj({"aws_access_key_id": "AKID", "aws_secret_access_key": SECRET})),
    Case(
        "json-extra-as-text",
        obj(json.dumps({"region_name": "eu-west-1", "aws_session_token": "t"}), login="A", password="s"),
    ),
    Case("json-everything", obj({}, login="A", password="s", host="h", schema="x", port=443, description="d")),
    Case("json-port-as-text", obj(login="A", password="s", port="443")),
    Case("json-session-kwargs", obj({"session_kwargs": {"aws_access_key_id": "A", "aws_secret_access_key": "s"}})),
    # Region, profile, endpoints, the rest.
    Case("region", uri(region_name="eu-west-1")),
    Case("profile", uri(profile_name="work", region_name="eu-west-1")),
    Case("profile-and-keys", uri("AKID", "secret", profile_name="work")),
    Case("endpoint", uri(endpoint_url="http://127.0.0.1:4566")),
    Case("endpoint-of-a-service", obj({"service_config": {"sqs": {"endpoint_url": "http://127.0.0.1:2"}}})),
    Case(
        "endpoint-of-all-and-none",
        obj({"endpoint_url": "http://127.0.0.1:1", "service_config": {"lambda": {"endpoint_url": None}}}),
    ),
    Case(
        "endpoint-of-sts",
        uri(endpoint_url="http://127.0.0.1:1", service_config={"sts": {"endpoint_url": "http://127.0.0.1:3"}}),
    ),
    Case("endpoint-unescaped", "aws:///?endpoint_url=http://127.0.0.1:4566&region_name=eu-west-1"),
    Case("timeouts", obj({"config_kwargs": {"connect_timeout": 2.5, "read_timeout": 60}})),
    Case(
        "retries", uri(config_kwargs={"retries": {"max_attempts": 5, "mode": "standard"}, "max_pool_connections": 50})
    ),
    Case("verify-true", uri(verify=True)),
    Case("verify-bundle", uri(verify="/etc/ssl/own.pem")),
    # Roles.
    Case("role", uri("AKID", "secret", **as_role())),
    Case("role-of-the-chain", uri(**as_role(region_name="eu-west-1"))),
    Case("role-of-a-profile", uri(**as_role(profile_name="work"))),
    Case("role-arguments", obj(as_role(kwargs={"ExternalId": "x", "DurationSeconds": 900, "Policy": POLICY}))),
    Case("role-named-session", obj(as_role("assume_role", {"RoleSessionName": "me"}))),
    Case("role-tags", obj(as_role(kwargs={"Tags": [{"Key": "k", "Value": "v"}], "TransitiveTagKeys": ["k"]}))),
    Case("role-policy-arns", obj(as_role(kwargs={"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnly"}]}))),
    Case("role-source-identity", obj(as_role(kwargs={"SourceIdentity": "me"}))),
    Case("role-other-connection", uri("AKID", "secret", **as_role()), conn_id="My.Conn"),
    Case("role-empty", uri(role_arn="", assume_role_method="assume_role")),
    Case("method-without-role", uri(assume_role_method="assume_role_with_saml")),
    Case("web-identity", obj(as_role(WEB, **FILE, **TOKEN))),
    Case(
        "web-identity-arguments", obj(as_role(WEB, {"RoleSessionName": "me", "DurationSeconds": 3600}, **FILE, **TOKEN))
    ),
    Case("web-identity-of-environment", uri(**as_role(WEB, **FILE)), environment={"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}),
    # Teams.
    Case("team", uri("ALL", "s"), team="blue", environment={"AIRFLOW_CONN__BLUE___AWS_DEFAULT": uri("BLUE", "s")}),
    Case("team-without-its-own", uri("ALL", "s"), team="blue"),
    Case("team-with-an-empty-one", uri("ALL", "s"), team="blue", environment={"AIRFLOW_CONN__BLUE___AWS_DEFAULT": ""}),
    Case("not-of-the-team", uri("ALL", "s"), environment={"AIRFLOW_CONN__BLUE___AWS_DEFAULT": uri("BLUE", "s")}),
    # Malformed for both.
    Case("wrong-port", "aws://AKID:secret/slash@/"),
    Case("wrong-port-number", "aws://AKID:secret@host:99999/"),
    Case("wrong-json", '{"login": '),
    Case("wrong-json-field", '{"login": "AKID", "passwort": "secret"}'),
    Case("wrong-json-port", obj(port="https")),
    Case("wrong-extra-text", obj("not json")),
    Case("wrong-extra-list", obj([1])),
    Case("wrong-whole-extra", "aws:///?__extra__=hello"),
    Case("wrong-method", obj(as_role("by_magic"))),
    # Cases in which we are stricter than Airflow or differ from it.
    Case("neither-json-nor-uri", "AKID:secret", differs="malformed"),
    Case("fragment", "aws://AKID:secret@/?region_name=eu-west-1#rest", differs="malformed"),
    Case("login-alone", "aws://AKID@/", differs="half"),
    Case("key-alone", uri(aws_access_key_id="AKID"), differs="half"),
    Case("token-alone", uri(aws_session_token="token"), differs="half"),
    Case(
        "endpoint-unescaped-with-keys", "aws://AKID:secret@/?endpoint_url=http://127.0.0.1:1", differs="unescaped-url"
    ),
    Case("verify-false", uri(verify=False), differs="verify"),
    Case("proxies", obj({"config_kwargs": {"proxies": {"https": "http://127.0.0.1:1"}}}), differs="config-kwargs"),
    Case("saml", obj(as_role("assume_role_with_saml")), differs="federation"),
    Case("web-identity-without-federation", obj(as_role(WEB, **TOKEN)), differs="federation-file"),
    Case("web-identity-without-file", obj(as_role(WEB, **FILE)), differs="token-file"),
    Case(
        "role-with-a-code",
        obj(as_role(kwargs={"SerialNumber": "mfa", "TokenCode": "123456"})),
        differs="role-arguments",
    ),
    Case("role-too-short", obj(as_role(kwargs={"DurationSeconds": 60})), differs="role-arguments"),
    Case("number-as-profile", uri(profile_name="123"), differs="numbers"),
]

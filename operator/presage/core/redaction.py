"""Take secrets out of what leaves a cluster. Pure. When in doubt a value goes: a bundle that says less does no harm.

Objects lose what is known to hold secrets (values of environment variables, annotations of others); every text loses
what looks like one: credentials in URLs, values behind names such as `password`, tokens, private keys. Names of
Secrets and of keys in them stay: they are what one looks for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

REDACTED = "[redacted]"

_NAMES = (
    r"password|passwd|passphrase|pass|pwd|secret|token|credentials?|creds|authorization|cookie|signature|"
    r"(?:api|access|private|secret|account|encryption|signing|shared|license)[-_. ]?key|session[-_. ]?id"
)
_SECRET_NAME = re.compile(rf"(?i).*(?:{_NAMES})s?")
_NOT_SECRET = frozenset({"name", "namespace", "secretname", "key", "path", "kind", "apiversion", "apigroup"})
_OPEN_ANNOTATIONS = re.compile(
    r"(?:[a-z0-9.-]{0,99}\.)?presage\.dev/|(?:meta\.)?helm\.sh/|deployment\.kubernetes\.io/|"
    r"kubectl\.kubernetes\.io/(?:default-container|restartedAt)$"
)
_OPEN_PARAMETERS = {
    *("query", "start", "end", "step", "time", "timeout", "limit", "match[]", "labelselector", "fieldselector"),
    *("resourceversion", "resourceversionmatch", "watch", "allowwatchbookmarks", "timeoutseconds", "sendinitialevents"),
    *("fieldmanager", "fieldvalidation", "force", "dryrun", "container", "taillines", "limitbytes", "previous"),
}

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----.*?"
    r"(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|(?=[^A-Za-z0-9+/=\s\\:,.\-])|\Z)",
    re.DOTALL,
)
# At the beginning of a text that was cut. All patterns take time in proportion to the text.
_REST_OF_PRIVATE_KEY = re.compile(r"\A(?:[A-Za-z0-9+/=\s]|\\n)*-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----")
_USER_INFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20}://)([^\s\"'<>]*)@([^\s\"'<>]*)")
_CUT_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20}://)[^\s\"'<>]*\Z")
_PARAMETER = re.compile(r"([?&;#])([^\s\"'<>?&;#=]{1,128})=([^\s\"'<>&;#]*)")
_QUOTED = r"\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)*'?|\\\"(?:[^\"\\\n]|\\[^\"\n])*(?:\\\")?"
_NAMED = re.compile(rf"(?i)((?:{_NAMES})s?(?:\\?[\"'])?\s*[:=]>?\s*)(?:{_QUOTED}|[^\n]+)")
_FLAG = re.compile(rf"(?i)(?<![\w-])(--?[\w-]{{0,64}}(?:{_NAMES})\s+)(?:{_QUOTED}|\S+)")
_SCHEME = re.compile(r"(?i)\b(bearer|basic|digest|negotiate)(\s+)(?=[^\s]{8}|\S*[^A-Za-z\s,.;:])[^\s\"',;]+")
_WEB_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,4}")
_KNOWN = re.compile(
    r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|A[KS]IA|sk-|sk_|rk_|hv[sbr]\.|AIza|ya29\.|npm_|pypi-|dckr_pat_|"
    r"glsa_|dop_v1_|SG\.)[A-Za-z0-9_.\-]{8,}"
)
_LONG = re.compile(r"(?<![A-Za-z0-9+/_-])(?!/)(?:[A-Za-z0-9+_-]{32,}|[A-Za-z0-9+/]{40,})={0,2}")


def redact_text(text: str) -> str:
    """Return a text without what looks like a secret in it."""
    text = _PRIVATE_KEY.sub(REDACTED, text)
    text = _REST_OF_PRIVATE_KEY.sub(REDACTED, text)
    text = _USER_INFO.sub(_hide_user_info, text)
    text = _PARAMETER.sub(_hide_parameter, text)
    text = _NAMED.sub(rf"\1{REDACTED}", text)
    text = _FLAG.sub(rf"\1{REDACTED}", text)
    text = _SCHEME.sub(rf"\1\2{REDACTED}", text)
    text = _WEB_TOKEN.sub(REDACTED, text)
    text = _KNOWN.sub(REDACTED, text)
    return _LONG.sub(_hide_random, text)


def _hide_user_info(found: re.Match[str]) -> str:
    """Hide user and password; an @ behind a ? may end a password or be part of a parameter: then all of it goes."""
    scheme, user_info, rest = found.groups()
    return f"{scheme}{REDACTED}" if {"?", "#"} & set(user_info) else f"{scheme}{REDACTED}@{rest}"


def _hide_parameter(found: re.Match[str]) -> str:
    if found[2].lower() in _OPEN_PARAMETERS:
        return found[0]
    return f"{found[1]}{found[2]}={REDACTED}"


def _hide_random(found: re.Match[str]) -> str:
    """Hide what mixes capitals, small letters and digits as no name does; digests and uids are not such."""
    text = found[0]
    mixed = all(re.search(kind, text) for kind in ("[A-Z]", "[a-z]", "[0-9]"))
    return REDACTED if mixed else text


def redact_lines(text: str) -> str:
    """Return a log without secrets; lines of JSON are taken apart and stay JSON."""
    text = _REST_OF_PRIVATE_KEY.sub(REDACTED, _PRIVATE_KEY.sub(REDACTED, text))
    return "".join(_redact_line(line) for line in text.splitlines(keepends=True))


def _redact_line(line: str) -> str:
    ended = "\n" if line.endswith(("\n", "\r")) else ""
    return _redact_string(line.rstrip("\r\n")) + ended


def redact_tree(node: Any) -> Any:
    """Return any JSON value without secrets: by the names of fields, and in each text by its look."""
    if isinstance(node, Mapping):
        return dict(_redact_field(str(key), value, node) for key, value in node.items())
    if isinstance(node, list | tuple):
        return list(_redact_items(node))
    return _redact_string(node) if isinstance(node, str) else node


def _redact_field(key: str, value: Any, holder: Mapping[Any, Any]) -> tuple[str, Any]:
    named = key == "value" and isinstance(holder.get("name"), str) and _is_secret(holder["name"])
    if named or _is_secret(key):
        return redact_text(key), _hide(value)
    return redact_text(key), redact_tree(value)


def _redact_items(items: Sequence[Any]) -> Iterator[Any]:
    """Redact a list; what follows a flag such as `--token` is its value."""
    after_flag = False
    for item in items:
        yield REDACTED if after_flag and isinstance(item, str) else redact_tree(item)
        after_flag = isinstance(item, str) and item.startswith("-") and "=" not in item and _is_secret(item)


def _is_secret(name: str) -> bool:
    return _SECRET_NAME.fullmatch(name) is not None


def _hide(value: Any) -> Any:
    """Hide every text and number below a field whose name says that it is secret, but names that only refer to one."""
    if isinstance(value, Mapping):
        return {
            str(key): redact_tree(child) if str(key).lower() in _NOT_SECRET else _hide(child)
            for key, child in value.items()
        }
    if isinstance(value, list | tuple):
        return [_hide(child) for child in value]
    return value if value is None or isinstance(value, bool) else REDACTED


def _redact_string(text: str) -> str:
    """Redact a text; one that is JSON itself is taken apart, and if it was cut, the @ of a URL may be cut off too."""
    if text[:1] in ("{", "["):
        try:
            return json.dumps(redact_tree(json.loads(text)), ensure_ascii=False)
        except (ValueError, RecursionError):
            return _CUT_URL.sub(rf"\1{REDACTED}", redact_text(text))
    return redact_text(text)


def redact_object(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Kubernetes object without secrets and without the book-keeping of who wrote which field."""
    trimmed: dict[str, Any] = redact_tree(_trim(body))
    return trimmed


def _trim(node: Any) -> Any:
    """Drop managed fields; keep of annotations and environment variables the names, and values that are known."""
    if isinstance(node, list | tuple):
        return [_trim(child) for child in node]
    if not isinstance(node, Mapping):
        return node
    trimmed: dict[Any, Any] = {}
    for key, child in node.items():
        if key == "annotations" and isinstance(child, Mapping):
            trimmed[key] = {name: value if _OPEN_ANNOTATIONS.match(name) else REDACTED for name, value in child.items()}
        elif key == "env" and isinstance(child, list):
            trimmed[key] = [_trim_variable(variable) for variable in child]
        elif key != "managedFields":
            trimmed[key] = _trim(child)
    return trimmed


def _trim_variable(variable: Any) -> Any:
    """Keep the value of presage's own settings only: none of them is secret."""
    if not isinstance(variable, Mapping):
        return REDACTED
    if "value" in variable and not str(variable.get("name", "")).startswith("PRESAGE_"):
        return {**variable, "value": REDACTED}
    return _trim(variable)

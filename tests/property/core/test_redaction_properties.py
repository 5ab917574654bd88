"""A secret planted anywhere people are known to put one never leaves in a support bundle."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from presage.core.bundle import Omission, Part, compose
from presage.core.redaction import redact_lines, redact_object, redact_text, redact_tree

WORD = string.ascii_letters + string.digits + "-_.~"
VISIBLE = "".join(chr(code) for code in range(33, 127))


def secrets(alphabet: str) -> st.SearchStrategy[str]:
    """Return texts that stand nowhere by chance."""
    return st.text(alphabet, min_size=9, max_size=60).map(lambda text: f"Zq7{text}")


words = secrets(WORD)
lines = secrets(VISIBLE + " äß€").filter(lambda text: text == text.strip())
in_url = secrets("".join(set(VISIBLE) - set("\"'<>")))
in_parameter = secrets("".join(set(VISIBLE) - set("\"'<>&;#")))
random_bytes = st.binary(min_size=48, max_size=120)


@st.composite
def web_tokens(draw: st.DrawFn) -> str:
    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    head = part(json.dumps({"alg": "RS256", "kid": draw(words)}).encode())
    return f"{head}.{part(draw(random_bytes))}.{part(draw(random_bytes))}"


known_tokens = st.builds(
    lambda prefix, rest: prefix + rest,
    st.sampled_from(["ghp_", "glpat-", "xoxb-", "AKIA", "hvs.", "sk-", "npm_"]),
    st.text(string.ascii_letters + string.digits, min_size=16, max_size=40),
)
private_keys = random_bytes.map(lambda content: base64.encodebytes(content * 4).decode())

NAMES = [
    "password",
    "DB_PASSWORD",
    "apiKey",
    "X-Api-Key",
    "access_token",
    "client-secret",
    "Authorization",
    "privateKey",
]
names = st.sampled_from(NAMES)

# How a secret may stand in a line of text: strategy of the secret, and what is around it.
IN_TEXT: list[tuple[st.SearchStrategy[str], Callable[[str, str], str]]] = [
    (in_url, lambda secret, _: f"GET https://user:{secret}@prometheus:9090/api?query=up failed"),
    (in_url, lambda secret, _: f"dial http://{secret}@host"),
    (in_parameter, lambda secret, name: f"GET https://prometheus:9090/api?query=up&{name}={secret}&step=5"),
    (in_parameter, lambda secret, _: f"callback http://host/#id_token={secret}"),
    (words, lambda secret, _: f"sent Authorization: Bearer {secret} to it"),
    (words, lambda secret, _: f"sent 'Basic {secret}' to it"),
    (lines, lambda secret, name: f"{name}={secret}"),
    (lines, lambda secret, name: f"could not use {name}: {secret}"),
    (lines, lambda secret, name: f"settings {json.dumps({name: secret})} are wrong"),
    (words, lambda secret, name: f"curl --{name} {secret} https://host"),
    (web_tokens(), lambda secret, _: f"token was {secret}, expired"),
    (web_tokens(), lambda secret, _: secret),
    (known_tokens, lambda secret, _: f"with {secret} it failed"),
]

texts = st.sampled_from(IN_TEXT).flatmap(
    lambda case: st.tuples(case[0], names).map(lambda drawn: (drawn[0], case[1](*drawn)))
)


@given(texts)
def test_in_a_text(planted: tuple[str, str]) -> None:
    secret, text = planted
    assert secret not in redact_text(text)
    assert secret not in redact_lines(f"before\n{text}\nafter\n")


@given(texts)
def test_in_a_log_of_json(planted: tuple[str, str]) -> None:
    secret, text = planted
    line = json.dumps({"event": "source.failed", "message": text, "nested": [{"error": text}]})
    clean = redact_lines(f"{line}\n{line}\n")
    assert secret not in clean
    assert json.dumps(secret)[1:-1] not in clean
    assert all(json.loads(each)["event"] == "source.failed" for each in clean.splitlines())


@given(texts, st.integers(1, 200))
@example(("Zq70000000000000000", "GET https://user:Zq70000000000000000@prometheus:9090"), 18)
@example(("Zq70000000000000000", "dial http://Zq70000000000000000@host"), 7)
def test_in_a_line_that_was_cut(planted: tuple[str, str], cut: int) -> None:
    secret, text = planted
    line = json.dumps({"message": text})
    shown = line[: len(line) - cut % len(line)]
    clean = redact_lines(shown)
    assert secret not in clean


@given(private_keys, st.sampled_from(["RSA PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]), st.integers(0, 400))
def test_a_private_key(body: str, kind: str, cut: int) -> None:
    pem = f"-----BEGIN {kind}-----\n{body}-----END {kind}-----\n"
    pieces = [line for line in body.splitlines() if len(line) >= 32]
    shown = {
        "whole": f"before\n{pem}after\n",
        "in json": json.dumps({"message": pem}),
        "without its end": f"before\n{pem[: len(pem) - cut]}",
        "without its beginning": f"{pem[40:]}after\n",
    }
    for name, text in shown.items():
        clean = redact_lines(text)
        assert not any(piece in clean for piece in pieces), name
    assert redact_lines(shown["whole"]) == "before\n[redacted]\nafter\n"


@given(lines, names, texts)
def test_in_an_object(secret: str, name: str, planted: tuple[str, str]) -> None:
    hidden, text = planted
    variable = [
        {"name": "DSN", "value": secret},
        {"name": f"PRESAGE_{name}", "value": secret},
        {"name": "PRESAGE_X", "value": text},
    ]
    body = {
        "metadata": {
            "name": "presage",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": secret, "vendor.example/x": secret},
            "managedFields": [{"manager": secret}],
        },
        "spec": {
            "template": {
                "metadata": {"annotations": {"presage.dev/note": text}},
                "spec": {
                    "containers": [
                        {"env": variable, "args": ["operator", f"--{name}", secret, text], "command": [text]}
                    ],
                    "initContainers": [{"env": variable}],
                },
            },
            name: secret,
            "more": {name: {"inline": secret, "list": [secret]}},
            "json": json.dumps({name: secret, "deep": json.dumps({name: secret})}),
        },
        "status": {"conditions": [{"type": "Ready", "message": text}]},
    }
    files = compose([Part("object.json", body), Part("list.json", [body])], [Omission("x", text)], {})
    for content in files.values():
        shown = content.decode()
        for each in (secret, hidden):
            assert each not in shown
            assert json.dumps(each, ensure_ascii=False)[1:-1] not in shown


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=12), NESTED, max_size=5))
def test_any_json_can_be_redacted_and_twice_is_once(body: dict[str, Any]) -> None:
    once = redact_object(body)
    assert redact_object(once) == once
    json.dumps(redact_tree(body))


@given(st.text(max_size=300))
def test_any_text_can_be_redacted(text: str) -> None:
    redact_lines(text)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=400), max_size=8), st.integers(0, 3000))
def test_a_bundle_keeps_its_size(texts: list[str], most: int) -> None:
    parts = [Part(f"{number}.log", text) for number, text in enumerate(texts)]
    files = compose(parts, [], {}, max_total=most)
    manifest = json.loads(files.pop("manifest.json"))
    assert sum(map(len, files.values())) <= most
    assert {entry["name"]: entry["bytes"] for entry in manifest["files"]} == {n: len(c) for n, c in files.items()}

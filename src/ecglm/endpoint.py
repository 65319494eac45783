"""A language model behind any endpoint that speaks OpenAI's chat completions: asked politely, checked, and written down.

Replies that must be JSON are held against a schema and asked for again when they do not fit. Every exchange is appended to a
transcript, and one that is there is not asked again, so that an interrupted run goes on without paying twice. The key is sent as
bearer token and appears nowhere else: not in the transcript, not in messages, not in `repr`.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecglm.errors import EcglmError, UsageError

MAX_REPLY = 1_000_000
#: Longest wait that a server's Retry-After is obeyed for, s.
MAX_WAIT = 120.0
_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}
Message = dict[str, Any]


class EndpointError(EcglmError):
    """The endpoint cannot be reached, or its replies are not what was asked for."""


@dataclass
class Endpoint:
    """url: of the API, without "/chat/completions". timeout in s; wait: s before the second try, doubled for each further one;
    per_minute: most requests in a minute (None: no limit). named: whose environment variables messages speak of."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    transcript: Path | None = None
    tries: int = 3
    timeout: float = 60.0
    wait: float = 1.0
    per_minute: float | None = None
    named: str = "ECGLM_ENDPOINT"
    _kept: dict[str, str] | None = field(default=None, init=False, repr=False, compare=False)
    _last: float = field(default=-1e9, init=False, repr=False, compare=False)
    #: Requests that were sent, tries included.
    sent: int = field(default=0, init=False, compare=False)

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise UsageError(
                f"the address {self.url!r} is not http or https; set {self.named}_URL to such as http://localhost:8000/v1"
            )
        if self.per_minute is not None and not self.per_minute > 0:
            raise UsageError(f"{self.per_minute} requests per minute are none; give a number above 0")

    def text(self, messages: Sequence[Message], max_tokens: int | None = None) -> str:
        """The reply to a conversation. Raises EndpointError after `tries` failures; a refused request (4xx but 408, 429) is
        not tried again."""
        return self._ask(messages, None, "", max_tokens)

    def json(
        self, messages: Sequence[Message], schema: Mapping[str, Any], name: str = "reply", max_tokens: int | None = None
    ) -> dict[str, Any]:
        """The reply as an object that fits a JSON Schema (see `read_json`), else like `text`."""
        return read_json(self._ask(messages, schema, name, max_tokens), schema)

    def _ask(self, messages: Sequence[Message], schema: Mapping[str, Any] | None, name: str, max_tokens: int | None) -> str:
        asked = fingerprint(self.model, messages, schema)
        known = self._known()
        if asked in known:
            return known[asked]
        problem = ""
        for attempt in range(self.tries):
            if attempt:
                time.sleep(self.wait * 2 ** (attempt - 1))
            try:
                reply = self._post(messages, schema, name, max_tokens)
                if schema is not None:
                    read_json(reply, schema)
            except urllib.error.HTTPError as error:
                problem = f"HTTP {error.code}"
                if 400 <= error.code < 500 and error.code not in (408, 429):
                    break
                time.sleep(_retry_after(error))
            except (OSError, http.client.HTTPException, ValueError) as error:
                problem = type(error).__name__  # its words may hold what was sent
            else:
                self._record(asked, messages, reply)
                return reply
        raise EndpointError(f"{self.url}: no usable reply ({problem}); check {self.named}_URL and {self.named}_MODEL")

    def _post(self, messages: Sequence[Message], schema: Mapping[str, Any] | None, name: str, max_tokens: int | None) -> str:
        body: dict[str, Any] = {"model": self.model, "temperature": 0, "messages": list(messages)}
        if max_tokens is not None:
            body["max_tokens"] = max_tokens
        if schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": name, "strict": True, "schema": dict(schema)},
            }
        key = self.key.strip()  # one read from a file ends in a new line
        head = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        request = urllib.request.Request(self.url.rstrip("/") + "/chat/completions", json.dumps(body).encode(), head)
        if self.per_minute is not None:
            time.sleep(max(0.0, self._last + 60.0 / self.per_minute - time.monotonic()))
            self._last = time.monotonic()
        self.sent += 1
        with urllib.request.urlopen(request, timeout=self.timeout) as response:
            whole = json.loads(response.read(MAX_REPLY))
        try:
            content = whole["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            raise ValueError("not a chat completion") from None
        if not isinstance(content, str):
            raise ValueError("the reply holds no text")
        return content

    def _known(self) -> dict[str, str]:
        if self._kept is None:
            self._kept = {}
            lines = (
                self.transcript.read_text(encoding="utf-8").splitlines()
                if self.transcript is not None and self.transcript.is_file()
                else []
            )
            for line in lines:
                try:
                    row = json.loads(line)
                    self._kept[str(row["asked"])] = str(row["reply"])
                except (ValueError, KeyError, TypeError):
                    continue  # the line a crash cut short
        return self._kept

    def _record(self, asked: str, messages: Sequence[Message], reply: str) -> None:
        self._known()[asked] = reply
        if self.transcript is not None:
            self.transcript.parent.mkdir(parents=True, exist_ok=True)
            torn = _ends_torn(self.transcript)
            with open(self.transcript, "a", encoding="utf-8") as file:
                file.write(
                    "\n" * torn
                    + json.dumps({"model": self.model, "asked": asked, "messages": _plain(messages), "reply": reply})
                    + "\n"
                )


def from_environment(named: str, transcript: Path | None = None, **options: Any) -> Endpoint | None:
    """The endpoint that ``$<named>_URL``, ``$<named>_MODEL`` and ``$<named>_KEY`` (may be unset) name, or None."""
    url, model = os.environ.get(f"{named}_URL"), os.environ.get(f"{named}_MODEL")
    if not url or not model:
        return None
    return Endpoint(url, model, os.environ.get(f"{named}_KEY", ""), transcript, named=named, **options)


def required(named: str, purpose: str, transcript: Path | None = None, **options: Any) -> Endpoint:
    """The same. Raises UsageError where it is not set."""
    found = from_environment(named, transcript, **options)
    if found is None:
        raise UsageError(
            f"{purpose} needs an OpenAI-compatible endpoint; set {named}_URL (http://localhost:8000/v1), "
            f"{named}_MODEL and, where it wants one, {named}_KEY"
        )
    return found


def conversation(system: str, user: str) -> list[Message]:
    """A system line and one user turn."""
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def fingerprint(model: str, messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
    """What a transcript knows an exchange by."""
    text = json.dumps([model, list(messages), schema], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(messages: Sequence[Message]) -> list[Message]:
    """Messages as a transcript keeps them: images by their hash."""

    def part(value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("type") == "image_url":
            return {"type": "image", "sha256": hashlib.sha256(str(value["image_url"]).encode()).hexdigest()[:16]}
        return value

    return [{**m, "content": [part(p) for p in m["content"]]} if isinstance(m["content"], list) else dict(m) for m in messages]


def _ends_torn(path: Path) -> bool:
    """Whether a crash left half a line at the end."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _retry_after(error: urllib.error.HTTPError) -> float:
    try:
        return min(MAX_WAIT, max(0.0, float(error.headers.get("Retry-After", 0))))
    except (TypeError, ValueError):
        return 0.0


def read_json(reply: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A reply checked against a schema of the kind used here: objects, arrays, strings, numbers with limits, enums. A fence of
    Markdown around the object is taken off. Raises ValueError."""
    text = reply.strip()
    if text.startswith("```"):
        text = text.strip("`").removeprefix("json").strip()
    data = json.loads(text)
    _check(data, schema, "the reply")
    if not isinstance(data, dict):
        raise ValueError("the reply must be an object")
    return data


def _check(value: Any, schema: Mapping[str, Any], where: str) -> None:
    kinds = _TYPES[schema["type"]]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise ValueError(f"{where} must be a {schema['type']}")
    if "enum" in schema and value not in schema["enum"]:
        raise ValueError(f"{where} must be one of {', '.join(map(str, schema['enum']))}")
    if (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and not schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        raise ValueError(f"{where} must be from {schema.get('minimum')} to {schema.get('maximum')}")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        strange = schema.get("additionalProperties") is False and set(value) - set(known)
        if strange or set(schema.get("required", ())) - set(value):
            raise ValueError(f"{where} must be an object with {', '.join(known)}")
        for name, rule in known.items():
            if name in value:
                _check(value[name], rule, name)
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            raise ValueError(f"{where} must be a list of {schema.get('minItems', 0)} to {schema.get('maxItems')}")
        for one in value:
            _check(one, schema["items"], f"an item of {where}")

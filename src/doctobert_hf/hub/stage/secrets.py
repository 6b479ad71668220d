"""What secrets look like: tokens, keys and passwords by their form, or by the word before them.

Our own forms come first, then those of a kept scanner (:mod:`.scanner`).

A finding never quotes a secret: it is masked, and named by a fingerprint, by which ``--allow`` lets
it pass where it is none.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from doctobert_hf.hub.stage.scanner import scanned

_FORMS = """
a Hugging Face token: hf_[A-Za-z0-9]{30,}|api_org_[A-Za-z0-9]{30,}|hf_(?:oauth|jwt)_[\\w.=-]{20,}
an OpenAI key, or of its form: sk-(?:proj-|ant-|svcacct-|admin-|or-v1-|lf-)?[A-Za-z0-9_-]{32,}
a Groq key: gsk_[A-Za-z0-9]{40,}
a Replicate token: r8_[A-Za-z0-9]{30,}
an xAI, Perplexity, NVIDIA or LangSmith key: (?:xai|pplx|nvapi)-[\\w-]{40,}|lsv2_[a-z]{2}_[\\w-]{32,}
a GitHub token: gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,}
a GitLab token: gl(?:pat|dt|rt|ptt|cbt|soat|ft|imt|agent|oas|ffct)-[\\w-]{20,}|GR1348941[\\w-]{20}
an Atlassian or Bitbucket token: ATATT3[\\w=-]{60,}|ATBB[A-Za-z0-9]{28,}|ATCTT3[\\w=-]{60,}
an AWS key: (?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}
a Google key: AIza[0-9A-Za-z_-]{35}|GOCSPX-[\\w-]{24,}|ya29\\.[\\w-]{20,}|1//0[\\w-]{40,}
an Azure key: AccountKey=[A-Za-z0-9+/=]{40,}|SharedAccessKey=[A-Za-z0-9+/=]{40,}|sig=[A-Za-z0-9%+/]{40,}|[\\w~.]{3}8Q~[\\w~.-]{31,}
a Slack token: xox[a-z]-[A-Za-z0-9-]{20,}|xapp-\\d-[A-Za-z0-9-]{20,}
a webhook: hooks\\.slack\\.com/(?:services|workflows|triggers)/[\\w/]{20,}|webhook\\.office\\.com/webhookb2/[\\w@/-]{20,}|discord(?:app)?\\.com/api/webhooks/\\d+/[\\w-]{20,}
a Discord token: [MNO][A-Za-z0-9_-]{23,27}\\.[\\w-]{6}\\.[\\w-]{27,}
a Telegram token: \\d{8,10}:AA[\\w-]{33}
a Stripe key: (?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{24,}
a Twilio key: SK[a-f0-9]{32}
a SendGrid, Mailgun or Mailchimp key: SG\\.[\\w-]{16,}\\.[\\w-]{32,}|key-[a-f0-9]{32}|[a-f0-9]{32}-us\\d{1,2}
an npm, PyPI or RubyGems token: npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|rubygems_[a-f0-9]{48}
a Docker token: dckr_(?:pat|oat)_[\\w-]{20,}
a Databricks token: dapi[a-f0-9]{32}
a Vault or Terraform token: hv[sbr]\\.[\\w-]{20,}|[A-Za-z0-9]{14}\\.atlasv1\\.[\\w-]{40,}
a DigitalOcean token: do[opr]_v1_[a-f0-9]{64}
a key of a service: shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|sq0(?:atp|csp)-[\\w-]{22,}|gl(?:sa|c)_[A-Za-z0-9+/=_]{30,}|sntry[su]_[\\w=+/]{40,}|NRAK-[A-Z0-9]{27}|lin_api_[A-Za-z0-9]{40}|ntn_[A-Za-z0-9]{40,}|PMAK-[a-f0-9-]{40,}|figd_[\\w-]{40,}|dp\\.(?:pt|st|ct)\\.[\\w.-]{40,}|pul-[a-f0-9]{40}|sbp_[a-f0-9]{40}|pscale_[a-z]+_[\\w-]{32,}|pat[A-Za-z0-9]{14}\\.[a-f0-9]{64}
a JSON web token: eyJ[\\w-]{8,}\\.eyJ[\\w-]{8,}\\.[\\w-]{10,}
a Neptune token: eyJhcGlfYWRkcmVzcyI6[\\w=+/-]{20,}
a private key: -----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\\d|AGE-SECRET-KEY-1[A-Z0-9]{50,}
a password in an address: [a-zA-Z][a-zA-Z0-9+]{1,15}://[^/\\s:@\\"'<>{}$]{0,64}:[^/\\s:@\\"'<>{}$]{3,64}@[\\w.-]+
a password of .netrc: machine\\s+\\S+\\s+login\\s+\\S+\\s+password\\s+\\S{4,}
"""  # noqa: E501
_NAMES = (
    r"(?:api[_ -]?(?:key|token)|secret(?:[_ -]?(?:access[_ -]?)?key)?|client[_ -]?secret|pwd|"
    r"passw(?:or)?d|passphrase|account[_ -]?key|private[_ -]?key|mot[_ ]de[_ ]passe|mdp|_auth|"
    r"(?:access|auth|session|bearer|refresh|bot|user|personal|security|id)[_ -]?token|_authToken|"
    r"authorization)"
)
_GAP = r"[ \t]{0,3}"
_KEYED = re.compile(
    rf"(?i)(?:{_NAMES})[\w.-]{{0,16}}[\"']{{0,2}}{_GAP}(?::=|=>|[:=]){_GAP}(?:Bearer|Basic|Token)?"
    rf"{_GAP}[\"']?([^\s\"'<>{{}}$,;()\[\]]{{8,}})".encode()
)
_HEADER = re.compile(rb"(?i)\b(?:bearer|basic|token)\s([A-Za-z0-9+/=._~-]{20,})")
_DOCKER = re.compile(rb"\"auth\"\s*:\s*\"([A-Za-z0-9+/=]{12,})\"")
_SAMPLE = re.compile(
    rb"(?i)your|example|placeholder|password|mot_?de_?passe|changeme|dummy|redact|\*{3}|x{4,}|\.{3}"
)
_LEFT = r"(?<![A-Za-z0-9_-])"
_LEAST_ENTROPY = 2.9

FORMS: dict[str, re.Pattern[bytes]] = {
    kind: re.compile(f"{_LEFT}(?:{pattern})".encode())
    for kind, pattern in (line.split(": ", 1) for line in _FORMS.strip().splitlines())
}
"""Patterns of secrets that are told by their form, by kind."""

SUSPICIOUS = "|".join(
    [
        *(f"(?:{line.split(': ', 1)[1]})" for line in _FORMS.strip().splitlines()),
        rf"(?i:{_NAMES}[\w.-]{{0,16}}[\"']{{0,2}}\s{{0,3}}[:=])",
        r"(?i:\b(?:bearer|basic|token)\s[A-Za-z0-9+/=._~-]{20,})",
        r"\"auth\"\s*:",
        # What the kept scanner looks for behind a service's name.
        r"(?i:(?:cloudant|softlayer|ibm|cos|clou|cl|sl)[\w-]{0,24}[\"']{0,2}\s{0,3}(?:[:=]|\s))",
        r"[0-9a-z]{32}-us[0-9]{1,2}|\d{8,10}:[0-9A-Za-z_-]{35}|(?:AC|SK)[a-z0-9]{32}",
        r"api\.softlayer\.com|xox[a-z]-\d|(?i:aws.{0,20}(?:key|pwd|pw|password|pass|token))",
    ]
)
"""One pattern for RE2 by which columns are searched first; it finds more than secrets.

It misses none of our own forms, and of the kept scanner's those that the tests name.
"""


@dataclass(frozen=True)
class Secret:
    """Something that looks like a secret.

    Attributes:
        kind: What it looks like.
        masked: Its beginning, and how long it is.
        fingerprint: 12 hexadecimal digits of its SHA-256: the same wherever it stands.
    """

    kind: str
    masked: str
    fingerprint: str


def find_secrets(content: bytes, tokens: Iterable[str] = ()) -> list[Secret]:
    """Find what looks like a secret.

    Args:
        content: A text, in UTF-8.
        tokens: Tokens in use, sought as they are.

    Returns:
        Each once, in the order of kinds.
    """
    found: dict[str, Secret] = {}
    for token in tokens:
        if token and token.encode() in content:
            secret = _secret("the token in use", token.encode())
            found[secret.fingerprint] = secret
    own = list(_values(content))
    others = [
        (kind, word.encode())
        for kind, word in scanned(content.decode("utf-8", "replace"))
        if not any(word.encode() in value for _, value in own)  # the same, cut elsewhere
    ]
    for kind, value in own + others:
        secret = _secret(kind, value)
        found.setdefault(secret.fingerprint, secret)
    return list(found.values())


def _values(content: bytes) -> Iterator[tuple[str, bytes]]:
    for kind, pattern in FORMS.items():
        for match in pattern.finditer(content):
            value = match[0]
            if value.startswith(b"sk-") and not _mixed(value[3:]):
                continue
            if kind.endswith("address") and _SAMPLE.search(value.rsplit(b"@", 1)[0]):
                continue
            yield kind, value
    for pattern, kind in (
        (_KEYED, "a key or password"),
        (_HEADER, "a header"),
        (_DOCKER, "a login"),
    ):
        for match in pattern.finditer(content):
            if _random(match[1]):
                yield kind, match[1]


def _mixed(value: bytes) -> bool:
    """Return whether a key's letters are mixed as no words are: capitals or digits within."""
    return len(re.findall(rb"\d", value)) >= 2 and bool(re.search(rb"[A-Za-z]", value))


def _random(value: bytes) -> bool:
    """Return whether a value behind a keyword is no word, path, call or placeholder."""
    value = value.rstrip(b".,:\\")
    if len(value) < 8 or _SAMPLE.search(value) or not re.search(rb"[A-Za-z]", value):
        return False
    if value.startswith((b"http://", b"https://", b"/", b"./", b"~/", b"--")):
        return False
    if not re.search(rb"[\d!#%&*+?@^~]|[a-z][A-Z]", value) or re.fullmatch(
        rb"[a-z_.]+\d{0,2}", value
    ):
        return False
    counts = Counter(value)
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return entropy >= min(_LEAST_ENTROPY, math.log2(len(value)) - 0.6)


def _secret(kind: str, value: bytes) -> Secret:
    shown = value[:4].decode("ascii", "replace")
    fingerprint = hashlib.sha256(value).hexdigest()[:12]
    return Secret(kind, f"{shown}… ({len(value)} characters)", fingerprint)

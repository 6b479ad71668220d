"""What the kept scanner detect-secrets knows of secrets' forms, beside our own detectors.

Its plugins look for one service's keys each. Those that judge by entropy alone, that take any
address or any word behind "key" for a secret, that take quadratic time on a hostile line, or that
ours does better, are not asked: a finding stops a push, so that it must be one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

_PLUGINS = {
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "cloudant": "CloudantDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "ibm_cos_hmac": "IbmCosHmacDetector",
    "mailchimp": "MailchimpDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "softlayer": "SoftlayerDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}


def scanned(text: str) -> Iterator[tuple[str, str]]:
    """Yield kind and value of what the scanner takes for a secret.

    A value must begin where a word begins, and have a digit and a letter: ``risk-factors`` is none.

    Example:
        >>> key = "sq0csp-" + "a1" * 21 + "b"
        >>> [kind for kind, value in scanned(f"square: {key}")]
        ['Square OAuth Secret (detect-secrets)']
    """
    text = _SPACES.sub("  ", text)
    for kind, pattern in _patterns():
        for match in pattern.finditer(text):
            for group in range(1, pattern.groups + 1) if pattern.groups else (0,):
                value = match[group] or ""
                own = value.isascii() and _mixed(value) and not _NUMBERED.fullmatch(value)
                if own and _begins_a_word(text, match.start(group)):
                    yield f"{kind} (detect-secrets)", value


_NUMBERED = re.compile(r"A[CP]\d{32}")
"""A number of a file with two letters, and no account: theirs are hexadecimal."""
_SPACES = re.compile(" {3,}")
"""More than its patterns tell apart, on which some take cubic time."""


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    import importlib

    plugins = [
        getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)
        for module, name in _PLUGINS.items()
    ]
    return tuple((plugin.secret_type, one) for plugin in plugins for one in plugin.denylist)


def _begins_a_word(text: str, start: int) -> bool:
    return not start or re.match("[A-Za-z0-9_-]", text[start - 1]) is None


def _mixed(value: str) -> bool:
    return bool(re.search(r"\d", value)) and bool(re.search(r"[A-Za-z]", value))

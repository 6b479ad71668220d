"""What the kept scanner detect-secrets knows of secrets' forms, beside our own detectors.

Its plugins look for one service's keys each. Those that judge by entropy alone, that take any
address or any word behind "key" for a secret, that take quadratic time on a hostile line, or that
ours does better, are not asked: a finding stops a push, so that it must be one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

_PLUGINS = {
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "cloudant": "CloudantDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "ibm_cos_hmac": "IbmCosHmacDetector",
    "mailchimp": "MailchimpDetector",
    "openai": "OpenAIDetector",
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
    for plugin in _plugins():
        for value in plugin.analyze_string(text):
            if _begins_a_word(text, value) and _mixed(value):
                yield f"{plugin.secret_type} (detect-secrets)", value


@cache
def _plugins() -> tuple[Any, ...]:
    import importlib

    return tuple(
        getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)()
        for module, name in _PLUGINS.items()
    )


def _begins_a_word(text: str, value: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9_-]){re.escape(value)}", text) is not None


def _mixed(value: str) -> bool:
    return bool(re.search(r"\d", value)) and bool(re.search(r"[A-Za-z]", value))

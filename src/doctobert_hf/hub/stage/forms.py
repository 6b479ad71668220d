r"""The forms of secrets: what vendors document, and the words before a value that give it away.

Patterns are written once, in the common part of Python's and RE2's languages (no lookaround), so
that the search of whole columns and that of a text know the same forms. Where a word may begin is
said beside them: :data:`LEFT` is put before those that are told by their form.
"""

from __future__ import annotations

import re

from doctobert_hf.hub.stage import tables

LEFT = r"(?<![A-Za-z0-9_-])"
"""Where a word begins."""

PLAIN = """
a Hugging Face token: hf_[A-Za-z0-9]{30,}|api_org_[A-Za-z0-9]{30,}|hf_(?:oauth|jwt)_[\\w.=-]{20,}
an OpenAI key: sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}
a Groq key: gsk_[A-Za-z0-9]{40,}
a Replicate token: r8_[A-Za-z0-9]{30,}
a key of a model's service: lsv2_[a-z]{2}_[\\w-]{32,}|sk-lf-[a-f0-9-]{36}|pcsk_\\w{50,}|jina_[\\w-]{50,}|tgp_v1_[\\w-]{40,}|ls__[a-f0-9]{32}|sk_[a-f0-9]{48}
a GitHub token: gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,}
an Atlassian or Bitbucket token: ATATT3[\\w=-]{60,}|ATBB[A-Za-z0-9]{28,}|AT[CS]TT3[\\w=-]{60,}|BBDC-[A-Za-z0-9+/]{40,}
an AWS key: (?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|ABSK[A-Za-z0-9+/=]{100,}
a Google key: AIza[0-9A-Za-z_-]{35}|AQ\\.Ab[\\w-]{40,}|GOOG1E[A-Z0-9]{57}|GOCSPX-[\\w-]{24,}|ya29\\.[\\w-]{20,}|1//0[\\w-]{40,}
an Azure key: AccountKey=[A-Za-z0-9+/=]{40,}|SharedAccessKey=[A-Za-z0-9+/=]{40,}|sig=[\\w%+/-]{40,}|[\\w~.]{3}\\dQ~[\\w~.-]{31,}|[A-Za-z0-9]{40,80}(?:AZDO[A-Za-z0-9]{4}|JQQJ9[9D][A-Za-z0-9]{20})|[A-Za-z0-9+/]{70,80}\\+(?:ASt|ACDb|ABa|ARm)[A-Za-z0-9+/]{5,6}={1,2}
a Slack token: xox[a-z]-[A-Za-z0-9-]{20,}|xapp-\\d-[A-Za-z0-9-]{20,}|xoxe\\.xox[bp]-\\d-[\\w-]{40,}
a webhook: anaconda\\.org/t/[\\w-]{20,}|hooks\\.slack\\.com/(?:services|workflows|triggers)/[\\w/]{20,}|webhook\\.office\\.com/webhookb2/[\\w@/-]{20,}|outlook\\.office(?:365)?\\.com/webhook/[\\w@/-]{20,}|discord(?:app)?\\.com/api/(?:v\\d{1,2}/)?webhooks/\\d+/[\\w-]{20,}
a Discord token: mfa\\.[\\w-]{80,}|[MNO][A-Za-z0-9_-]{23,27}\\.[\\w-]{6}\\.[\\w-]{27,}
a Telegram token: (?:bot)?\\d{8,10}:AA[\\w-]{33}
a Stripe key: (?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{24,}
a Twilio key: SK[a-f0-9]{32}
a SendGrid, Mailgun, Mailchimp or Brevo key: SG\\.[\\w-]{16,}\\.[\\w-]{32,}|key-[a-f0-9]{32}|[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8}|[a-f0-9]{32}-us\\d{1,2}|x(?:keysib|smtpsib)-[a-f0-9]{64}-\\w{16}
an npm, NuGet or RubyGems token: oy2[a-z0-9]{43}|npm_[A-Za-z0-9]{36}|rubygems_[a-f0-9]{48}
a Docker token: dckr_(?:pat|oat)_[\\w-]{20,}
a Databricks token: (?:dapi|dose)[a-f0-9]{32}
a Vault or Terraform token: hv[sbr]\\.[\\w-]{20,}|[A-Za-z0-9]{14}\\.atlasv1\\.[\\w-]{40,}
a DigitalOcean token: do[opr]_v1_[a-f0-9]{64}
a Weights & Biases key: wandb_v1_\\w{60,}|wandb(?:\\.login\\(|\\s+login\\s(?:--?[\\w=-]{1,30}\\s){0,3})\\s{0,3}(?:key\\s?=\\s?)?\\\\?[\\"']?[a-f0-9]{40}
a key of a service: shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|sq0(?:atp|csp)-[\\w-]{22,}|(EAAA[\\w-]{60})(?:[^A-Za-z0-9+/=_-]|$)|gl(?:sa|c)_[A-Za-z0-9+/=_]{30,}|sntry[su]_[\\w=+/]{40,}|NRAK-[A-Z0-9]{27}|lin_api_[A-Za-z0-9]{40}|ntn_[A-Za-z0-9]{40,}|PMAK-[a-f0-9-]{40,}|figd_[\\w-]{40,}|dp\\.(?:pt|st|ct)\\.[\\w.-]{40,}|pul-[a-f0-9]{40}|sbp_[a-f0-9]{40}|pscale_[a-z]+_[\\w-]{32,}|pat[A-Za-z0-9]{14}\\.[a-f0-9]{64}|sk\\.eyJ[\\w-]{40,}\\.[\\w-]{20,}|v1\\.0-[a-f0-9]{24}-[a-f0-9]{146}|KGAT_[a-f0-9]{32}|HRKU-AA[\\w-]{50,}|(EAA[A-Za-z0-9]{100,})(?:[^A-Za-z0-9+/=_-]|$)|[a-f0-9]{36}NRAL|eyJrIjoi[\\w+/=]{40,}|sq[upa]_[a-f0-9]{40}|cmVmdGtuOjAx[A-Za-z0-9]{40,}|nfp_[A-Za-z0-9]{36,}|sb_secret_[\\w-]{22,}|APP_KEY=base64:[A-Za-z0-9+/]{43}=|tskey-[a-z]+-[A-Za-z0-9]{8,}-[A-Za-z0-9]{20,}|rpa_[A-Z0-9]{40,}|sl\\.(?:u\\.)?[\\w-]{100,}|pat-(?:na|eu|ap)\\d-[a-f0-9]{8}-[a-f0-9-]{27}|ops_eyJ[\\w-]{60,}|A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}|fm[12][ar]?_[\\w+/=-]{80,}|access_token\\$production\\$\\w{16}\\$[a-f0-9]{32}|dt0[a-z]\\d\\d\\.[A-Z0-9]{24}\\.[A-Z0-9]{64}|A{21}[A-Za-z0-9%+/]{10,90}=[A-Za-z0-9]{40,}
a JSON web token: eyJ[\\w-]{8,}\\.eyJ[\\w-]{8,}\\.[\\w-]{10,}
a Neptune token: eyJhcGlfYWRkcmVzcyI6[\\w=+/-]{20,}
a private key: -----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----|PuTTY-User-Key-File-\\d|AGE-(?:SECRET-KEY-(?:PQ-)?|PLUGIN-[A-Z0-9]{1,20}-)1[A-Z0-9]{50,}|minisign encrypted secret key|\\$ANSIBLE_VAULT;\\d|LS0tLS1CRUdJTiB(?:SU0EgUFJJVkFURS|QUklWQVRFIEtFW|FQyBQUklWQVRFI|PUEVOU1NIIFBSS|FTkNSWVBURUQgU|EU0EgUFJJVkFUR)
a password's hash: \\$2[aby]\\$\\d\\d\\$[./A-Za-z0-9]{53}|\\$(?:apr1|[156]|y)\\$[^$\\s]{1,16}\\$[./A-Za-z0-9]{22,86}|\\$argon2(?:id|i|d)\\$v=\\d+\\$[\\w=,]{5,40}\\$[A-Za-z0-9+/]{16,}\\$[A-Za-z0-9+/]{16,}|\\{S?SHA(?:256|512)?\\}[A-Za-z0-9+/]{27,}={0,2}
a password of .netrc: (?:machine\\s+\\S+|default)\\s+login\\s+\\S+(?:\\s+account\\s+\\S+)?\\s+password\\s+\\S{4,}
a login of a notebook server: /(?:lab|tree|notebooks)?\\?token=[a-f0-9]{48}
a key of an authenticator: otpauth://[^\\s\\"']{1,200}secret=[A-Z2-7]{16,}
"""  # noqa: E501
"""Kind and pattern of what nothing else looks like."""

NO_WORDS = """
a GitLab token: gl(?:pat|dt|rt|rtr|hrt|ptt|cbt|soat|ft|imt|agent|oas|ffct|wt)-[\\w-]{20,}|GR1348941[\\w-]{20}
"""  # noqa: E501
"""Forms that words joined by hyphens may have: ``glrt-based-detection-of-signals``."""

NO_SLUGS = """
an OpenAI key, or of its form: sk-(?:proj-|ant-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{32,}|sess-[A-Za-z0-9]{40}
an xAI, Perplexity, NVIDIA or Cerebras key: (?:xai|pplx|nvapi|llx|csk)-[\\w-]{40,}|tvly-[\\w-]{30,}
a PyPI token: pypi-[A-Za-z0-9_-]{50,}
"""  # noqa: E501
"""Forms that an address of an article may have: one part must be longer than a word."""

MIXED = """
a key of a service, or of its form: fw_[A-Za-z0-9]{22,26}|pa-[\\w-]{43}|LTAI[A-Za-z0-9]{16,24}|AKCp[A-Za-z0-9]{60,}|secret_[A-Za-z0-9]{43}|cio[A-Za-z0-9]{32}|rnd_[A-Za-z0-9]{28,}|[\\"']d[\\"']\\s?:\\s?[\\"'][\\w-]{43,}
a Vault token of the older form: s\\.(?:[A-Za-z0-9]{6}){4}
a Scaleway key: SCW[A-Z0-9]{17}
"""  # noqa: E501
"""Forms with so little of their own that letters and digits must be mixed as in no word."""

ADDRESSES = """
a password in an address: [a-zA-Z][a-zA-Z0-9+]{1,15}://[^/\\s:@\\\\"'<>{}$]{0,64}:[^/\\s:@\\\\"'<>{}$]{3,64}@[\\w.-]+|jdbc:oracle:\\w+:[\\w-]{1,32}/[^\\s@/\\"']{3,64}@
"""
"""Addresses with a password."""

_NAMES = (
    r"(?:(?:api|auth)[_ -]?(?:key|token)|secret(?:[_. -]?(?:access[_. -]?)?key)?|"
    r"client[_ -]?secret|pwd|passw(?:or)?d|passphrase|account[_. -]?key|private[_ -]?(?:key|token)|"
    r"mots?[_ -]?de[_ -]?passe|phrase[_ ]de[_ ]passe|mdp|code d.{1,3}acc(?:e|\xc3\xa8)s|"
    r"cl(?:e|\xc3\xa9)f?[_ -](?:d.{1,3})?(?:api|secr(?:e|\xc3\xa8)te)|_auth|(?:access|"
    r"session|bearer|refresh|bot|user|personal|security|id|identity|registry|job)[_ -]?token|"
    r"_authToken|authorization|\b(?:wpa_?)?psk\b|x-[\w-]{1,24}-(?:key|token)|"
    r"cl(?:e|\xc3\xa9)f?[_ -](?:wi-?fi|wpa\d?|wep)\b|"
    r"(?:db|database|ssh|become|sudo|smtp|ldap|ftp|ci|root|proxy)[_-]?pass\b)"
)
_OTHER_NAMES = (
    r"(?:(?i:(?:kaggle|zenodo|zotero|orcid|elsevier|ncbi|umls|circle(?:ci)?|azure|storage|algolia|encrypt(?:ion)?|signing|master|"
    r"admin|licen[cs]e|deploy|subscription|registry|git(?:hub|lab)|hf|hub|hugging_?face|openai|"
    r"consumer|app(?:lication)?|datadog|ovh|mistral|cohere|"
    r"wandb|comet|neptune|sentry|slack|telegram|discord|npm|pypi|twine)[_-](?:\w{1,12}[_-])?"
    r"(?:key|token|pass|pw|pat))|[A-Z][A-Z0-9]{1,20}_(?:[A-Z0-9]{1,20}_){0,3}"
    r"(?:TOKEN|KEY|PASS|PW|PAT)|(?i:\b(?:token|jeton|pass|unseal key \d)))"
)
_QUOTES = "[\"'`*]{0,3}"
_VALUE = r"[^\s\"'<>{}$,;()\[\]\\`|][^\s\"'<>{},;()\[\]\\`|]{7,}"
_GAP = r"[ \t]{0,3}"
_GUILLEMET = r"(?:\xc2\xab|\xe2\x80\x9c)?"  # their bytes
_INSIDE = r"(?:[ \t]|\xc2\xa0|\xe2\x80\xaf){0,3}"
_OPENS = rf"{_GAP}(?:[bfru]{{1,2}}[\"'])?{_QUOTES}{_GUILLEMET}{_INSIDE}{_QUOTES}"


_ASSIGNS = rf"{_GAP}(?::=|=>|==|->|\xe2\x86\x92|[:=|>])|[\"'],|[\"']\s{{1,3}}value="


_FIELD = rf"[\"']?[\s,{{]{{1,16}}[\"']?(?:value|default)[\"']?{_GAP}[:=]{_GAP}"


def _named(names: str, tail: str) -> str:
    """A name, what closes it, and what assigns: ``environ["NAME"] =``."""
    return rf"{names}{tail}(?:{_QUOTES}\]?(?:{_ASSIGNS}))"


def _option(names: str) -> str:
    """A name where a command or a Dockerfile has it: ``--NAME``, ``ENV NAME``."""
    return rf"(?:\s--?|--|\b(?:ENV|set(?:env|x|\s-\w{{1,3}}))\s)(?:\w[\w-]{{0,31}})?{names}"


def _field(names: str, tail: str) -> str:
    """A name in a field, whose value stands in the next: ``- name: NAME``, ``value:``."""
    return rf"{names}{tail}{_FIELD}"


def _keyed(names: str, tail: str) -> str:
    r"""A name, and the value: ``environ["NAME"] = "value"``, ``--NAME value``."""
    return (
        rf"{names}{tail}(?:{_QUOTES}\]?(?:{_ASSIGNS}){_OPENS}(?:(?i:Bearer|Basic|Token))?{_GAP}"
        rf"|{_FIELD}[\"']?)({_VALUE})"
        rf"|{_option(names)}[\w-]{{0,16}}[ \t=]{{1,3}}[\"']?({_VALUE})"
    )


_KEYED = (f"(?i:{_NAMES})", r"[\w.-]{0,64}")
KEYED = _keyed(*_KEYED)
"""A value behind a word for a password or a key."""
OTHER_KEYED = _keyed(_OTHER_NAMES, "")
"""A value behind a word that is often none for a secret: the value must look like one."""
_SAID = (
    r"(?i:mots? de passe|(?:code|jeton) d.{1,3}acc(?:e|\xc3\xa8)s|code wi-?fi|"
    r"phrase (?:de passe|secr(?:e|\xc3\xa8)te)|\bmdp\b|"
    r"cl(?:e|\xc3\xa9)f? (?:d.{1,3})?(?:API|acc(?:e|\xc3\xa8)s|secr(?:e|\xc3\xa8)te)|"
    r"\bAPI[ -]key|\bpassword|\bpassphrase)[^\n:=|\"<>]{0,30}?"
    rf"(?: est| is| c.{{1,3}}est|{_GAP}[:=]|{_GAP}\xc2\xab)"
)
_PAIR = (
    r"(?i:identifiants?|logins?|user(?:name)?|utilisateur|compte)\s?(?:/|et|and|&|,|;)\s?"
    r"(?i:mot de passe|mdp|password|passwd)"
)
_BEFORE = r"(?i:\bmdp|\bpassword|\bpasswd|mot de passe)\s{1,2}"
PROSE = (
    rf"{_SAID}\s{{0,4}}{_OPENS}({_VALUE})"
    rf"|{_PAIR}{_GAP}[:=]{_GAP}[\w.@-]{{1,64}}\s?(?:/|et|and|,|;|:)\s?{_OPENS}({_VALUE})"
    rf"|{_BEFORE}(?:[\"'`]|\xc2\xab|\xe2\x80\x9c){_INSIDE}({_VALUE})"
    rf"|(?i:identifiants? de connexion){_GAP}:{_GAP}[\w.@-]{{1,64}}\s?/\s?{_OPENS}({_VALUE})"
)
"""What a sentence says the password is."""
_SHORT = r"(?i:\bpw)\s{0,2}[:=]\s{0,2}"
BARE = (
    rf"(?:{_BEFORE}|{_SHORT}){_QUOTES}{_GUILLEMET}{_INSIDE}({_VALUE})"
    rf"|\bPASS=[\"']?({_VALUE})"
    rf"|(?:^|[\n,{{;:\"'])[ \t]{{0,8}}(?:user:)?(?i:passe?)[\"']?"
    rf"{_GAP}[:=]{_GAP}{_OPENS}({_VALUE})"
)
"""What follows the word for a password without a sign between, or a word of two letters."""
COMMANDS = (
    r"\bcurl\b[^\n]{0,200}?\s(?:-u|--user)[ =]?[\"']?[\w.@-]{1,64}:([^\s\"'$\\]{6,})"
    r"|\bmysql(?:dump|admin)?\s[^\n]{0,80}?-p([^\s\"'$\\]{6,})|\bsshpass\s+-p\s*[\"']?([^\s\"'$\\]{6,})"
    r"|(?i:\b(?:set-)?cookie):\s?\w{1,40}=([^;\s\"'\\]{16,})"
    r"|[A-Za-z][\w.-]{0,64}:(?:\d{2,5}|\*):[\w*-]{1,64}:[\w*-]{1,64}:([^\s:\"'\\]{8,})"
    r"|https?://([\w-]{20,})@[\w-]+\."
    r"|\bdocker\s+login\b[^\n]{0,80}\s(?:-p|--password)[ =]([^\s\"'$\\]{6,})"
    r"|\baws\s+configure\s+set\s+\S{1,60}\s+([^\s\"'$\\]{16,})|\bbindpw\s+([^\s\"'$\\]{6,})"
    r"|\bnet\s+use\b[^\n]{0,120}/user:\S{1,60}\s+([^\s\"'$\\]{6,})"
    r"|\becho\s+[\"']?([^\s\"'|$\\]{6,})[\"']?\s*\|\s*sudo\s+-S"
    r"|(?i:\bidentified\s(?:with\s\S{1,40}\s)?by|\bwith\s(?:encrypted\s)?password)\s{0,3}"
    r"[\"']([^\s\"'$\\]{6,})[\"']|\b(?:requirepass|masterauth)\s+[\"']?([^\s\"'$\\]{6,})"
    r"|\s-U\s?[\"']?[\w.@\\-]{1,64}%([^\s\"'$\\]{6,})|\bldap\w+(?:\s[^\n]{0,200})?\s-w\s?[\"']?([^\s\"'$\\]{6,})"
    r"|\s-(?:pass(?:in|out)?|passphrase)\s+pass:([^\s\"'$\\]{6,})"
    r"|\b(?:7z[ar]?|(?:un)?rar)(?:\s[^\n]{0,120}?)?\s-p[\"']?([^\s\"'$\\]{6,})"
    r"|\bsqlplus\s+[\w.$-]{1,64}/([^\s\"'@$\\]{6,})|https?://[\w.:-]+/hooks/([a-z0-9]{26})\b"
    r"|\b(?:un)?zip(?:\s[^\n]{0,120}?)?\s-P\s?[\"']?([^\s\"'$\\]{6,})"
    r"|\bhttps?\s[^\n]{0,120}?(?:-a|--auth)[ =][\w.@-]{1,64}:([^\s\"'$\\]{6,})"
    r"|\bfs\.s3a\.secret\.key\s+([^\s\"'$\\]{16,})"
)
"""Passwords as commands and their files take them: curl, mysql, sshpass, .pgpass, cookies."""
TOOLS = (
    r"\b(?:mongo\w{0,8}|redis-cli|plink|pscp|psftp|[xw]freerdp3?|keytool|jarsigner|cqlsh|influx|"
    r"rdesktop|psexec\w{0,2}|mosquitto_\w{1,5}|openssl\s+enc|twine\s+upload|"
    r"(?:podman|oc|az|helm(?:\s+registry)?|skopeo|crane|buildah)\s+login)\b[^\n]{0,160}?"
    r"\s(?:-(?:pw?|[Pak]|(?:store|key|src|dest)\w{0,5}pass)[ =]|/p:)[\"']?([^\s\"'$\\]{6,})"
    r"|\blftp\b[^\n]{0,80}?\s-u\s?[\"']?[\w.@-]{1,64},([^\s\"'$\\]{6,})"
    r"|\bhtpasswd\s+-\w{0,6}b\w{0,6}\s+\S{1,80}\s+\S{1,64}\s+[\"']?([^\s\"'$\\]{6,})"
    r"|\bsmbclient\s+\S{1,80}\s+[\"']?([^\s\"'$\\-][^\s\"'$\\]{5,})"
    r"|\b(?:echo|printf)\s+[\"']?[\w.-]{1,32}:([^\s\"'$\\|]{6,64})[\"']?\s{0,3}\|\s{0,3}(?:sudo\s+)?chpasswd"
)
"""Passwords of commands that take them behind a letter, or by their place alone."""
_SERVICES = (
    r"\b(?i:openai|anthropic|claude|mistral|cohere|groq|gemini|azure|aws|ovh|scaleway|hugging_?face|"
    r"together|replicate|wandb|comet|neptune|label[_-]?studio|prodigy|git(?:hub|lab)|slack|stripe|"
    r"sendgrid|mailgun|twilio|algolia|pinecone|qdrant|weaviate|elastic|minio|s3|database|db|"
    r"postgres|mysql|mongo|redis|smtp|ldap|vault|sentry|zenodo|kaggle|vllm|llm|provider|auth|"
    r"credentials|account|compte|identifiants)"
)
SECTIONS = (
    rf"{_SERVICES}[\w.-]{{0,16}}[\"']?\s?[\]:=]\s?\{{?(?:[^\n]{{0,80}}\n){{0,5}}?[^\n]{{0,80}}?"
    r"[\s\"'{,](?i:key|token|secret|cl(?:e|\xc3\xa9))[\"']?\s?[:=]\s{0,3}[\"']?([A-Za-z0-9+/=_.~-]{16,})"
)
"""A key that a section of settings is about: ``openai:``, ``[openai]``, and ``key:`` below."""
SECTION_PASSWORDS = (
    rf"{_SERVICES}[\w.-]{{0,16}}[\"']?\s?[\]:=]\s?\{{?(?:[^\n]{{0,80}}\n){{0,5}}?[^\n]{{0,80}}?"
    rf"[\s\"'{{,](?i:pass|pw)[\"']?\s?[:=]\s{{0,3}}[\"']?({_VALUE})"
)
"""A password of such a section, under a name too short to stand alone."""
HEADER = r"(?i:\b(?:bearer|basic|token|ssws|apikey)\s)([A-Za-z0-9+/=._~-]{20,})"
"""A header, or what reads like one."""
CALLS = (
    r"(?:\b(?:(?:basic|http|digest)_)?auth\s?=\s?|(?:Basic|Digest|Ntlm)Auth|\.login|"
    r"set_basic_auth)\(\s{0,3}[bfru]?[\"'][^\"'\n]{1,64}[\"'],\s{0,3}"
    r"[bfru]?[\"']([^\s\"'$\\]{6,})[\"']"
)
"""A password that a function is given after a name."""
CLIENTS = (
    r"\bFernet\(\s{0,3}b?[\"']([\w-]{43}=)|(?i:cohere|mistral|openai|anthropic|groq|replicate|together)\w{0,12}(?:\.\w{1,16})?"
    r"\(\s{0,3}[\"']([A-Za-z0-9_-]{20,})[\"']"
)
"""A key that a service's client is called with, and that no word announces."""
LOGINS = (
    r"\"auth\"\s*:\s*\"([A-Za-z0-9+/=]{12,})"
    r"|\"RegisteredUsers\"\s*:\s*\{\s*\"[^\"\n]{1,64}\"\s*:\s*\"([^\"\s]{6,})\""
    r"|\"username\"\s*:\s*\"[^\"]{1,64}\"\s*,\s*\"key\"\s*:\s*\"([a-f0-9]{32})"
)
"""Logins of Docker's and Kaggle's files."""
MAIL = (
    r"(?i:(?:smtp|gmail|mail)_?(?:password|pass|pwd))"
    rf"{_QUOTES}\]?{_GAP}[:=]{_GAP}{_QUOTES}([a-z]{{16}}|(?:[a-z]{{4}} ){{3}}[a-z]{{4}})\b"
)
"""A password of an application that sends mail: sixteen letters."""

NEAR = "|".join(
    [
        _named(*_KEYED),
        _option(_KEYED[0]),
        _named(_OTHER_NAMES, ""),
        _option(_OTHER_NAMES),
        _SAID,
        r"curl\b[^\n]{0,200}\s(?:-u|--user)",
        r"mysql(?:dump|admin)?\s[^\n]{0,80}-p|sshpass\s",
        r"(?i:cookie):\s?\w{1,40}=",
        r"[A-Za-z][\w.-]{0,64}:(?:\d{2,5}|\*):[\w*-]{1,64}:[\w*-]{1,64}:",
        r"https?://[\w-]{20,}@|(?i:(?:bearer|basic|token|ssws|apikey)\s[A-Za-z0-9+/=._~-]{20,})|\"auth\"\s*:",
        r"docker\s+login\b|aws\s+configure\s+set\b|bindpw\s|net\s+use\b|sudo\s+-S",
        r"(?i:cohere|mistral|openai|anthropic|groq|replicate|together)[\w.]{0,30}\(\s{0,3}[\"']",
        r"\"username\"|(?i:(?:smtp|gmail|mail)_?(?:pass|pwd))",
        # What the kept scanner looks for, and ours does not.
        r"(?i:(?:cloudant|clou|cl|softlayer|sl)[_-]?(?:api)?[_-]?(?:key|pwd|pw|pass|token))",
        r"(?i:secret[-_]?(?:access)?[-_]?key)|\d{8,10}:[0-9A-Za-z_-]{35}|(?:AC|SK)[a-z0-9]{32}",
        r"[0-9a-z]{32}-us[0-9]|(?i:api.{1,3}softlayer.{1,3}com|xox[a-z]-\d|hooks\.slack\.com/services)",
        r"A3T[A-Z0-9]{17}|gh[pousr]_\w{36}|sq0csp-",
        r"(?i:aws.{0,20}(?:key|pwd|pw|pass|token).{0,20}[\"'][0-9a-z/+]{40})",
    ]
)
"""The words and signs near what is told by them, without its value, for RE2."""
NEXT = "|".join(
    [
        _field(*_KEYED),
        _field(_OTHER_NAMES, ""),
        rf"{_PAIR}{_GAP}[:=]",
        rf"(?:{_BEFORE}|{_SHORT})[^\s0-9]*[0-9]",
        r"(?i:identified\s(?:with\s\S+\s)?by\s|password\s?[\"'])|requirepass\s|masterauth\s",
        r"(?:-a|--auth)[ =][\w.@-]+:|s3a\.secret\.key\s|\"RegisteredUsers\"",
        r"(?i:identifiants?)[^\n]*:",
        r"(?:^|[\s,{;:\"'])(?i:passe?)[\"']?[ \t]*[:=]",
        r"\s-U\s?[\"']?[\w.@\\-]+%|ldap\w+[^\n]*\s-w|\s-pass\w*\s+pass:|sqlplus\s|/hooks/",
        r"(?:7z[ar]?|rar)[^\n]*\s-p|zip[^\n]*\s-P",
        r"(?:mongo|redis-cli|plink|pscp|psftp|freerdp|keytool|jarsigner|cqlsh|influx\s+-|rdesktop|psexec)",
        r"mosquitto_|openssl\s+enc|twine\s|\slogin\s|lftp\s|htpasswd\s|smbclient\s|chpasswd",
        r"[\s\"'{,](?i:key|token|secret|cl(?:e|\xc3\xa9)|pass|pw)[\"']?\s?[:=]\s{0,3}[^\s0-9]*[0-9]",
        r"(?:auth\s?=\s?|Auth|\.login|basic_auth)\(\s*[bfru]?[\"']|Fernet\(",
        tables.HEAD,
    ]
)
"""More of them: names whose values stand in the next field, word or cell, and commands."""


def loosened(pattern: str) -> str:
    """Count no further than to six: a pattern that finds the same and more, in small automata.

    Example:
        >>> loosened("hf_[a-z]{34}|.{0,30}|[0-9]{2}")
        'hf_[a-z]{6,}|.*|[0-9]{2}'
    """

    def looser(match: re.Match[str]) -> str:
        least, most = int(match[1]), match[3]
        if int(most or least) <= _COUNTED:
            return match[0]
        return f"{{{min(least, _COUNTED)},}}" if least else "*"

    return re.sub(r"(?<!\\)\{(\d+)(,(\d*))?\}", looser, pattern)


_COUNTED = 6


def table(lines: str) -> list[tuple[str, str]]:
    """Return kind and pattern of each line.

    Example:
        >>> table("a key: key-[0-9]+")
        [('a key', 'key-[0-9]+')]
    """
    return [
        (kind, pattern)
        for kind, pattern in (line.split(": ", 1) for line in lines.strip().splitlines())
    ]

"""Secrets: told by form or keyword, never quoted, allowed by fingerprint; nobody's text leaves."""

import json
import random
import re
import shutil
import string

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from doctobert_hf.cli import main
from doctobert_hf.hub.stage.secrets import SUSPICIOUS, find_secrets
from doctobert_hf.hub.stage.statistics import Statistics

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
# "{A34}": 34 letters and digits, drawn at run time: no credential is written here.
KINDS = """
hf_{A34}|api_org_{A34}|sk-{A48}|sk-proj-{A80}|sk-ant-api03-{A90}|MISTRAL_API_KEY={A32}|gsk_{A52}
COHERE_API_KEY="{A40}"|r8_{A37}|AKIA{U16}|aws_secret_access_key = {A40}|aws_session_token={A200}
AIza{A35}|GOCSPX-{A28}|ya29.{A60}|AccountKey={A86}==|c?sv=2021&sig={A43}%3D|{A3}8Q~{A34}|ghp_{A36}
github_pat_{A22}_{A59}|glpat-{A20}|glrt-{A20}|ATBB{A32}|ATATT3{A180}|xoxb-{A12}-{A12}-{A24}
https://hooks.slack.com/services/T{U8}/B{U8}/{A24}|https://discord.com/api/webhooks/12345678/{A68}
https://acme.webhook.office.com/webhookb2/{A36}@{A36}/IncomingWebhook/{A32}/{A36}|M{A23}.{A6}.{A27}
123456789:AA{A33}|sk_live_{A24}|SK{H32}|TWILIO_AUTH_TOKEN={H32}|SG.{A22}.{A43}|key-{H32}|npm_{A36}
pypi-AgEIcHlwaS5vcmc{A70}|dckr_pat_{A27}|dapi{H32}|hvs.{A24}|{A14}.atlasv1.{A67}|dop_v1_{H64}
eyJ{A20}.eyJ{A40}.{A43}|Authorization: Bearer {A40}|Authorization: Basic {A32}==
AGE-SECRET-KEY-1{U58}|-----BEGIN RSA PRIVATE KEY-----|-----BEGIN OPENSSH PRIVATE KEY-----
PuTTY-User-Key-File-3: ssh
-----BEGIN PGP PRIVATE KEY BLOCK-----|https://bob:{A12}@git.example.org/x|redis://:{A14}@cache:6379
postgresql://app:{A10}@db.internal:5432/x|machine api.x.ai login me password {A20}|_authToken={A36}
"auth": "{A40}="|password: {A6}7{A6}|mot de passe : {A6}7{A6}|WANDB_API_KEY={H40}|Pwd={A6}7{A6};
NEPTUNE_API_TOKEN="eyJhcGlfYWRkcmVzcyI6{A60}"|LABEL_STUDIO_API_KEY={H40}|{{"api_key": "{A32}"}}
"""
HARMLESS = """
https://x.org/risk-factors-of-cardiovascular-disease-in-women-2023-review-of-the-literature
task-force-on-the-management-of-hypertension-12 Novo-Nordisk-announces-results-of-phase-3-trial-2021
password: your_password_here
api_key = os.environ["API_KEY"]
token = tokenizer.convert_tokens_to_ids(x1)
Le mot de passe: hospitalisation
password=${DB_PASSWORD}
pad_token: "[PAD]" eos_token: "</s>"
authorization: required for marketing
sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
https://user:password@example.com
access_token: str | None = None
https://news.example.org/sk-telecom-launches-5g-network-in-2019-for-health-care-providers
export HF_TOKEN=hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
AKIAIOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
https://user:pass@host/path
Oubli du mot de passe : troubles cognitifs. Le mot de passe est confidentiel. Mot de passe : ******
"key": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
| password | 49.2 | 12.1 |
token key-value-pairs-2023 and basic principles-of-clinical-research-2023-overview
password_policy: strict2024, secret_level: Public2024
private_key: /etc/ssl/private/Server-2024/nginx-selfsigned-2024.key
private_key: /srv/Projets/annotations2024/cle20240101/private
"""


KEPT_SCANNER = """
cloudant_password = "{H64}"|softlayer_token: {H64}|sq0csp-{A43}|cos_hmac_secret_key = {H48}
{H31}9-us12|123456789:{A35}|AC{H32}|SK{H32}|https://api.softlayer.com/soap/v3/{H64}|xoxb-1234-{H24}
"""
"""What the kept scanner knows."""


def drawn(form, seed):
    rng = random.Random(seed)
    pools = {"A": LETTERS, "H": HEX, "U": UPPER}
    made = re.sub(
        r"\{([AHU])(\d+)\}",
        lambda m: "".join(rng.choice(pools[m[1]]) for _ in range(int(m[2]))),
        form,
    )
    return made.replace("{{", "{").replace("}}", "}")


# "{P}" has signs and digits; what people write around it, in prose and in settings.
SAID = """
utilisez le mot de passe « {P} »
mdp du compte infirmier = {P}
et le mot de passe Garde${P}.
Le code Wi-Fi du service est {P}
mot de passe “{P}”
Le mdp c'est {P}
Identifiants de connexion : dim01 / {P}
phrase secrète : {P}
passe : {P}
PASS={P}
"pass": "{P}"
Clé secrète AWS « {K} »
zotero_key = '{K}'
"RegisteredUsers": {{"radiologue": "{P}"}}
spark.hadoop.fs.s3a.secret.key {K}
fs.azure.account.key.X.dfs.core.windows.net={K}{K}==
http --auth dim:{P} https://x.example
password={P}$SUFFIX
"""
SAID_HARMLESS = """
TNM passe : T2N1M0-T3N2M1
Identifiants : A12 / PAT2021-0045
password = prefix$SUFFIX1
MOT_DE_PASSE=abc$VAR12
Le mot de passe est obligatoire-depuis-2019
Patient AC12345678901234567890123456789012
Il passe : 12 ans plus tard
passe: vaccin-2021-dose
first pass: 0.9345678 accuracy
"pass": "passed-in-2023"
phrase secrète du roman
identifiants : IPP 12345678 / 87654321
"""


@pytest.mark.parametrize("form", SAID.strip().splitlines())
def test_what_people_write(form):
    for seed in range(3):
        rng = random.Random(seed)
        word = "".join(rng.choice(LETTERS) for _ in range(9)) + f"!{rng.randint(10, 99)}"
        key = "".join(rng.choice(LETTERS) for _ in range(40))
        text = form.replace("{P}", word).replace("{K}", key).replace("{{", "{")
        assert find_secrets(f"ici\n{text}\nfin".encode()), text
        columns = f"ici\n{text}\nfin".encode().decode("latin-1")
        assert any(re.search(one, columns) for one in SUSPICIOUS), text


@pytest.mark.parametrize("text", SAID_HARMLESS.strip().splitlines())
def test_what_people_write_and_is_none(text):
    assert find_secrets(text.encode()) == []


FORMS = [f for line in (KINDS + KEPT_SCANNER).strip().splitlines() for f in line.split("|") if f]


@pytest.mark.parametrize("form", FORMS)
def test_kinds(form):
    for seed in range(5):
        secret = drawn(form, seed)
        found = find_secrets(f"voici {secret} fin".encode())
        assert found and all(secret not in s.masked for s in found)
        assert found == find_secrets(f"ailleurs {secret}".encode())  # the same fingerprint
        assert any(re.search(one, f"voici {secret} fin") for one in SUSPICIOUS)  # in columns


@pytest.mark.parametrize("text", HARMLESS.strip().splitlines())
def test_harmless(text):
    assert find_secrets(text.encode()) == []


def test_every_type_of_column():
    secret = drawn("ghp_{A36}", 1)
    for column in (
        pa.array(["x", secret]),
        pa.array(["x", secret], pa.large_string()),
        pa.array(["x", secret], pa.string_view()),
        pa.array([b"x", secret.encode()]),
        pa.array([["x"], ["y", secret]]),
        pa.array([["x"], ["y", secret]], pa.list_view(pa.string())),
        pa.array([["x"], ["y", secret]], pa.large_list_view(pa.string())),
        pa.RunEndEncodedArray.from_arrays([1, 2], pa.array(["x", secret])),
        pa.array([{"a": {"b": "x"}}, {"a": {"b": secret}}]),
        pa.array([[{"t": "x"}], [{"t": secret}]]),
        pa.array(["x", secret]).dictionary_encode(),
        pa.array([[("k", "x")], [("k", secret)]], pa.map_(pa.string(), pa.string())),
    ):
        counted = Statistics()
        counted.add(pa.table({"c": column}))
        (told,) = counted.secrets.values()
        assert (told["column"], told["rows"], told["first"]) == ("c", 1, 1), column.type


def test_json_columns_are_searched():
    """The storage of an extension's type: Datasets has a feature for JSON."""
    if not hasattr(pa, "json_"):
        pytest.skip("this pyarrow has no JSON")
    storage = pa.array(["{}", json.dumps({"a": drawn("ghp_{A36}", 1)})])
    counted = Statistics()
    counted.add(pa.table({"c": pa.ExtensionArray.from_storage(pa.json_(), storage)}))
    (told,) = counted.secrets.values()
    assert told["first"] == 1


def test_a_column_named_password_holds_some():
    """The word before a value is the column's name, or that of a field."""
    words = [drawn("{A6}7{A6}", seed) for seed in range(2)]
    for column, name in (
        (pa.array(["oublié", *words]), "db_password"),
        (pa.array([{"user": "a", "api_key": word} for word in ["", *words]]), "login"),
        (pa.array([["x"], *([word] for word in words)]), "mdp"),
    ):
        counted = Statistics()
        counted.add(pa.table({name: column}))
        assert [told["first"] for told in counted.secrets.values()] == [1, 2], name
    counted = Statistics()
    counted.add(pa.table({"password": [1234567890123], "num_tokens": [7]}))
    assert not counted.secrets


def test_a_row_of_several_and_one_of_none():
    """Two words in two rows, both in the first: the place of a word is not that of its row."""
    secret = drawn("ghp_{A36}", 1)
    counted = Statistics()
    counted.add(pa.table({"c": pa.array([["x", secret], []])}))
    (told,) = counted.secrets.values()
    assert (told["rows"], told["first"]) == (1, 0)
    chunked = pa.chunked_array([pa.array(["x", "y"]), pa.array(["z", secret])])
    counted = Statistics()
    counted.add(pa.table({"c": chunked}))
    (told,) = counted.secrets.values()
    assert (told["rows"], told["first"]) == (1, 3)


def test_more_than_are_told_apart_cannot_be_allowed(monkeypatch):
    from doctobert_hf.hub.stage import statistics

    monkeypatch.setattr(statistics, "_MOST", 2)
    counted = Statistics()
    counted.add(pa.table({"c": [drawn("ghp_{A36}", seed) for seed in range(5)]}))
    assert len(counted.secrets) == 3 and counted.secrets["more"]["rows"] == 3
    assert counted.secrets["more"]["fingerprint"] == ""


def test_every_finding_is_shown(tmp_path, capsys):
    texts = [f"jeton ghp_{drawn('{A36}', seed)} ici" for seed in range(9)]
    for number, text in enumerate(texts):
        rows = pa.table({"text": [text], f"c{number}": ["x"]})
        pq.write_table(rows, tmp_path / f"n{number}.parquet")
    config = [str(tmp_path / "n0.parquet"), "me/x", "--license", "mit", "--dry-run"]
    pq.write_table(
        pa.table({f"text{n}": [text] for n, text in enumerate(texts)}), tmp_path / "n0.parquet"
    )
    push = ["hub", "push-dataset", *config, "--output", str(tmp_path / "out")]
    assert main([*push, "--json"]) == 1
    said = capsys.readouterr()
    found = json.loads(said.out)["findings"]
    assert len({one["fingerprint"] for one in found}) == 9
    assert all(one["fingerprint"] in said.err for one in found)
    (tmp_path / "known.txt").write_text("\n".join(one["fingerprint"] for one in found))
    assert main([*push, "--allow", str(tmp_path / "known.txt")]) == 0


def test_allowed_by_fingerprint(tmp_path, capsys):
    text = f"mon jeton ghp_{'aB3' * 12} ici"
    pq.write_table(pa.table({"text": ["ok", text]}), tmp_path / "rows.parquet")
    push = ["hub", "push-dataset", str(tmp_path / "rows.parquet"), "me/x", "--license", "mit"]
    push += ["--dry-run", "--output", str(tmp_path / "out")]
    assert main(push) == 1
    told = capsys.readouterr().err
    assert "column 'text'" in told and "row 1" in told and "aB3aB3" not in told
    fingerprint = told.split("--allow ")[1].split()[0]
    assert main([*push, "--allow", fingerprint]) == 0
    assert "Allowed: default/train: holds a GitHub token" in capsys.readouterr().err
    (tmp_path / "known.txt").write_text(f"{fingerprint}  a made-up one\n")
    again = [*push[:-1], str(tmp_path / "again"), "--allow", str(tmp_path / "known.txt")]
    assert main(again) == 0
    assert main([*push, "--allow", "nonsense"]) == 2
    assert "fingerprint of 12 digits" in capsys.readouterr().err


PATIENT = "Jeanne Dupont-Martin, 2 85 05 78 006 084 36"


@pytest.mark.long
def test_no_training_text_of_other_libraries_leaves(tmp_path, model_dir, capsys):
    folder = tmp_path / "retriever"
    shutil.copytree(model_dir, folder)
    (folder / "README.md").write_text(
        "---\ntags:\n- mine\nwidget:\n- source_sentence: " + f"'{PATIENT}'\n  sentences:\n"
        f"  - '{PATIENT}'\n---\n\n# Model\n\n### Training samples\n\n| {PATIENT} |\n"
    )
    out = tmp_path / "out"
    push = ["hub", "push-model", str(folder), "me/x", "--license", "mit", "--dry-run"]
    assert main([*push, "--output", str(out)]) == 0
    assert "'widget' of the earlier card is left out" in capsys.readouterr().err
    for path in out.rglob("*"):
        assert not path.is_file() or PATIENT.encode() not in path.read_bytes(), path
    assert "mine" in (out / "README.md").read_text()
    (tmp_path / "examples.txt").write_text("Le patient a de la fièvre.\n")
    shown = [*push, "--output", str(tmp_path / "shown"), "--examples"]
    assert main([*shown, str(tmp_path / "examples.txt")]) == 0
    assert "Le patient a de la fièvre." in (tmp_path / "shown/README.md").read_text()
    assert main([*push, "--output", str(tmp_path / "no"), "--examples", "nowhere.txt"]) == 2

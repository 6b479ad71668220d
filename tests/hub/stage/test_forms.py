"""Forms of secrets, each where it stands: settings, notebooks, commands, French sentences.

Every secret is drawn at run time: no credential is written here.
"""

import json
import random
import re
import string

import pyarrow as pa
import pytest

from doctobert_hf.hub.stage import forms
from doctobert_hf.hub.stage.secrets import find_secrets
from doctobert_hf.hub.stage.statistics import Statistics

POOLS = {
    "A": string.ascii_letters + string.digits,
    "H": "0123456789abcdef",
    "U": string.ascii_uppercase + string.digits,
    "L": string.ascii_lowercase,
}
BY_FORM = """
fw_{A24}|csk-{A48}|pcsk_{A6}_{A63}|llx-{A48}|tvly-dev-{A32}|jina_{A60}|pa-{A43}|ABSK{A128}
sk-lf-{H8}-{H4}-{H4}-{H4}-{H12}|{A3}5Q~{A34}|{A76}AZDO{A4}|{A52}JQQJ99{A20}|{A76}+AStAB12Cd==
?sv=1.0&sig=ab-{A30}_{A9}|https://api.telegram.org/bot123456789:AA{A33}/sendMessage
{H32}-{H8}-{H8}|xkeysib-{H64}-{A16}|dose{H32}|s.{A24}|wandb_v1_{A77}|wandb login {H40}
wandb.login(key="{H40}")|SCW{U17}|LTAI5t{A18}|tskey-auth-{A17}-{A32}|KGAT_{H32}|sk.eyJ{A80}.{A22}
v1.0-{H24}-{H146}|HRKU-AA{A58}|EAAA{A60}|AKCp{A69}|AGE-SECRET-KEY-PQ-1{U58}
comment: minisign encrypted secret key|key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURS{A40}
jean:$2y$10${A53}|jean:$apr1${A8}${A22}|root:$6${A16}${A86}:19000:
default login x password {A9}
http://localhost:8888/lab?token={H48}|https://{A40}@github.com/x/y|jdbc:oracle:thin:scott/{A8}@//h
curl -u jean:{A12} https://x.org|curl -s --user 'jean:{A12}' https://x.org
mysql -u root -p{A10} notes
sshpass -p '{A10}' ssh jean@x|db.chu.fr:5432:notes:jean:{A9}7x|Cookie: sessionid={A32}
{{"username": "jean", "key": "{H32}"}}|{{"identitytoken": "{A60}"}}|PRIVATE-TOKEN: {A20}
ZENODO_TOKEN={A60}|KAGGLE_KEY={H32}|AZURE_STORAGE_KEY={A86}==|CIRCLE_TOKEN={H40}
PRODIGY_KEY={U4}-{U4}-{U4}-{U4}|storage_key: "{A40}"|token: {A40}|Unseal Key 1: {A44}
aws_secret_access_key = /{A19}7{A9}52{A7}8|SMTP_PASSWORD={L16}|GMAIL_PASSWORD="{L4} {L4} {L4} {L4}"
"""
SENTENCES = """
Le mot de passe est {A5}4{A4}.|Mot de passe\u00a0: {A5}4{A4}|mot de passe : « {A5}4{A4} »
**Mot de passe :** {A5}4{A4}|le mot de passe suivant : `{A5}4{A4}`|phrase de passe : {A5}4{A4}
Mot de passe d’accès au serveur\u202f: {A5}4{A4}|the password is {A5}4{A4}
"""
PLACES = {
    "environment": 'os.environ["API_KEY"] = "{}"',
    "default": 'os.environ.setdefault("API_KEY", "{}")',
    "notebook": json.dumps({"source": ['os.environ["API_KEY"] = "{}"\n']}),
    "json in json": json.dumps({"text": json.dumps({"api_key": "{}"})}),
    "escaped line": json.dumps({"text": "Bonjour\nAPI_KEY={}\nfin"}),
    "escaped space": json.dumps({"text": "mot de passe\u00a0: {}"}),
    "html": "mot de passe&nbsp;: {}",
    "option": "srun python train.py --hub-api-key {}",
    "dockerfile": "ENV API_KEY {}",
    "table": "| `API_KEY` | `{}` |",
    "xml": "<api_key>{}</api_key>",
    "attribute": '<add key="ApiKey" value="{}"/>'.replace("ApiKey", "api_key"),
}
AROUND = {
    "escaped line": json.dumps({"text": "Voici :\n{}\nfin"}),
    "coloured": json.dumps({"text": "\x1b[32m{}\x1b[0m"}),
    "raw colours": "\x1b[1;31m{}\x1b[0m",
    "address": "https://x.org/?next=%3Ftoken%3D{}",
}


def drawn(form, seed):
    rng = random.Random(seed)
    made = re.sub(
        r"\{([AHUL])(\d+)\}",
        lambda m: "".join(rng.choice(POOLS[m[1]]) for _ in range(int(m[2]))),
        form,
    )
    return made.replace("{{", "{").replace("}}", "}")


def in_column(text):
    counted = Statistics()
    counted.add(pa.table({"text": ["Bonjour.", text]}))
    return [told["first"] for told in counted.secrets.values()]


FORMS = [f for line in (BY_FORM + SENTENCES).strip().splitlines() for f in line.split("|") if f]


@pytest.mark.parametrize("form", FORMS)
def test_found_in_a_text_and_in_a_column(form):
    for seed in range(3):
        text = f"voici\n{drawn(form, seed)} fin"
        assert find_secrets(text.encode()), text
        assert in_column(text) and set(in_column(text)) == {1}, text


@pytest.mark.parametrize("place", PLACES)
def test_found_behind_its_word_wherever_that_stands(place):
    for seed in range(3):
        secret = drawn("{A12}7{A12}", seed)
        text = PLACES[place].replace("{}", secret)
        assert find_secrets(text.encode()), text
        assert in_column(text), text


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("form", ["hf_{A34}", "ghp_{A36}", "sk-proj-{A80}"])
def test_found_behind_escapes(form, around):
    secret = drawn(form, 1)
    text = AROUND[around].replace("{}", secret)
    (found,) = find_secrets(text.encode())
    assert found == find_secrets(secret.encode())[0]  # the same fingerprint as by itself
    assert in_column(text) == [1]


def test_what_is_looked_for_in_columns_finds_all_that_a_form_finds():
    for lines in (forms.PLAIN, forms.NO_SLUGS, forms.MIXED, forms.ADDRESSES):
        for _, pattern in forms.table(lines):
            assert forms.loosened(forms.loosened(pattern)) == forms.loosened(pattern)
            assert not re.search(r"(?<!\\)\{\d*[1-9]\d", forms.loosened(pattern))


def test_ordinary_columns_are_not_read_row_by_row():
    """Words of every second text must send no column to the slow search."""
    from doctobert_hf.hub.stage.secrets import SUSPICIOUS

    texts = [
        "Les lésions sont incluses dans la classe II. Le secret médical est respecté.",
        "Patient inclus au sl : traitement par clopidogrel 75 mg ; bilan : normal.",
        "Autorisation : accordée. La clé du traitement, le jeton, est la patience.",
    ]
    assert not [text for text in texts if any(re.search(one, text) for one in SUSPICIOUS)]

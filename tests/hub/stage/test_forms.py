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
from doctobert_hf.hub.stage.escapes import undone, undone_column
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
aws_secret_access_key = /{A19}7{A9}52{A7}8|tgp_v1_{A43}|ls__{H32}|sk_{H48}
mfa.{A84}|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----|argon2:$argon2id$v=19$m=9,t=1,p=8${A22}${A22}
olcRootPW: {{SSHA}}{A32}|{H36}NRAL|eyJrIjoi{A70}==|sqp_{H40}|cmVmdGtuOjAxOj{A50}|nfp_{A36}
sb_secret_{A31}|APP_KEY=base64:{A43}=|!wandb login --relogin {H40}|secret_{A43}|EAA{A150}
https://outlook.office.com/webhook/{H36}@{H36}/IncomingWebhook/{H32}/{H36}|consumer_key={A32}
docker login -u jean -p {A8}7{A4} x.org|aws configure set aws_secret_access_key {A40}
bindpw {A6}7{A6}|net use Z: //srv/x /user:jean {A10}
cohere.Client('{A40}')|Mistral("{A32}")|SMTP_PASSWORD={L16}|GMAIL_PASSWORD="{L4} {L4} {L4} {L4}"
"""
AS_OTHERS_WRITE = r"""
sess-{A40}||AQ.Ab8RN6{A43}||rpa_{U42}||GOOG1E{U57}||glwt-{A20}||BBDC-{A44}||oy2{L43}
rnd_{A14}52{A16}
https://discord.com/api/v10/webhooks/123456789/{A68}||{{"kty": "RSA", "d": "{A120}"}}
$ANSIBLE_VAULT;1.1;AES256||sl.u.{A140}||pat-eu1-{H8}-{H4}-{H4}-{H4}-{H12}||ops_eyJ{A200}
FlyV1 fm2_{A200}||access_token$production${A16}${H32}||dt0c01.{U24}.{U64}
AAAAAAAAAAAAAAAAAAAAA{A50}%3D{A50}
Authorization: SSWS 00{A40}||Fernet(b"{A43}=")
https://conda.anaconda.org/t/ab-{H8}-{H4}-{H4}-{H4}-{H12}/x
https://mattermost.chu.fr/hooks/{L12}5{L12}2||app.secret_key = b'{A30}52'||setx API_KEY "{A30}52"
set -x API_KEY {A30}52||gpg -passphrase {A5}4{A6}||X-Dataverse-key: {H8}-{H4}-{H4}-{H4}-{H12}
CODECOV_TOKEN={H8}-{H4}-{H4}-{H4}-{H12}||CREATE USER app IDENTIFIED BY '{A5}4{A6}'
ALTER ROLE app WITH PASSWORD '{A5}4{A6}'||requirepass {A5}4{A12}
smbclient //srv/x -U jean%{A5}4{A6}
ldapsearch -D cn=admin -w {A5}4{A6} -b dc=chu||openssl rsa -passin pass:{A5}4{A6}
7z x -p{A5}4{A6} x.7z
zip -P {A5}4{A6} x.zip||sqlplus scott/{A5}4{A6}@db||requests.get(url, auth=("jean", "{A5}4{A6}"))
HTTPBasicAuth('jean', '{A5}4{A6}')||smtp.login("jean@chu.fr", "{A5}4{A6}")
ansible_ssh_pass={A5}4{A6}
wpa_psk={A5}4{A6}||Clé WiFi : {A5}4{A6}||Identifiant / mot de passe : jdupont / {A5}4{A6}
jeton d'accès : {A40}||La clé d'API est {A30}52.||Mot de passe provisoire :\n{A5}4{A6}
- name: DB_PASSWORD\n  value: "{A5}4{A6}"||variable "db_password" {{ default = "{A5}4{A6}" }}
{{"name": "API_KEY", "value": "{A30}52"}}||mdp aB3{A4}7cD!{A4}
use the password aB3dE{A4}!7 to log in
pw = "aB3dE{A4}!7"||login;mot de passe\njean;{A5}4{A6}\n
url,user,password\nhttps://x,jean,"{A5}4{A6}"\n
openai:\n  key: {A38}52||mistral:\n  model: large\n  key: {A38}52||[openai]\nkey = {A38}52
[azure]\nregion = westeurope\nkey = "{A38}52"||{{"openai": {{"key": "{A38}52"}}}}
{{"llm": {{"model": "x", "temperature": 0, "key": "{A38}52"}}}}||wandb:\n  key: {H36}a1b2
llm:\n  provider: openai\n  key: {A38}52||provider: openai\nkey: {A38}52
database:\n  user: chu\n  pass: {A5}4{A6}||smtp:\n  host: x.org\n  pass: "{A5}4{A6}"
mongosh --host db -u admin -p {A5}4{A6}||redis-cli -h cache -a {A5}4{A6} ping
lftp -u chu,{A5}4{A6} sftp://x||plink -ssh -pw {A5}4{A6} root@x||xfreerdp /v:x /u:adm /p:{A5}4{A6}
keytool -list -storepass {A5}4{A6}||htpasswd -b .htpasswd admin {A5}4{A6}
mosquitto_pub -u sensor -P {A5}4{A6} -t x||echo 'root:{A5}4{A6}' | chpasswd
smbclient //srv/part {A5}4{A6}||podman login -u me -p {A5}4{A6} quay.io
oc login -u dev -p {A5}4{A6}
az login --service-principal -u x -p {A5}4{A6}||cqlsh x -u cassandra -p {A5}4{A6}
twine upload -u me -p {A5}4{A6} dist/x||helm registry login -u me -p {A5}4{A6} x.org
openssl enc -aes-256-cbc -k {A5}4{A6} -in x||rdesktop -u adm -p {A5}4{A6} x
| login | Mot de passe |\n|---|---|\n| x | oublié |\n| jean | `{A5}4{A6}` |
"""
SENTENCES = """
Le mot de passe est {A5}4{A4}.|Mot de passe\u00a0: {A5}4{A4}|mot de passe : « {A5}4{A4} »
**Mot de passe :** {A5}4{A4}|le mot de passe suivant : `{A5}4{A4}`|phrase de passe : {A5}4{A4}
mots de passe : {A5}4{A4}|mot-de-passe: {A5}4{A4}|Mot de passe -> {A5}4{A4}|mdp → {A5}4{A4}
code d'accès : {A5}4{A4}|clé API : {A32}|cle_api: {A32}
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
OTHERS = [
    f.replace("\\n", "\n")
    for line in AS_OTHERS_WRITE.strip().splitlines()
    for f in (line.split("||") if not line.startswith("| ") else [line])
]


@pytest.mark.parametrize("form", [*FORMS, *OTHERS])
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
        "La clé : traitement précoce. Influx nerveux normal, base de données : complète.",
    ]
    assert not [text for text in texts if any(re.search(one, text) for one in SUSPICIOUS)]


def test_case_that_changes_often_is_drawn_as_digits_are():
    """One key in ten has no two digits: its letters change their case as no words do."""
    letters = "aBcDEfgHiJkLMnoPqRsTuVwXyZ"
    for text in (
        f"fw_{letters[:24]}",
        f"VAULT_TOKEN=s.{letters[:24]}",
        f"sess-{letters}{letters[:14]}",
    ):
        assert find_secrets(text.encode()), text
    for text in (
        "MODEL_KEY=PatientHospitalisationKeyName",
        "glrt-based-detection-of-signals-in-noise",
    ):
        assert not find_secrets(text.encode()), text


@pytest.mark.parametrize(
    "text",
    [
        "mdp Windows10Pro",
        "database:\n  name: notes\n  key: patient_identifier_2024\n",
        "azure:\n  region: westeurope\n  key: " + "9f86d081884c7d65" * 4,
        "redis-cli -a monitoring\naz login -p reanimation",
        "use the password manager KeePass2 of the hospital",
        "Mot de passe :\n- oublié en 2023",
        "authors = ('Jean', 'Dupont2023')",
        "basic fibroblast-growth-factor-inhibitor-NCT01234567",
        "pw = 7.5mg/m2aB, password 7.5mg/kgB",
        "login,password\njean,oubliée\npaul,expirée\n",
        "token,score\nhypertension2023,0.5",
        "7z x notes-part2.7z -pattern, zip -r notes2023.zip notes",
        'variable "password_policy" { default = "strict2024" }',
    ],
)
def test_what_only_reads_like_one(text):
    assert find_secrets(text.encode()) == []


ESCAPES = """
\\t|\\n|\\\\n|\\u00a0|\\u202f|\\x20|\u00a0|\u202f|&nbsp;|%20|%0A|\x1b[0m|\\u001b[1m|\\033[0m|%2C|%5B
"""
FURTHER = """
hf_{A34}|ghp_{A36}|sk-proj-{A80}|AKIA{U16}|https://bob:{A12}@git.example.org/x|api_key = {A12}7{A12}
password = {A5}4{A6}|"api_key", "{A12}7{A12}"|"**api_key**", "{A12}7{A12}"
mot de passe « {A5}4{A6} »|"api_key" value="{A12}7{A12}"|TOKEN={A40}|token {A40}|curl -u bob:{A12}
machine h login me password {A9}|"auth": "{A40}="|https://bob:éé@git.example.org
"""
FURTHER = [form for line in FURTHER.strip().splitlines() for form in line.split("|")]
SIGNS = {
    '"': ('\\"', '\\\\\\"', "&quot;", "%22", "\\u0022"),
    "'": ("\\'", "\\x27"),
    "=": ("%3D", "%3d", "\\u003d", "\\x3d", " = ", "\\t=\\t", "\\n=\\n"),
    ":": ("%3A", "\\u003a", "&nbsp;:", "\\u00a0: ", "\\t:\\notes: "),
    "?": ("%3F",),
    "&": ("%26",),
    "«": ("\\u00ab",),
}


def escaped(text):
    """Write a text with each escape, in the place of its spaces and of its signs, and around it."""
    texts = []
    for escape in ESCAPES.strip("\n").split("|"):
        texts += [text.replace(" ", escape), escape + text + escape, f"{escape}{text}\\notes: x"]
        texts += [text.replace(sign, escape + sign + escape) for sign in "=:," if sign in text]
    for sign, escapes in SIGNS.items():
        texts += [text.replace(sign, escape) for escape in escapes if sign in text]
        texts += [text.replace(sign, one).replace(" ", "\u00a0") for one in escapes if sign in text]
    return list(dict.fromkeys(texts))


class Rows(Statistics):
    """Remembers every row with a secret: elsewhere a secret that stands in many is told once."""

    told = frozenset()

    def _found(self, column, row, secret):
        self.told |= {(column, row)}


def not_found_in_columns(texts):
    """Return the texts with a secret that the search of columns does not find."""
    found = [text for text in texts if find_secrets(text.encode())]
    counted = Rows()
    kinds = {"string": pa.string(), "binary": pa.binary()}
    counted.add(pa.table({name: pa.array(found).cast(kind) for name, kind in kinds.items()}))
    return [text for i, text in enumerate(found) for name in kinds if (name, i) not in counted.told]


@pytest.mark.parametrize("form", [*FORMS, *FURTHER, *OTHERS[::6]])
def test_what_a_text_with_escapes_shows_a_column_shows(form):
    """Escapes are undone in both: no form is found in a text alone."""
    assert not_found_in_columns(escaped(drawn(form, 1))) == []


def test_escapes_undone_in_a_column_are_those_of_a_text():
    parts = [*ESCAPES.strip("\n").split("|"), *(one for signs in SIGNS.values() for one in signs)]
    parts += ["\\", "\\\\", "\\temp\\new\\", "\\notes:", "&", "%", "a", "é", '"', "'", " ", "\x1b"]
    rng = random.Random(0)
    texts = ["".join(rng.choices(parts, k=6)) for _ in range(3000)]
    for kind in (pa.string(), pa.large_string()):
        column = undone_column(pa.array(texts, kind)).to_pylist()
        marked = [word.replace(b"\\\xff", b"\\") for word in column]
        assert marked == [undone(text.encode()) for text in texts]


def test_both_searches_find_what_the_kept_scanner_alone_knows():
    for form in ("A3TX{U16}", "HTTPS://HOOKS.SLACK.COM/services/T1/B2/{U8}7", "sq0csp-\\-{A41}"):
        assert not_found_in_columns([drawn(form, 1)]) == []
        assert find_secrets(drawn(form, 1).encode()), form
    (found,) = find_secrets(f"sk-{drawn('{L20}', 1)}T3BlbkFJ{drawn('{L20}', 2)}".encode())
    assert found.kind == "an OpenAI key"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "part",
    ["\\", "sk-", "sk-ant-", "a", "=", "A1", " ", "://", "&#", "%20", "-----", "\u00a0", "\\\\n"],
)
def test_hostile_lines_take_no_more_than_their_length(part):
    line = part * (100_000 // len(part))
    for text in (line, f"cl_key{line}.", f"password{line}", f"\\n{line}"):
        find_secrets(text.encode())
    counted = Statistics()
    counted.add(pa.table({"text": [line, f"api_key{line}"]}))


def test_weights_are_no_passwords():
    """Megabytes of random bytes have every two letters, and a sign behind them."""
    assert (
        find_secrets(b"\n".join(b"pw:" + random.Random(i).randbytes(40) for i in range(2000))) == []
    )


@pytest.mark.timeout(60)
def test_many_findings_take_no_more_than_their_length():
    text = " ".join(drawn(form, seed) for seed in range(3000) for form in ("xAC{H32}", "SK{H32}"))
    assert len(find_secrets(text.encode())) == 3000


def test_a_run_of_letters_within_base64_is_no_key():
    """SentencePiece's map of characters, in tokenizer.json."""
    run = "EAA" + "Ab3Kq9Zx" * 15
    assert find_secrets(f'{{"precompiled_charsmap": "AAA/{run}/9c+{run}+Q=="}}'.encode()) == []
    assert find_secrets(f'{{"key": "{run}"}}'.encode())


@pytest.mark.parametrize("word", ["code d'accès", "clé API", "clé secrète", "jeton d'accès"])
@pytest.mark.parametrize("form", ["plain", "json", "nfd", "latin"])
def test_accents_of_a_secrets_word_in_every_spelling(tmp_path, word, form):
    import json
    import unicodedata

    from doctobert_hf.hub.stage.preflight import check_folder

    text = f"{word} : {'Xk7' + 'Qz93mPw4' + 'Lt8'}"
    if form == "nfd":
        text = unicodedata.normalize("NFD", text)
    content = json.dumps({"t": text}).encode() if form == "json" else text.encode()
    content = text.encode("latin-1") if form == "latin" else content
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n\n# It\n")
    (tmp_path / "notes.txt").write_bytes(content)
    assert [found.file for found in check_folder(tmp_path, "model")] == ["notes.txt"]

"""Publishing to a Hub that misbehaves: retried or resumed, never a half, never the token."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

LICENSE = ("--license", "cc-by-4.0")


def pushed(hub, repo_id="me/corpus", revision="main"):
    there = ("dataset", repo_id) in hub.repos
    return hub.files("dataset", repo_id, revision) if there else {}


def push(command, documents, *more, **options):
    return command("push-dataset", documents, "me/corpus", *LICENSE, *more, **options)


@pytest.mark.long
@pytest.mark.versions
def test_push_is_one_commit_and_what_the_dry_run_wrote(hub, command, documents, tmp_path):
    push(command, documents, "--dry-run", "--output", tmp_path / "dry", HF_ENDPOINT="http://[::]:9")
    assert not hub.requests
    done = push(command, documents, "--json")
    report = json.loads(done.stdout)
    repo = hub.repos["dataset", "me/corpus"]
    assert list(repo.messages.values()) == ["initial commit", "Publish dataset"]
    dry = {
        p.relative_to(tmp_path / "dry").as_posix(): p.read_bytes()
        for p in (tmp_path / "dry").rglob("*")
        if p.is_file()
    }
    assert dry == pushed(hub)
    assert report["commit"] == repo.refs["main"] and report["changed"]
    again = json.loads(push(command, documents, "--json").stdout)
    assert not again["changed"] and len(repo.trees) == 2


@pytest.mark.long
@pytest.mark.parametrize(
    ("method", "path", "fault"),
    [
        ("POST", "/preupload/", {"status": 429, "headers": {"Retry-After": "0"}}),
        ("POST", "/api/repos/create", {"status": 503}),
        ("POST", "/api/validate-yaml", {"status": 502, "body": "{}"}),
        ("PUT", "/large/", {"status": 500}),
        ("PUT", "/large/", {"cut": "request"}),
        ("POST", "/commit/", {"status": 503}),
        ("POST", "/commit/", {"status": 429, "headers": {"Retry-After": "1"}}),
        ("POST", "/commit/", {"cut": "answer"}),
        ("GET", "/api/datasets/me/corpus", {"status": 503}),
    ],
)
def test_one_fault_is_overcome(hub, command, documents, method, path, fault):
    hub.fail(method, path, **fault)
    push(command, documents)
    assert not hub.faults
    repo = hub.repos["dataset", "me/corpus"]
    assert len(repo.trees) == 2  # never committed twice, an answer that got lost included
    assert "data/default/train-00000-of-00001.parquet" in pushed(hub)


@pytest.mark.long
def test_failure_for_good_publishes_nothing_and_is_resumed(hub, command, documents):
    hub.fail("POST", "/commit/", status=400, body="refused", times=9)
    done = push(command, documents, check=False)
    assert done.returncode != 0 and "Nothing was published" in done.stderr
    assert pushed(hub) == {}
    hub.faults.clear()
    received = hub.count("PUT", "/large/")
    push(command, documents)
    assert hub.count("PUT", "/large/") == received == 1  # the large file was there already
    assert "README.md" in pushed(hub)


@pytest.mark.long
@pytest.mark.versions
def test_expired_token(hub, command, documents):
    wrong = "hf_" + "ExpiredTokenExpired" * 2
    done = push(command, documents, check=False, HF_TOKEN=wrong)
    assert done.returncode == 2 and "hf auth login" in done.stderr and wrong not in done.stderr
    assert not hub.repos


@pytest.mark.long
@pytest.mark.versions
def test_token_that_a_server_echoes_is_not_shown(hub, command, documents):
    hub.create("dataset", "me/corpus")
    token = "hf_" + "LocalTestToken" * 3
    hub.fail(
        "POST",
        "/commit/",
        status=400,
        body=f"Bearer {token}",
        headers={"X-Error-Message": f"bad {token}"},
        times=9,
    )
    done = push(command, documents, "--debug", check=False, HF_DEBUG="1")
    assert done.returncode != 0  # the fixture checks the output


def test_existing_repository_keeps_what_others_put_there(hub, command, documents):
    hub.create("dataset", "me/corpus")
    hub.write("dataset", "me/corpus", "notes.txt", b"mine")
    push(command, documents)
    assert pushed(hub)["notes.txt"] == b"mine"


def test_another_kind_is_not_replaced(hub, command, documents):
    hub.create("dataset", "me/corpus")
    manifest = json.dumps({"kind": "drbenchmark", "files": {}}).encode()
    hub.write("dataset", "me/corpus", "publication.json", manifest)
    done = push(command, documents, check=False)
    assert done.returncode == 2 and "drbenchmark" in done.stderr


@pytest.mark.long
@pytest.mark.versions
def test_concurrent_edit_of_the_card_is_kept(hub, command, documents):
    push(command, documents)
    card = pushed(hub)["README.md"].decode()
    start = card.index("<!-- keep:personal-data")
    place = card.index("-->", start) + 3
    edited = card[:place] + "\nMot d'un humain." + card[place:]
    hub.fail(
        "POST",
        "/commit/",
        before=lambda: hub.write("dataset", "me/corpus", "README.md", edited.encode()),
    )
    push(command, documents, "--title", "Autre titre")
    final = pushed(hub)["README.md"].decode()
    assert "Mot d'un humain." in final and "# Autre titre" in final


@pytest.mark.long
def test_concurrent_commit_to_our_files_stops(hub, command, documents):
    push(command, documents)
    name = "data/default/train-00000-of-00001.parquet"
    hub.fail("POST", "/commit/", before=lambda: hub.write("dataset", "me/corpus", name, b"theirs"))
    done = push(command, documents, "--title", "Autre titre", check=False)
    assert done.returncode == 1 and name in done.stderr
    assert pushed(hub)[name] == b"theirs"


@pytest.mark.long
@pytest.mark.versions
def test_pull_request_and_branch(hub, command, documents):
    hub.create("dataset", "me/corpus")
    done = push(command, documents, "--create-pr")
    assert "/discussions/1" in done.stdout
    assert pushed(hub) == {} and "README.md" in pushed(hub, revision="refs/pr/1")
    hub.fail("POST", "/commit/", cut="answer")
    push(command, documents, "--create-pr", "--title", "Deux")
    assert sorted(n for n in hub.repos["dataset", "me/corpus"].refs if "pr" in n) == [
        "refs/pr/1",
        "refs/pr/2",
    ]
    push(command, documents, "--revision", "v2")
    assert pushed(hub) == {} and "README.md" in pushed(hub, revision="v2")


@pytest.mark.long
def test_shards_of_an_earlier_push_go(hub, command, documents):
    push(command, documents, "--max-shard-mb", "0.000001")
    assert len([n for n in pushed(hub) if n.endswith(".parquet")]) == 5
    push(command, documents)
    assert [n for n in pushed(hub) if n.endswith(".parquet")] == [
        "data/default/train-00000-of-00001.parquet"
    ]


@pytest.mark.long
@pytest.mark.versions
def test_offline_says_so(command, documents):
    done = push(command, documents, check=False, HF_HUB_OFFLINE="1")
    assert done.returncode == 2 and "HF_HUB_OFFLINE" in done.stderr


@pytest.mark.long
def test_visibility_is_the_owners(hub, command, documents):
    push(command, documents)
    (asked,) = hub.created
    assert not {"private", "visibility"} & asked.keys()  # an organisation's own default holds
    done = push(command, documents, "--private", check=False)
    assert done.returncode == 2 and "exists and is public" in done.stderr
    done = push(command, documents, "--private", "--dry-run", check=False)
    assert done.returncode == 2 and "exists and is public" in done.stderr
    command("push-dataset", documents, "me/closed", *LICENSE, "--private")
    assert hub.repos["dataset", "me/closed"].private


@pytest.mark.long
@pytest.mark.versions
def test_a_first_push_that_fails_leaves_no_empty_repository(hub, command, documents):
    hub.fail("POST", "/commit/", status=403, times=9)
    done = push(command, documents, check=False)
    assert done.returncode == 2 and "the Hub says" in done.stderr
    assert not hub.repos
    hub.faults.clear()
    push(command, documents)
    hub.fail("POST", "/commit/", status=403, times=9)  # what was there before stays
    assert push(command, documents, "--title", "Deux", check=False).returncode == 2
    assert pushed(hub)


@pytest.mark.long
def test_a_full_store_is_not_told_as_missing_rights(hub, command, documents):
    said = "Private repository storage limit reached, please upgrade your plan"
    hub.fail("POST", "/commit/", status=403, times=9, headers={"X-Error-Message": said})
    done = push(command, documents, check=False)
    assert done.returncode == 2 and said in " ".join(done.stderr.split())
    assert "no right to write" not in done.stderr and "free storage" in done.stderr


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize("discussions", [True, False])
def test_a_pull_request_that_is_open_is_found_again(hub, command, documents, discussions):
    hub.discussions = discussions
    hub.create("dataset", "me/corpus")
    for _ in range(2):
        done = push(command, documents, "--create-pr")
        assert "/discussions/1" in done.stdout
    assert "hub verify me/corpus --revision" in done.stderr, "it stands on no branch"
    refs = hub.repos["dataset", "me/corpus"].refs
    assert [name for name in refs if "pr" in name] == ["refs/pr/1"]
    if discussions:
        hub.closed.add("refs/pr/1")  # closed: proposed anew
        assert "/discussions/2" in push(command, documents, "--create-pr").stdout


@pytest.mark.long
def test_storage_for_large_files_that_cannot_be_reached_is_told(hub, command, tmp_path):
    import random

    rows = ["".join(random.Random(n).choices("abcdefgh ", k=900)) for n in range(400)]
    pq.write_table(pa.table({"text": rows}), tmp_path / "train.parquet")
    done = push(command, tmp_path, check=False, HF_HUB_DISABLE_XET="0")
    assert done.returncode == 1 and "HF_HUB_DISABLE_XET=1" in done.stderr
    assert "Xet" in done.stderr and not hub.repos

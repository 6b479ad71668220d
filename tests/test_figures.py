"""Every figure of the README and the pages comes from a committed record of a measurement."""

import json
import struct
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results"
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
README = " ".join(" ".join(path.read_text(encoding="utf-8") for path in PAGES).split())


def results(name):
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["results"]


def said(*words):
    for text in words:
        assert text in README, text


def test_quickstart():
    found = results("quickstart")
    assert found["corpus"]["source"] == "generated sample"
    final, unigram = found["phase2"]["held_out"], found["stores"]["unigram"]
    means = found["benchmark"]["means"]
    search = {s["system"]: s["scores"]["ndcg@10"] for s in found["retrieval"]["systems"]}
    minutes, seconds = divmod(round(sum(stage["seconds"] for stage in found.values())), 60)
    said(
        f"A quickstart run on the generated sample, two CPU cores, {minutes} min {seconds} s",
        f"a model of {found['phase2']['parameters'] / 1e6:.1f} M parameters",
        f"Masked accuracy {100 * final['accuracy']:.1f} % (unigrams "
        f"{100 * unigram['accuracy']:.1f} %)",
        f"perplexity {final['perplexity']:.1f} ({unigram['perplexity']:.0f})",
        f"entities {means['quickstart']:.1f} F1 (three seeds)",
        f"its untrained twin {means['quickstart, untrained']:.1f}",
        f"nDCG@10 of {found['retrieval']['questions']['test']} held-out questions "
        f"{search['after training']:.3f} after {found['retrieval']['steps']} steps, "
        f"{search['before training']:.3f} before, BM25 {search['BM25']:.3f}",
    )


def test_pretraining():
    found = results("pretraining")
    for preset, name in (("doctobert-base", "RoBERTa"), ("doctomodernbert-base", "ModernBERT")):
        for length in (128, 512):
            row = found[f"{preset}, {length}"]
            assert row["chunks"] >= 2000
            beside = (
                f"{row[peer]:,.0f} | {row['ours'] / row[peer]:.1f} x"
                for peer in ("padded", "blocks")
            )
            said(
                f"| {name}, {length} | {row['chunks']:,} of {row['mean_length']:.0f} tokens | "
                f"{row['ours']:,.0f} | {' | '.join(beside)} |"
            )


def test_storing():
    small, large = results("storing").values()
    said(
        f"at most {small['peak_memory_mb']:.0f} MB for 1 GB of text and "
        f"{large['peak_memory_mb']:.0f} MB for 5 GB, by one process at "
        f"{large['mb_per_second']:.1f} MB a second"
    )
    assert large["peak_memory_mb"] < 1.1 * small["peak_memory_mb"]


def test_the_french_page_says_the_same():
    found = results("quickstart")
    page = " ".join((REPOSITORY / "docs" / "fr" / "demarrage.md").read_text("utf-8").split())
    minutes, seconds = divmod(round(sum(stage["seconds"] for stage in found.values())), 60)
    means = found["benchmark"]["means"]
    final = found["phase2"]["held_out"]
    for value in (
        f"{minutes} min {seconds} s",
        f"{100 * final['accuracy']:.1f} %",
        f"{100 * found['stores']['unigram']['accuracy']:.1f} %",
        f"F1 de {means['quickstart']:.1f}",
        f"de {means['quickstart, untrained']:.1f} sans préentraînement",
    ):
        assert value.replace(".", ",") in page, value


def test_the_proof():
    """The table of the page and of the README is the record's, and the claim holds."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("f", REPOSITORY / "scripts" / "proof_figure.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = script.record("proof-scratch")
    for page in script.PAGES:
        text = page.read_text(encoding="utf-8")
        assert script.filled(text, script.table(found)) == text, "python scripts/proof_figure.py"
    both = script.arms(found)
    gains = [
        both["pretrained"]["scores"][task] - both["untrained"]["scores"][task]
        for task in found["tasks"]
    ]
    assert min(gains) > 0
    header = (REPOSITORY / "docs" / "proof.png").read_bytes()[:24]
    assert struct.unpack(">II", header[16:24]) == (1500, 540)


def test_the_proofs_parts():
    """What the page says of the recipe's parts is what was measured."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("f", REPOSITORY / "scripts" / "proof_figure.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = script.record("proof-parts")
    page = (REPOSITORY / "docs" / "proof.md").read_text(encoding="utf-8")
    assert script.filled(page, script.parts_table(found), "parts") == page
    arms = script.arms(found)
    assert max(arm["tokens"] for arm in arms.values()) < 1.02 * min(
        arm["tokens"] for arm in arms.values()
    )
    told = f"{-arms['truncated']['gain']:.1f} points"
    assert told in page, told
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert told in readme
    for mark, content in script.tables().items():
        if f"<!-- {mark} -->" in page:
            assert script.filled(page, content, mark) == page, "python scripts/proof_figure.py"
    detour = script.arms(script.record("proof-detour"))["detour"]
    assert f"{detour['gain']:+.1f} (p {detour['p_value']:.2g})" in page


def test_the_readmes_table_is_the_records():
    import importlib.util

    spec = importlib.util.spec_from_file_location("m", REPOSITORY / "scripts" / "measured_table.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = script.README.read_text(encoding="utf-8")
    assert script.filled(text) == text, "python scripts/measured_table.py"


def test_the_picture_is_of_the_record():
    """As wide and high as the script draws it; its numbers are the record's."""
    header = (REPOSITORY / "docs" / "quickstart.png").read_bytes()[:24]
    assert struct.unpack(">II", header[16:24]) == (1500, 480)
    from doctobert_hf.quickstart.report import draw_results

    content = json.loads((RESULTS / "quickstart.json").read_text(encoding="utf-8"))
    figure = draw_results(content["losses"], content["results"])
    bars = [text.get_text() for axis in figure.axes for text in axis.texts]
    final = content["results"]["phase2"]["held_out"]
    assert f"{100 * final['accuracy']:.1f}" in bars
    assert all(axis.get_ylabel() for axis in figure.axes)


def test_chunking():
    rows = {k: v for k, v in results("chunking").items() if k != "linear"}
    for name, row in rows.items():
        corpus, length = name.rsplit("-", 1)
        cells = [corpus, f"{int(length):,}"]
        for who in ("ours", "released"):
            measured = row[who]
            cells += [f"{measured['time_ratio']:.{2 if who == 'ours' else 1}f} x"]
            cells += [f"{measured['fill']:.3f}", f"{100 * measured['sentence_share']:.1f} %"]
            assert who == "released" or measured["over_length"] == 0
        said("| " + " | ".join(cells) + " |")


def test_chunk_peers():
    found = results("chunk_peers")
    for name, leaflets in found["leaflets"].items():
        general = found["general"][name]
        cells = [
            f"{row['fill']:.3f} | {100 * row['good']:.1f} % | {row['over']} |"
            for row in (leaflets, general)
        ]
        assert leaflets["lost"] == general["lost"] == 0
        said(" | ".join(cell.rstrip(" |") for cell in cells))
    fills = {name: row["fill"] for name, row in found["general"].items()}
    assert max(fills, key=fills.get) == "ours"


def test_sentences():
    for name, row in results("sentences").items():
        found = [row["emea-dev"], row["emea-dev, wrapped"], row["annodis.er"], row["Europar.550"]]
        cells = [f"{r['precision']:.1f}/{r['recall']:.1f}" for r in found]
        cells = [f"**{cell}**" if name == "ours" else cell for cell in cells]
        title = name.replace("edsnlp 0.23.0", "eds.sentences (edsnlp 0.23.0)")
        title = title.replace("nltk 3.10.4", "punkt (nltk 3.10.4)")
        said(f"| {title} | {' | '.join(cells)} | {row['mb_per_second']:.2f} |")


def test_collator():
    speed = results("collator")["tokens_per_second"]
    said(
        f"{speed['ours'] / 1e6:.0f} M tokens per second, "
        f"{speed['ours'] / speed['transformers']:.0f} times",
        f"({speed['transformers'] / 1e6:.2f} M); whole-word masking "
        f"{speed['ours, whole words'] / 1e6:.0f} M",
    )


def test_metrics_and_loaders():
    modes = results("metrics")["modes"]
    said(
        f"{modes['default']['ratio']:.0f} times", f"{modes['strict']['ratio']:.0f} times in strict"
    )
    tasks = results("loaders")["tasks"].values()
    said(
        f"{sum(task['load_s'] for task in tasks):.1f} s of loading, at most "
        f"{max(task['peak_mb'] for task in tasks):.0f} MB",
    )


def test_finetuning():
    found = results("finetuning")
    ours, padded = found["ours"], found["pad to 512"]
    said(
        f"takes {found['ratio']:.1f} times as long",
        f"{ours['seconds'][0]:.0f} s, F1 {100 * ours['f1'][0]:.1f}, against "
        f"{padded['seconds'][0]:.0f} s, F1 {100 * padded['f1'][0]:.1f}",
    )


def test_finetuning_memory():
    found = results("finetuning_memory")
    whole, parts = found["bounds"]["32768"], found["bounds"]["2048"]
    rows, length = whole["largest_batch"]
    padding = 100 * (1 - whole["tokens_without_padding"] / (rows * length))
    said(
        f"a BERT of {whole['parameters'] / 1e6:.0f} M parameters, the first {found['steps']} steps",
        f"of the {rows} x {length} tokens of the largest batch {padding:.0f} % are padding",
        f"whole batches {whole['peak_gb']:.1f} GB at the peak and {whole['seconds']:.0f} s of "
        f"processor time, in parts of 2,048 tokens {parts['peak_gb']:.1f} GB and "
        f"{parts['seconds']:.0f} s",
    )


def test_predicting():
    found = results("predicting")
    said(
        f"torch {found['seconds']['torch']:.1f} s, of which the forward passes alone take "
        f"{found['seconds']['forward']:.1f} s",
        f"ONNX {found['torch_over_onnx']:.2f} x and int8 {found['torch_over_int8']:.2f} x as fast",
    )


def test_searching():
    found = results("searching")
    scores = {(typed, words): value for typed, words, value, *_ in found["terms"]["table"]}
    plain, ours = "bm25s, French words", "ours"
    leaflets = found["leaflets"]
    said(
        f"{found['terms']['queries']} wordings of Mantra's French concepts find their units with "
        f"{scores['as written', ours]} nDCG@10 (plain bm25s with French words "
        f"{scores['as written', plain]}), typed without accents with "
        f"{scores['without accents', ours]} ({scores['without accents', plain]})",
        f"{leaflets['documents']:,} leaflets, {leaflets['passages']:,} passages, is built in "
        f"{leaflets['build_seconds']:.1f} s and opened in {leaflets['open_seconds']:.2f} s",
    )
    scale = results("searching-scale")["scale"]
    assert scale["threads"] == 1 and [row["vectors"] for row in scale["sizes"]] == [
        *(10_000, 100_000, 1_000_000)
    ]
    said(f"`faiss` {scale['faiss']} (HNSW)", f"{scale['questions']} questions one at a time")
    for row in scale["sizes"]:
        said(
            f"| {row['vectors']:,} | {row['exact_cpu_ms']:.1f} ms | {row['faiss_cpu_ms']:.2f} ms | "
            f"{row['faiss_recall']:.3f} | {row['faiss_build_cpu_seconds']:,.0f} s |"
        )


def test_searching_by_late_interaction():
    [row] = results("retrieval-late")["late"]
    said(
        f"{row['passages']:,} made-up passages, {row['tokens']:,} tokens",
        f"| exact | {row['exact_cpu_ms']:.0f} ms | 1 |",
        f"| `faiss` {row['faiss']}, inverted lists | {row['faiss_cpu_ms']:.0f} ms | "
        f"{row['faiss_recall']:.3f} |",
        f"| `qdrant-client` {row['qdrant']}, embedded | {row['qdrant_cpu_ms']:.0f} ms | "
        f"{row['qdrant_recall']:.3f} |",
    )


def test_rates_and_the_plan():
    found = results("finemed")
    rates, hours = found["rates_mb_per_s"], found["plan"]["core_hours"]
    gates = hours["gates of a rewrite"]
    said(
        f"lexicon terms {rates['lexicon terms']:.1f} ({found['terms']:,} terms)",
        f"personal data {rates['personal data']:.1f}",
        f"gates of a rewrite {rates['gates of a rewrite']:.2f}",
        f"{found['filter']['ratio']:.2f} times Arrow called by hand",
        f"takes {sum(hours.values()) - gates:.0f} core hours for all CPU steps, {gates:.0f} more",
    )


def test_personal_data():
    found = results("personal_data")
    kinds = found["kinds"].values()
    assert all(row["percent"] >= 95 for row in kinds)
    assert found["texts without any"]["percent"] <= 1
    said(f"200 of each of nine kinds) are replaced whole, all {sum(r['found'] for r in kinds):,}")


def test_decontamination():
    found = results("decontamination")
    for form in ("decomposed", "soft hyphens", "typos in 5 %", "half"):
        cells = [found[task][form] for task in ("morfitt", "frenchmedmcqa_mcqa")]
        told = " | ".join(
            f"{100 * cell['ours']:.0f} ({100 * cell['exact 12-grams']:.0f})" for cell in cells
        )
        said(f"| {form} | {told} |")
    assert found["clean"]["ours"] == 0
    said(f"None of {found['clean']['documents']} case reports is called contaminated")


def test_domain():
    found = results("domain")
    for kind, shown in (
        ("abstracts", "abstracts (MorFITT)"),
        ("exam questions", "exam questions (FrenchMedMCQA)"),
        ("leaflets and case reports", "leaflets and case reports"),
        ("titles", "titles (QUAERO MEDLINE)"),
        ("notes", "telegraphic notes, written for it"),
        ("novels, a manual", "novels, a manual"),
    ):
        row = found[kind]
        said(f"| {shown} | {row['texts']:,} | {100 * row['kept']:.1f} % |")


def test_adapting():
    found = results("adapting")

    def shown(role):
        row = found[role]["quaero_emea"]
        low, high = row["interval"]
        return f"{row['mean']:.1f} F1 [{low:.1f}, {high:.1f}]".replace(" F1", "", role == "start")

    assert len(found["seeds"]) == 3
    said(
        f"on QUAERO EMEA {shown('adapted')} beside {shown('start')} of its start, three seeds, "
        f"p {found['p_value']:.2f}"
    )


def test_adapting_by_the_detour():
    leaflets, titles = results("adapting-detour"), results("adapting-detour-medline")
    assert len(leaflets["seeds"]) == 5 and len(titles["seeds"]) == 3

    def shown(found, role, task):
        row = found[role][task]
        return f"{row['mean']:.1f} [{row['interval'][0]:.1f}, {row['interval'][1]:.1f}]"

    better = [shown(leaflets, role, "quaero_emea") for role in ("adapted", "start")]
    lower = [shown(titles, role, "quaero_medline") for role in ("adapted", "start")]
    said(
        f"QUAERO EMEA {better[0]} beside {better[1]} of its start "
        f"(five seeds, p {leaflets['p_value']:.2g})",
        f"{lower[0]} beside {lower[1]} (p {titles['p_value']:.2g})",
    )

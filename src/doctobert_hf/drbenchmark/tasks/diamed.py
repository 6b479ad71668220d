"""DiaMED: clinical cases with the ICD-10 chapter of the main diagnosis."""

from __future__ import annotations

from doctobert_hf.drbenchmark.readers.records import read_records, text_field
from doctobert_hf.drbenchmark.source import RawFolder
from doctobert_hf.drbenchmark.spec import (
    CorpusSpec,
    Filter,
    Report,
    Row,
    Splits,
    TaskSpec,
    find_label,
)
from doctobert_hf.errors import DataError

CORPUS = CorpusSpec(
    name="diamed",
    title="DiaMED",
    description="Clinical cases of open-access journals with the ICD-10 chapter of the diagnosis.",
    homepage="https://huggingface.co/datasets/Dr-BERT/DiaMED",
    license="CC-BY-4.0, per record",
    redistributable=True,
    citation="""@inproceedings{labrak-etal-2024-drbenchmark,
  title = {{D}r{B}enchmark: A Large Language Understanding Evaluation Benchmark for {F}rench
           Biomedical Domain},
  author = {Labrak, Yanis and Bazoge, Adrien and El Khettari, Oumaima and Rouvier, Mickael and
            Constant Dit Beaufils, Pacôme and Grabar, Natalia and Daille, Béatrice and
            Quiniou, Solen and Morin, Emmanuel and Gourraud, Pierre-Antoine and Dufour, Richard},
  booktitle = {Proceedings of LREC-COLING 2024},
  year = {2024}
}""",
    layout="splits/train.json, splits/validation.json and splits/test.json",
    urls={"data.zip": "https://huggingface.co/datasets/Dr-BERT/DiaMED/resolve/main/data.zip"},
    place=5,
)
CHAPTERS = (
    "A00-B99  Certain infectious and parasitic diseases",
    "C00-D49  Neoplasms",
    "D50-D89  Diseases of the blood and blood-forming organs and certain disorders involving the "
    "immune mechanism",
    "E00-E89  Endocrine, nutritional and metabolic diseases",
    "F01-F99  Mental, Behavioral and Neurodevelopmental disorders",
    "G00-G99  Diseases of the nervous system",
    "H00-H59  Diseases of the eye and adnexa",
    "H60-H95  Diseases of the ear and mastoid process",
    "I00-I99  Diseases of the circulatory system",
    "J00-J99  Diseases of the respiratory system",
    "K00-K95  Diseases of the digestive system",
    "L00-L99  Diseases of the skin and subcutaneous tissue",
    "M00-M99  Diseases of the musculoskeletal system and connective tissue",
    "N00-N99  Diseases of the genitourinary system",
    "O00-O9A  Pregnancy, childbirth and the puerperium",
    "P00-P96  Certain conditions originating in the perinatal period",
    "Q00-Q99  Congenital malformations, deformations and chromosomal abnormalities",
    "R00-R99  Symptoms, signs and abnormal clinical and laboratory findings, not elsewhere "
    "classified",
    "S00-T88  Injury, poisoning and certain other consequences of external causes",
    "U00-U85  Codes for special purposes",
    "V00-Y99  External causes of morbidity",
    "Z00-Z99  Factors influencing health status and contact with health services",
)
NO_DIAGNOSIS = ("Plusieurs cas cliniques", "Aucune annotation")


def _read(task: TaskSpec, folder: RawFolder, protocol: str, report: Report) -> Splits:
    return {
        split: _rows(folder, f"splits/{split}.json", protocol, report)
        for split in ("train", "validation", "test")
    }


def _rows(folder: RawFolder, name: str, protocol: str, report: Report) -> list[Row]:
    rows = []
    for index, (place, record) in enumerate(read_records(folder, name)):
        diagnosis = str(record.get("icd-10"))
        if diagnosis in ("nan", "None") or any(words in diagnosis for words in NO_DIAGNOSIS):
            report.add("case without one diagnosis left out", place)
            continue
        label = find_label(diagnosis, CHAPTERS)
        if label is None:
            raise DataError(f"{place}: ICD-10 chapter '{diagnosis}'", f"such as '{CHAPTERS[0]}'")
        text = record.get("clinical_case")
        if text is None and "clinical_case" in record:
            report.add("case without text", place)
        else:
            text_field(record, "clinical_case", place)
        if protocol != "drbenchmark":
            text = f"{record.get('title') or ''} {text or ''}"
        identity = str(record.get("identifier") or index)
        rows.append({"id": identity, "document_id": identity, "text": text, "label": label})
    return rows


TASKS = (
    TaskSpec(
        name="diamed",
        corpus=CORPUS,
        kind="classification",
        labels=CHAPTERS,
        metric="weighted_f1",
        files=("splits/train.json", "splits/validation.json", "splits/test.json"),
        read=_read,
        sizes=(509, 76, 154),
        filter=Filter(key=lambda row: row["text"]),
        quirks=(
            "The text is the clinical case; protocol='doctobert' and 'strict' put its title in "
            "front, as the published recipe does.",
        ),
        strict="Official splits; a case that a later split also holds is left out.",
        doctobert=True,
    ),
)

"""Readers, and what each does with wrong input: an error with its place, or a counted repair."""

import pytest

from doctobert_hf.drbenchmark.readers.brat import read_brat
from doctobert_hf.drbenchmark.readers.conll import table_blocks
from doctobert_hf.drbenchmark.readers.table import read_table
from doctobert_hf.drbenchmark.readers.xml import parse_xmi, parse_xml
from doctobert_hf.drbenchmark.source import open_folder
from doctobert_hf.drbenchmark.spec import Report
from doctobert_hf.errors import DataError


@pytest.fixture
def folder(tmp_path):
    def make(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return open_folder(tmp_path)

    return make


def brat(folder, text, annotations, repair=False):
    report = Report()
    found = folder({"d/a.txt": text, "d/a.ann": annotations})
    return next(read_brat(found, "d", report, repair)), report


def test_brat_reads_fragments_notes_and_attributes(folder):
    text = "Luxation ouverte de la hanche"
    document, report = brat(
        folder,
        text,
        "T1\tDISO 0 8;20 29\tLuxation la hanche\n#1\tAnnotatorNotes T1\tC001\n"
        "A1\tassertion T1 absent\nR1\trel Arg1:T1 Arg2:T1\nE1\tbroken\n*\tEquiv T1 T1\n",
    )
    (mention,) = document.mentions
    assert mention.fragments == ((0, 8), (20, 29))
    assert mention.surfaces == ("Luxation", "la hanche")
    assert document.notes == {"T1": ["C001"]}
    assert document.attributes == {"T1": [("A1", "assertion", "absent")]}
    assert report.lines() == []


def test_brat_counts_offsets_after_line_ends_are_read(folder):
    document, report = brat(folder, b"a\r\nfoie\r\n", "T1\tANAT 2 6\tfoie\r\n")
    assert document.text == "a\nfoie\n"
    assert document.text[2:6] == "foie"
    assert not report.counts


def test_brat_byte_order_marks(folder):
    text, annotations = "\ufefffoie", "\ufeffT1\tANAT 1 5\tfoie\nT2\tANAT 1 5\tfoie\n"
    document, report = brat(folder, text, annotations)
    assert document.text == text
    assert [m.id for m in document.mentions] == ["T2"]
    assert "byte order mark" in report.lines()[0]
    repaired, _ = brat(folder, text, annotations, repair=True)
    assert [m.id for m in repaired.mentions] == ["T1", "T2"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T1 DISO 0 4 foie", "is not a text-bound annotation"),
        ("T1\tDISO 0 4", "is not a text-bound annotation"),
        ("T1\tDISO 0\tfoie", "pairs such as"),
        ("T1\tDISO a 4\tfoie", "pairs such as"),
        ("T1\tDISO 4 0\tfoie", "goes from 4 to 0"),
        ("T1\tDISO -1 4\tfoie", "goes from -1 to 4"),
    ],
)
def test_brat_malformed_lines_name_file_and_line(folder, line, message):
    with pytest.raises(DataError, match=message) as error:
        brat(folder, "foie", f"T9\tANAT 0 4\tfoie\n{line}\n")
    assert "a.ann:2" in str(error.value)


def test_brat_reports_what_is_odd(folder):
    report = Report()
    found = folder(
        {
            "d/a.txt": "foie gras",
            "d/a.ann": "T1\tANAT 0 4\trein\nT2\tANAT 5 99\tgras\nt1\tx\n",
            "d/a.ann~": "old",
            "d/b.txt": "seul",
            "d/c.ann": "T1\tANAT 0 1\tx\n",
        }
    )
    assert [d.name for d in read_brat(found, "d", report)] == ["a", "b"]
    kinds = " ".join(report.counts)
    for words in (
        "no known kind",
        "differs from the text",
        "outside its text",
        "back-up",
        "without a .txt",
    ):
        assert words in kinds
    assert "text without annotation file" in kinds
    assert (
        "a.ann:2 T2"
        in report.examples["annotation reaches outside its text, cut at the end of the text"][0]
    )


def test_xml_refuses_entities_of_any_kind(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    external = f'<!DOCTYPE a [<!ENTITY e SYSTEM "file://{secret}">]><a>&e;</a>'
    bomb = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>'
    outer = '<!DOCTYPE a SYSTEM "x.dtd"><a>caf&eacute;</a>'
    defaults = "<!DOCTYPE a [<!ATTLIST a moy CDATA '5'>]><a/>"
    for text in (external, bomb, outer, defaults):
        with pytest.raises(DataError, match=r"f\.xml:1: a DOCTYPE with declarations"):
            parse_xml(text, "f.xml")
        with pytest.raises(DataError, match="a DOCTYPE with declarations"):
            parse_xmi(text, "f.xml")
    assert parse_xml("<!DOCTYPE a><a>b</a>", "f.xml").text == "b"


def test_xml_names_line_and_column():
    with pytest.raises(DataError, match=r"f\.xml:2: not well-formed XML, column 5"):
        parse_xml("<a>\n a & b</a>", "f.xml")
    root = parse_xml('<a x="1">t<!-- c --><b/><![CDATA[<u>]]></a>', "f")
    assert (root.name, root.attributes, root.text) == ("a", {"x": "1"}, "t<u>")
    with pytest.raises(DataError, match=r"no cas:Sofa"):
        parse_xmi("<a/>", "f")


def test_blocks_are_cut_at_two_line_ends(folder):
    found = folder({"t.txt": "a\tb\n\nc\td\n\n\ne\tf\n"})
    blocks = [[line.columns for line in block] for block in table_blocks(found, "t.txt")]
    assert blocks == [[["a", "b"]], [["c", "d"]], [[""], ["e", "f"], [""]]]
    places = [block[0].where.rsplit(":", 1)[1] for block in table_blocks(found, "t.txt")]
    assert places == ["1", "3", "5"]


def test_tables_are_text_and_name_missing_columns(folder):
    found = folder({"t.csv": "sim\tid_1\tid_2\n1.0\tNA\t7\n\n2.0\tx\ty"})
    report = Report()
    rows = list(read_table(found, "t.csv", ("id_1", "id_2", "sim"), report))
    assert rows[0] == (found.where("t.csv", 2), {"id_1": "NA", "id_2": "7", "sim": "1.0"})
    assert rows[1][0].endswith("t.csv:4")
    assert len(rows) == 2 and not report.counts
    with pytest.raises(DataError, match="no column 'label'"):
        list(read_table(found, "t.csv", ("label",), report))
    with pytest.raises(DataError, match=r"e\.csv"):
        list(read_table(folder({"e.csv": ""}), "e.csv", ("a",), report))


@pytest.mark.parametrize("row", ["1\t2\t3", "1", '1\t"a\tb\n2\t3"\tc'])
def test_tables_with_rows_of_another_width(folder, row):
    found = folder({"t.csv": f"a\tb\n{row}\n4\t5\n"})
    with pytest.raises(DataError, match=r"t\.csv:\d: \d fields.*2, as in the header"):
        list(read_table(found, "t.csv", ("a", "b"), Report()))


def test_quoted_cells_with_line_ends_are_counted(folder):
    found = folder({"t.csv": 'a\tb\n1\t"x\ny"\n'})
    report = Report()
    assert next(iter(read_table(found, "t.csv", ("a", "b"), report)))[1]["b"] == "x\ny"
    assert report.counts.total() == 1


def test_elements_inside_a_text_are_not_dropped():
    from doctobert_hf.drbenchmark.readers.xml import plain_text

    assert plain_text(parse_xml("<a>b</a>", "f"), "f") == "b"
    with pytest.raises(DataError, match="<b> inside <a>"):
        plain_text(parse_xml("<a>x <b>bold</b> y</a>", "f"), "f")


def test_other_encodings_name_the_place(folder):
    found = folder({"a.txt": "ligne\nété\n".encode("cp1252")})
    with pytest.raises(DataError, match=r"a\.txt:2: byte 6 \(0xe9\) is not UTF-8"):
        found.read_text("a.txt")

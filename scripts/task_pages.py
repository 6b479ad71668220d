"""Write the documentation pages of DrBenchmark's tasks into docs/tasks."""

from pathlib import Path

from doctobert_hf.drbenchmark.pages import pages

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "tasks"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.md"):
        old.unlink()
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(pages())} pages in {FOLDER}")

"""What a model leaves in a rewrite that is no text: chat, templates, other scripts, languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctobert_hf.chunking.sentences import split_sentences
from doctobert_hf.finemed.words import WORD

_REMNANT = re.compile(
    r"\[/?INST\]|<\|[\w ]{1,30}\|>|</?s>|<<SYS>>|\ufffd|\|\|\||(?-i:\[[A-ZÀ-Ý_ ]{3,40}\])"
    r"|</?(?:think|thinking|answer|response|output|assistant|user|system|document|text)>"
    r"|\[(?:votre|nom|pr[ée]nom|date|[âa]ge|ville|h[ôo]pital|m[ée]decin|patient|adresse|num[ée]ro|"
    r"ins[ée]re[rz]|[àa] (?:compl|pr[ée]ci)|xx|\.\.\.)[^\]\n]{0,40}\]"
    r"|\{\{?[^{}\n]{1,40}\}\}?|(?-i:\bX{3,}\b)|_{3,}|lorem ipsum|```"
    r"|^ *#{1,6} *(?:r[ée]ponse|instruction|r[ée][ée]criture|texte|document|version|r[ée]sultat|"
    r"output|response|input)\b[^\n]*"
    r"|(?<!\w)(?:voici|voilà|ci-dessous,?)\s+(?:(?:une?|l[ea]|l['’]|les|ma|votre|mon)\s*)?(?:\w+\s+){0,2}"
    r"(?:r[ée]-?[ée]cri\w*|reformul\w*|version|texte|document|r[ée]sum[ée]|proposition|paraphrase)"
    r"(?!\s+(?:du\s+(?:dossier|cas|s[ée]jour|parcours)|de\s+l['’](?:observation|histoire|hospitalisation))"
    r"(?![^.\n]{0,60}(?::|demand[ée]|r[ée]-?[ée]crit|reformul)))"
    r"|(?<!\w)(?:texte|document|version)\s+(?:r[ée]-?[ée]crite?|reformul[ée]e?|paraphras[ée]e?)"
    r"|(?<!\w)(?:du|le|au)\s+(?:texte|document)\s+(?:original|source|initial|fourni)"
    r"|\(?fin\s+(?:du|de\s+la)\s+(?:document|texte|r[ée][ée]criture|version|r[ée]ponse)\)?"
    r"|je\s+(?:suis\s+d[ée]sol[ée]e?|ne\s+(?:peux|suis)\s+pas|m['’]excuse)|d[ée]sol[ée]e?,\s"
    r"|(?<!\w)j['’]ai\s+(?:bien\s+)?(?:conserv|reformul|r[ée][ée]crit|respect|veill)\w*"
    r"|en\s+tant\s+qu(?:e\s+(?:mod[èe]le|ia|assistant)|['’](?:ia|assistant|intelligence))"
    r"|n['’]h[ée]site[zs]?\s+(?:donc\s+)?pas\s+(?:[àa]|si)(?!\w)|j['’]esp[èe]re\s+que|bien\s+s[ûu]r\s*[!,:]"
    r"|certainement\s*[!:]"
    r"|(?:souhaite[zs]|voule[zs]|d[ée]sire[zs])-vous\s+(?:que\s+j(?:e\s|['’])|une\s+autre)"
    r"|(?<!\w)(?:assistant|user|system)\s*:|as an ai|i (?:cannot|can't|am sorry)"
    r"|here(?:'s| is) (?:the|a|your) (?:\w+ ){0,2}(?:text|version|document|rewrite|summary)"
    r"|sure[,!] here",
    re.IGNORECASE | re.MULTILINE,
)
_GARBLED = re.compile("\u00c3[\u0080-\u00bf]|\u00e2\u20ac[\u0080-\uffff]|\u00c2[\u00a0-\u00bf]")
"""UTF-8 read as Latin-1: "Ã©" for "é"."""
_OTHER_SCRIPT = re.compile(
    "[\u0400-\u04ff\u0530-\u05ff\u0600-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u30ff"
    "\u3400-\u9fff\uac00-\ud7af]"
)
_FRENCH = frozenset("le la les des du un une et en au aux est dans pour par sur avec sans".split())
_ENGLISH = frozenset(
    "the of and with was were is at for no from to had his her that this be should in are".split()
)
_ONLY_ENGLISH = _ENGLISH - {"for", "is", "had"} | frozenset(
    """showed shows revealed reveals underwent without which there these those they she by not
    after before during between both their than found performed presented treated""".split()
)
_LAST_RESORT = 5
_FEW = 3
"""Of a sentence: fewer stand in names and titles."""


def form_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield what in a rewrite is no French text."""
    for match in _REMNANT.finditer(rewrite):
        if match[0].lower() not in source.lower():
            yield f"remnant of a chat or template: '{match[0]}'"
    garbled = _GARBLED.search(rewrite)
    if garbled and not _GARBLED.search(source):
        yield f"garbled letters: '{garbled[0]}'"
    strange = _OTHER_SCRIPT.search(rewrite)
    if strange and not _OTHER_SCRIPT.search(source):
        yield f"another script: '{strange[0]}'"
    words = [word.lower() for word in WORD.findall(rewrite)]
    french, english = (sum(word in known for word in words) for known in (_FRENCH, _ENGLISH))
    if english > french and english >= _LAST_RESORT:
        yield "not French"
    else:
        yield from _english_sentences(source, rewrite)


def _english_sentences(source: str, rewrite: str) -> Iterator[str]:
    """Yield sentences of English between French ones, but those of the source (a title cited)."""
    for start, end in split_sentences(rewrite):
        sentence = rewrite[start:end]
        words = [word.lower() for word in WORD.findall(sentence)]
        if sum(word in _FRENCH for word in words) >= max(
            1, sum(word in _ONLY_ENGLISH for word in words)
        ):
            continue
        few = sum(word in _ENGLISH for word in words) < _FEW
        if few and (len(words) <= _FEW or sum(word in _ONLY_ENGLISH for word in words) < 2):
            continue
        if sentence not in source:
            yield f"not French: '{sentence[:60]}'"

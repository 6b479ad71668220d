"""Abbreviations of French clinical notes, each with what it stands for, folded.

A rewrite may say one for the other: "HTA" and "hypertension artérielle" are one term.
"""

_LINES = """
ains: anti inflammatoires steroidiens
aomi: arteriopathie obliterante membres inferieurs
atcd: antecedents
avc: accident vasculaire cerebral
avk: antivitamine
bpco: bronchopneumopathie chronique obstructive
crp: proteine reactive
did: diabete
dnid: diabete
ecbu: examen cytobacteriologique urines
ecg: electrocardiogramme
eeg: electroencephalogramme
emg: electromyogramme
ep: embolie pulmonaire
ett: echocardiographie
fa: fibrillation auriculaire atriale
fogd: fibroscopie oesogastroduodenale
hbpm: heparine bas poids moleculaire
hta: hypertension arterielle
htap: hypertension arterielle pulmonaire
ic: insuffisance cardiaque
idm: infarctus myocarde
idr: intradermoreaction
iec: inhibiteur enzyme conversion
im: intramusculaire
ir: insuffisance renale
irc: insuffisance renale chronique
irm: imagerie resonance magnetique
iv: intraveineuse
ivd: intraveineuse directe
lba: lavage bronchoalveolaire
lbc: lavage
lcr: liquide cephalorachidien
mi: membres inferieurs
ms: membres superieurs
nfs: numeration formule
oap: oedeme aigu poumon
pid: pneumopathie interstitielle diffuse
pl: ponction lombaire
postpartum: accouchement
rgo: reflux gastro oesophagien
sca: syndrome coronarien aigu
scanner: tomodensitometrie
sep: sclerose plaques
tdm: tomodensitometrie scanner
ttt: traitement
tvp: thrombose veineuse profonde
vhb: hepatite
vhc: hepatite
vih: virus immunodeficience humaine
vs: vitesse sedimentation
"""

EXPANSIONS: dict[str, tuple[str, ...]] = {
    short: tuple(words.split())
    for short, words in (line.split(": ") for line in _LINES.strip().splitlines())
}
"""Words of its expansion (all of them, or one that says the same), by abbreviation."""

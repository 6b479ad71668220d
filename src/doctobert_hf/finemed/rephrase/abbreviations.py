"""Abbreviations of French clinical notes, each with what it stands for, folded.

A rewrite may say one for the other: "HTA" and "hypertension artérielle" are one term.
"""

_LINES = """
ains: anti inflammatoires steroidiens
aomi: arteriopathie obliterante membres inferieurs
atcd: antecedents
ait: accident ischemique transitoire
avc: accident vasculaire cerebral
avk: antivitamine
bpco: bronchopneumopathie chronique obstructive
civd: coagulation intravasculaire disseminee
crp: proteine reactive
did: diabete
dnid: diabete
dmla: degenerescence maculaire
ecbu: examen cytobacteriologique urines
ecg: electrocardiogramme
eeg: electroencephalogramme
emg: electromyogramme
ep: embolie pulmonaire
ett: echocardiographie
fa: fibrillation auriculaire
fogd: fibroscopie oesogastroduodenale
hbpm: heparine bas poids moleculaire
hsa: hemorragie sous arachnoidienne
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
mici: maladie inflammatoire intestin
ms: membres superieurs
nfs: numeration formule
oap: oedeme aigu poumon
pid: pneumopathie interstitielle diffuse
pl: ponction lombaire
postpartum: accouchement
rch: rectocolite hemorragique
rgo: reflux gastro oesophagien
saos: syndrome apnees sommeil
sca: syndrome coronarien aigu
scanner: tomodensitometrie
sdra: syndrome detresse respiratoire
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

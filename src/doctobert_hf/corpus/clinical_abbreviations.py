"""Abbreviations of French clinical notes, each with what it stands for, folded.

A rewrite may say one for the other, and a search may find one by the other: "HTA" and "hypertension
artérielle" are one term.
"""

_LINES = """
acfa: arythmie fibrillation auriculaire
acr: arret cardiorespiratoire
adp: adenopathies
adr: adrenaline
aeg: alteration etat general
ains: anti inflammatoires steroidiens
ait: accident ischemique transitoire
aod: anticoagulants oraux directs
aomi: arteriopathie obliterante membres inferieurs
atcd: antecedents
avc: accident vasculaire cerebral
avk: antivitamine
avp: accident voie publique
bav: bloc auriculoventriculaire
bk: bacille koch
bmi: indice masse corporelle
bpco: bronchopneumopathie chronique obstructive
bu: bandelette urinaire
bzd: benzodiazepine
cat: conduite tenir
civd: coagulation intravasculaire disseminee
cpk: creatine phosphokinase
crp: proteine reactive
dfg: debit filtration glomerulaire
dg: diagnostic
did: diabete
dmla: degenerescence maculaire
dnid: diabete
ecbu: examen cytobacteriologique urines
ecg: electrocardiogramme
eeg: electroencephalogramme
eer: epuration extra renale
eg: etat general
emg: electromyogramme
ep: embolie pulmonaire
epo: erythropoietine
eto: echocardiographie oesophagienne
ett: echocardiographie
eva: echelle visuelle analogique
fa: fibrillation auriculaire
fc: frequence cardiaque
fcs: fausse couche
fevg: fraction ejection ventricule
fid: fosse iliaque
fig: fosse iliaque
fo: fond oeil
fogd: fibroscopie oesogastroduodenale
fu: fluorouracile
fr: frequence respiratoire
gb: globules blancs leucocytes
gcs: glasgow
gea: gastroenterite aigue
geu: grossesse extra uterine
gr: globules rouges hematies
hb: hemoglobine
hbp: hypertrophie benigne prostate
hbpm: heparine bas poids moleculaire
hc: hemocultures
hctz: hydrochlorothiazide
hdl: cholesterol
hed: hematome extra dural
hic: hypertension intracranienne
hnf: heparine fractionnee
hp: helicobacter pylori
hsa: hemorragie sous arachnoidienne
hsd: hematome sous dural
hshc: hemisuccinate hydrocortisone
hta: hypertension arterielle
htap: hypertension arterielle pulmonaire
hvg: hypertrophie ventriculaire
ic: insuffisance cardiaque
icc: insuffisance cardiaque chronique
idm: infarctus myocarde
idr: intradermoreaction
iec: inhibiteur enzyme conversion
im: intramusculaire
imc: indice masse corporelle
imf: infection materno foetale
inr: international normalized ratio
ir: insuffisance renale
ira: insuffisance renale aigue
irc: insuffisance renale chronique
irm: imagerie resonance magnetique
isrs: inhibiteur recapture serotonine
iu: infection urinaire
iv: intraveineuse
ivd: intraveineuse directe
ivg: interruption volontaire grossesse
lal: leucemie lymphoblastique
lba: lavage bronchoalveolaire
lbc: lavage
lcr: liquide cephalorachidien
ldl: cholesterol
lmc: leucemie myeloide
lnh: lymphome hodgkinien
maf: mouvements actifs foetaux
map: menace accouchement premature
mi: membres inferieurs
mici: maladie inflammatoire intestin
ms: membres superieurs
mtev: maladie thromboembolique veineuse
mtx: methotrexate
mvte: maladie veineuse thromboembolique
mmf: mycophenolate
nac: acetylcysteine
nad: noradrenaline
nfs: numeration formule
oap: oedeme aigu poumon
oma: otite moyenne aigue
omi: oedemes membres inferieurs
orl: oto rhino laryngologie
pac: pneumopathie pneumonie communautaire
paps: pression arterielle pulmonaire systolique
pc: perte connaissance
pid: pneumopathie interstitielle diffuse
pl: ponction lombaire
pna: pyelonephrite aigue
postpartum: accouchement
pr: polyarthrite rhumatoide
ptg: prothese totale genou
pth: prothese totale hanche
rac: retrecissement aortique
rcf: rythme cardiaque foetal
rch: rectocolite hemorragique
rciu: retard croissance uterin
rea: reanimation
rgo: reflux gastro oesophagien
rl: ringer lactate
rot: reflexes osteotendineux
rpm: rupture membranes
rx: radiographie
sa: semaines amenorrhee
saos: syndrome apnees sommeil
sapl: syndrome antiphospholipides
sca: syndrome coronarien aigu
scanner: tomodensitometrie
sdra: syndrome detresse respiratoire
sep: sclerose plaques
sla: sclerose laterale amyotrophique
spa: spondylarthrite ankylosante
ta: tension arterielle
tc: traumatisme cranien
tca: temps cephaline activee
tdm: tomodensitometrie scanner
tep: tomographie emission positons
tg: triglycerides
tp: taux prothrombine
tsa: troncs supra aortiques
tsh: thyreostimuline
ttt: traitement
tvp: thrombose veineuse profonde
usic: unite soins intensifs
vems: volume expiratoire maximal seconde
vgm: volume globulaire moyen
vhb: hepatite
vhc: hepatite
vih: virus immunodeficience humaine
tdf: tenofovir
efv: efavirenz
nvp: nevirapine
azt: zidovudine
gpa: granulomatose polyangeite
hiv: virus immunodeficience humaine
vni: ventilation invasive
vs: vitesse sedimentation
afp: alpha foetoproteine
asp: abdomen preparation
bbd: bloc branche droit
bbg: bloc branche gauche
cgr: culot globulaire
chc: carcinome hepatocellulaire
cia: communication interauriculaire
civ: communication interventriculaire
cmd: cardiomyopathie dilatee
cmh: cardiomyopathie hypertrophique
cpre: cholangiopancreatographie retrograde
dve: derivation ventriculaire externe
dvp: derivation ventriculoperitoneale
efr: explorations fonctionnelles respiratoires
emb: ethambutol
fiv: fecondation vitro
htic: hypertension intracranienne
htp: hypertension portale
inh: isoniazide
iot: intubation orotracheale
led: lupus erythemateux
lmnh: lymphome malin hodgkinien
mav: malformation arterioveineuse
mni: mononucleose infectieuse
oacr: occlusion artere centrale retine
ovcr: occlusion veine centrale retine
pbf: ponction biopsie foie
pbr: ponction biopsie renale
ppc: pression positive continue
pti: purpura thrombopenique immunologique
ptt: purpura thrombotique thrombocytopenique
pza: pyrazinamide
rmp: rifampicine
sarm: staphylocoque
tbc: tuberculose
ugd: ulcere gastroduodenal
uiv: urographie intraveineuse
vbp: voie biliaire principale
vci: veine cave inferieure
vcs: veine cave superieure
"""

EXPANSIONS: dict[str, tuple[str, ...]] = {
    short: tuple(words.split())
    for short, words in (line.split(": ") for line in _LINES.strip().splitlines())
}
"""Words of its expansion (all of them, or one that says the same), by abbreviation."""

AMBIGUOUS = frozenset(
    "acr adp adr asp bav bk bu cat cia cmd eer eg ep eva fa fc fcs fid fig fo fr fu gb gcs gr "
    "hc hdl hp htp ic im imf ir led ira iu iv ivg lbc ldl map mi mmf ms nac nad pac pc pid pl "
    "ppc pr pth ptt rac rl rot rpm rx sa spa ta tc tca tg tp tsa vs".split()
)
"""Abbreviations that stand for something else elsewhere, or are words, too ("IC": insuffisance
cardiaque, intervalle de confiance)."""

_WORDINGS = """
acfa: arythmie complete par fibrillation auriculaire
ains: anti inflammatoires non steroidiens
avk: antivitamine k, anti vitamine k
bpco: bronchopneumopathie chronique obstructive, broncho pneumopathie chronique obstructive
crp: proteine c reactive
did: diabete insulinodependant, diabete insulino dependant
dmla: degenerescence maculaire liee à l'age, degenerescence maculaire liee a l'age
dnid: diabete non insulinodependant, diabete non insulino dependant
dvp: derivation ventriculoperitoneale, derivation ventriculo peritoneale
eto: echocardiographie transoesophagienne, echographie transoesophagienne
ett: echocardiographie transthoracique, echographie transthoracique
fevg: fraction d'ejection du ventricule gauche, fraction d'ejection ventriculaire gauche
fiv: fecondation in vitro
gea: gastroenterite aigue, gastro enterite aigue
hed: hematome extradural, hematome extra dural
hnf: heparine non fractionnee
hvg: hypertrophie ventriculaire gauche
isrs: inhibiteur selectif de la recapture de la serotonine
lal: leucemie aigue lymphoblastique
lba: lavage bronchoalveolaire, lavage broncho alveolaire
lcr: liquide cephalorachidien, liquide cephalo rachidien
lmc: leucemie myeloide chronique
lmnh: lymphome malin non hodgkinien
lnh: lymphome non hodgkinien
mici: maladie inflammatoire chronique de l'intestin
mtev: maladie thromboembolique veineuse, maladie thrombo embolique veineuse
mvte: maladie veineuse thromboembolique, maladie veineuse thrombo embolique
nfs: numeration formule sanguine
oacr: occlusion de l'artere centrale de la retine
ovcr: occlusion de la veine centrale de la retine
pbf: ponction biopsie de foie, ponction biopsie hepatique
rch: rectocolite hemorragique, recto colite hemorragique
rciu: retard de croissance intra uterin
saos: syndrome d'apnees obstructives du sommeil, syndrome d'apnees du sommeil
sdra: syndrome de detresse respiratoire aigue
tdm: tomodensitometrie
usic: unite de soins intensifs cardiologiques, unite de soins intensifs de cardiologie
vhb: virus de l'hepatite b
vhc: virus de l'hepatite c
vni: ventilation non invasive
"""


def wordings() -> dict[str, tuple[str, ...]]:
    """Return what each abbreviation that is not ambiguous stands for, whole.

    :data:`EXPANSIONS` leaves words out that a comparison can do without ("non", "K").

    Example:
        >>> wordings()["hta"], wordings()["vni"], "ic" in wordings()
        (('hypertension arterielle',), ('ventilation non invasive',), False)
    """
    whole = {
        short: tuple(said.split(", "))
        for short, said in (line.split(": ") for line in _WORDINGS.strip().splitlines())
    }
    abbreviations = EXPANSIONS.keys() - AMBIGUOUS - {"postpartum", "scanner"}  # these are words
    return {s: whole.get(s) or (" ".join(EXPANSIONS[s]),) for s in sorted(abbreviations)}


ANOTHER_WAY: dict[str, tuple[str, ...]] = {
    "ains": ("anti-inflammatoire", "anti inflammatoire", "antiinflammatoire"),
    "ait": ("accident ischemique",),
    "avc": (
        "accident vasculaire",
        "infarctus cerebra",
        "attaque cerebrale",
        "hemorragie cerebrale",
    ),
    "bav": ("acuite", "auriculo", "vision", "vue"),
    "bpco": ("bronchite chronique", "pneumopathie chronique", "maladie pulmonaire obstructive"),
    "ep": ("embolie", "emboles pulmonaires"),
    "fa": ("fibrillation", "arythmie", "acfa"),
    "hta": ("hypertend", "tension arterielle", "hypertension"),
    "ic": ("insuffisan", "indice", "intervalle"),
    "idm": ("infarctus", "crise cardiaque"),
    "ir": ("insuffisan", "irm"),
    "irc": ("insuffisant renal", "insuffisants renaux", "maladie renale chronique"),
    "oap": ("oedeme",),
    "pna": ("pyelonephrit",),
    "rgo": ("reflux",),
    "sep": ("sclerose en plaques",),
    "vhb": ("hepatite b", "virus b", "virales b"),
    "vhc": ("hepatite c", "virus c", "virales c", "b et c"),
    "tvp": ("phlebite", "thrombose veineuse", "thromboses veineuses"),
}
"""What else says a disease that a source has as an abbreviation, by its beginning, folded."""

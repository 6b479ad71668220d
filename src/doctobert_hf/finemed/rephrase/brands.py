"""Brand names of medicines that French prescriptions hold often, and what they hold, folded.

The gates know them without any other lexicon; where edsnlp is installed, its list is read too.
"""

BRANDS = frozenset(
    """abilify acupan advil aerius aldactone allopurinol alprazolam amarel amlor anafranil aprovel
    aspegic atacand atarax augmentin avlocardyl bactrim betadine bipreterax brilique bristopen
    brufen calciparine celebrex cellcept celestene champix cialis ciflox clamoxyl claradol coaprovel
    colchimax contramal cordarone corgard cortancyl coumadine coversyl cozaar crestor cymbalta
    dafalgan daflon debridat depakine depakote deroxat detensiel di-antalvic diamicron diprosone
    doliprane durogesic effexor efferalgan efferalganmed elisor eliquis eludril enbrel entresto
    esidrex euthyral exacyl ezetrol flagyl flecaine flixotide forlax forxiga fosamax fraxiparine
    fungizone gardenal gaviscon genotropin glucophage gutron haldol hemigoxine herceptin humalog
    humira hyperium imodium imovane imurel inexium innohep inspra invirase ixprim januvia jardiance
    josir kaletra kardegic keppra kenzen kestin lamictal lanzor lantus lasilix laroxyl lercan
    levemir levothyrox lexomil lioresal lipanthyl lodales loxen lovenox lumirelax lyrica lysanxia
    mabthera maxilase mediator micardis modopar mopral motilium mucomyst nebilox neoral neurontin
    nexium nivaquine nolvadex noctamide norset novomix novonorm novorapid oflocet ogast orelox
    oxycontin pariet parlodel permixon plaquenil plavix ponstyl pradaxa praluent prednisolone
    previscan primperan procoralan prozac pulmicort pyostacine ramipril ranexa remicade requip
    rhinocort risperdal ritaline rivotril rocephine rovamycine sabril seretide seresta seroplex
    seropram sintrom skenan smecta solumedrol solupred spasfon spiriva stablon stilnox subutex
    symbicort tahor tareg tazocilline tegretol temesta tenormine tercian theralene tienam titanorein
    topalgic toplexil tranxene trandate triatec trileptal trulicity ultibro uroxatral utrogestan
    uvedose valium vastarel ventoline versatis vesicare viagra victoza voltarene vogalene xarelto
    xanax xatral xyzall zaldiar zelitrex zestril zithromax zocor zoloft zyloric zyprexa zyrtec
    """.split()
)

_HOLD = """
abilify: aripiprazole; acupan: nefopam; advil: ibuprofene; aerius: desloratadine
aldactone: spironolactone; amarel: glimepiride; amlor: amlodipine; aprovel: irbesartan
aspegic: aspirine acetylsalicylique; atacand: candesartan; atarax: hydroxyzine
augmentin: amoxicilline clavulanique; avlocardyl: propranolol; bactrim: cotrimoxazole
brilique: ticagrelor; brufen: ibuprofene; calciparine: heparine; celebrex: celecoxib
cellcept: mycophenolate; celestene: betamethasone; ciflox: ciprofloxacine; clamoxyl: amoxicilline
claradol: paracetamol; contramal: tramadol; cordarone: amiodarone; cortancyl: prednisone
coumadine: warfarine; coversyl: perindopril; cozaar: losartan; crestor: rosuvastatine
cymbalta: duloxetine; dafalgan: paracetamol; depakine: valproate valproique; deroxat: paroxetine
diamicron: gliclazide; doliprane: paracetamol; durogesic: fentanyl; effexor: venlafaxine
efferalgan: paracetamol; eliquis: apixaban; enbrel: etanercept; exacyl: tranexamique
ezetrol: ezetimibe; flagyl: metronidazole; forxiga: dapagliflozine; fraxiparine: nadroparine
gardenal: phenobarbital; glucophage: metformine; haldol: haloperidol; herceptin: trastuzumab
humalog: lispro; humira: adalimumab; imodium: loperamide; imovane: zopiclone; imurel: azathioprine
inexium: esomeprazole; innohep: tinzaparine; januvia: sitagliptine; jardiance: empagliflozine
josir: tamsulosine; kardegic: aspirine acetylsalicylique; keppra: levetiracetam
lamictal: lamotrigine; lanzor: lansoprazole; lantus: glargine; lasilix: furosemide
laroxyl: amitriptyline; levemir: detemir; levothyrox: levothyroxine; lexomil: bromazepam
lioresal: baclofene; lovenox: enoxaparine; lyrica: pregabaline; lysanxia: prazepam
mabthera: rituximab; micardis: telmisartan; mopral: omeprazole; neoral: ciclosporine
neurontin: gabapentine; nexium: esomeprazole; nivaquine: chloroquine; nolvadex: tamoxifene
novorapid: asparte; oflocet: ofloxacine; orelox: cefpodoxime; plaquenil: hydroxychloroquine
plavix: clopidogrel; pradaxa: dabigatran; previscan: fluindione; primperan: metoclopramide
prozac: fluoxetine; pulmicort: budesonide; pyostacine: pristinamycine; risperdal: risperidone
ritaline: methylphenidate; rivotril: clonazepam; rocephine: ceftriaxone; rovamycine: spiramycine
seretide: salmeterol fluticasone; seroplex: escitalopram; seropram: citalopram
solumedrol: methylprednisolone; solupred: prednisolone; spasfon: phloroglucinol
spiriva: tiotropium; stilnox: zolpidem; subutex: buprenorphine; symbicort: budesonide formoterol
tahor: atorvastatine; tareg: valsartan; tazocilline: piperacilline tazobactam
tegretol: carbamazepine; temesta: lorazepam; tenormine: atenolol; tercian: cyamemazine
tienam: imipeneme; topalgic: tramadol; tranxene: clorazepate; trandate: labetalol
triatec: ramipril; trileptal: oxcarbazepine; trulicity: dulaglutide; valium: diazepam
ventoline: salbutamol; victoza: liraglutide; voltarene: diclofenac; xarelto: rivaroxaban
xanax: alprazolam; xatral: alfuzosine; zelitrex: valaciclovir; zestril: lisinopril
zithromax: azithromycine; zocor: simvastatine; zoloft: sertraline; zyloric: allopurinol
zyprexa: olanzapine; zyrtec: cetirizine; uvedose: cholecalciferol
"""
HOLDS: dict[str, tuple[str, ...]] = {
    brand.strip(): tuple(held.split())
    for line in _HOLD.strip().splitlines()
    for brand, held in (entry.split(":") for entry in line.split(";"))
}
"""What a brand holds: a rewrite may call one by the other."""
_SOLD_AS = {
    held: tuple(brand for brand, all_held in HOLDS.items() if held in all_held)
    for held in {name for all_held in HOLDS.values() for name in all_held}
}


def other_names(word: str) -> tuple[str, ...]:
    """Return what a brand holds, or the brands that hold a medicine, folded."""
    return HOLDS.get(word) or _SOLD_AS.get(word, ())

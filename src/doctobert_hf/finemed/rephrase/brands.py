"""Brand names of medicines that French prescriptions hold often, folded.

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

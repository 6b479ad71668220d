"""French words that deny, affirm or turn a sentence, as patterns; polarity is read by them."""

from __future__ import annotations

import re

DONE = (
    r"(?:faite?s?|r[ée]alis[ée]e?s?|effectu[ée]e?s?|pratiqu[ée]e?s?|retrouv[ée]e?s?|observ[ée]e?s?|"
    r"not[ée]e?s?|objectiv[ée]e?s?|vue?s?|d[ée]cel[ée]e?s?|d[ée]tect[ée]e?s?|rapport[ée]e?s?|"
    r"signal[ée]e?s?|constat[ée]e?s?|identifi[ée]e?s?|visualis[ée]e?s?|per[çc]ue?s?|"
    r"mise?s?\s+en\s+[ée]vidence|pr[ée]sente?s?|survenue?s?|d[ée]plor[ée]e?s?|prescrite?s?|introduite?s?|laiss[ée]e?s?|"
    r"pos[ée]e?s?|administr[ée]e?s?|disponibles?|utilis[ée]e?s?|n[ée]cessaires?|obtenue?s?|connue?s?|"
    r"en\s+place|visibles?|palpables?|perceptibles?)"
)
"""What is done with an examination, or with a finding: where it was not, the thing is denied."""
CUE = re.compile(
    r"(?<!\w)(?:(?:pas|jamais)\s+(?:(?!candidat|seul)\w+\s+){0,2}?(?:d['’]|de\s)|pas\s+mis\w*\s+en\s+[ée]vidence\s+d[e'’]|"
    r"pas\s+non\s+plus|"
    r"(?:ne\s|n['’])\s*(?:\w+\s+){1,3}?(?:plus|gu[èe]re|point)\s+(?:\w+\s+)?(?:d['’]|de\s)|"
    r"(?<!pas )(?:ne\s)\s*(?:pr[ée]sent|montr|comport|port|r[ée]v[èe]l|retrouv|objectiv|signal|"
    r"rapport|d[ée]cri|allègu|relev|not|met|trouv)\w*\s+(?:en\s+évidence\s+)?"
    r"(?:d['’]|de\s)|"
    r"(?:sans|aucune?s?|ni)(?!\w)|absences?\s+d[e'’]|"
    r"absences?\s+(?:du|des)|faute\s+d[e'’]|(?:indemne|exempte?|vierge)s?\s+d[e'’]|"
    r"(?:est|sont|[ée]tai(?:t|ent)|rest\w+|aires?\s+\w+)\s+libres?\s+d[e'’]|"
    r"abst(?:enue?s?|ient|enant|enir|enait)\s+(?:de\s+(?:toute?\s+)?|d['’])|"
    r"(?:respect|[ée]pargn)(?:ant|ent|ai(?:t|ent)|er?)\s+(?:l[ae]s?\s+|l['’])|rien\s+n['’](?:indiqu|[ée]vo[qc]|sugg[èe]r)\w+\s+(?:une?\s+|d['’]\s?|de\s+)|"
    r"(?:nie(?:nt)?|niant|d[ée]ment|r[ée]fute|r[ée]cuse)\s+"
    r"(?:toute?s?\s+|la\s+prise\s+d['e]\s*|prendre\s+|avoir\s+)?|"
    r"(?:d[ée]pourv|d[ée]n)u[ée]?e?s?\s+d[e'’]|en\s+dehors\s+de\s+toute?(?!\w)|n[ée]gati(?:f|ve)s?\s+(?:pour|à|aux?)\s+(?:l[ae]s?\s|l'|des?\s|d')?|"
    r"non[ -](?=\w+)|"
    r"exclu(?!si)\w*|[ée]limin(?!ation|atoire)\w+|[ée]cart(?:e|ent|er|ant|ait)(?!\w)(?!\s+(?:ses|leurs))|"
    r"infirm(?!i[èe]r)\w+|"
    r"(?:a|ont|avai(?:t|ent)|ayant)\s+[ée]cart[ée](?!\w)|"
    r"renon[çc]\w+\s+à\s+(?:toute?\s+)?|(?<=pas )sous(?!\w)|"
    r"(?:\A\s*|:\s*)plus\s+(?:d['’]|de\s)(?!\s*\d)|(?<=,)\s*plus\s+d['’](?!\s*une?\s)(?![^,;.]*\sque?(?!\w))|contrairement\s+(?:à|"
    r"aux?)\s+(?:l['’]|l[ae]s?\s)?|(?:\A|,|(?<!\w)et)\s*(?:non\s+)?pas\s+(?:à|aux?|avec|chez)\s+(?:l['’]|l[ae]s?\s)?)",
    re.IGNORECASE,
)
AFTER = re.compile(
    r"(?<!\w)(?:absente?s?|[ée]limin[é]e?s?|"
    r"(?<!jambes )(?<!cuisses )(?<!bras )(?<!membres )(?<!pieds )(?<!dents )"
    r"(?<!orteils )(?<!doigts )(?<!yeux )(?<!l[èe]vres )(?<!berges )[ée]cart[é]e?s?|"
    r"inconnue?s?|ignor[ée]e?s?|indemnes?(?!\s+d[e'’])|respect[ée]e?s?|[ée]pargn[ée]e?s?|exclue?s?|infirm[é]e?s?|"
    r"ni[é]e?s?|(?:non|pas)\s+retenue?s?|ir?r[ée]alisables?|infaisables?|vierges?(?!\s+d)|"
    rf"non\s+{DONE}|n['’](?:\w+)\s+(?:pas|jamais|plus)\s+"
    rf"(?:(?:pu|d[ûu]|[ée]t[ée]|[êe]tre)\s+){{0,3}}{DONE}|n['’](?:a|ont|avai(?:t|ent))\s+pu\s+[êe]tre\s+"
    r"(?:identifi|visualis|retrouv|observ|mis\w*\s+en\s+[ée]viden)\w+)(?!\w)"
    r"|:\s*(?:non|0(?![.,]?\d)|n[ée]ant|aucune?|sans|nuls?|(?-i:RAS)|rien)(?=\s*[.;,)\n]|\s*\Z)"
    r"|(?<!\w)(?:(?<!pas )(?:font|fait|faisant|faisai(?:t|ent))\s+(?:toujours\s+)?d[ée]faut|"
    r"(?<!ne )manqu(?:ent|ai(?:t|ent)))(?!\w)",
    re.IGNORECASE,
)
OF_ALL = re.compile(r"n['’](?:[ée]taient|ont|avaient)(?!\w)", re.IGNORECASE)
"""A denial of all that is listed before it: "la radio, le bilan n'étaient pas réalisés"."""
LISTED = re.compile(r"\s*(?:et\s+)?(?:l[ae]s?\s+|l['’])[\w'’ -]{2,60}\Z", re.IGNORECASE)
TELLS_ALREADY = re.compile(
    r"(?<!\w)(?:est|sont|a|ont|[ée]tai(?:t|ent)|avai(?:t|ent)|montr\w+|retrouv\w+|r[ée]v[ée]l\w+)(?!\w)"
)
"""In what is no member of such a list."""
BEFORE_ANY = re.compile(
    r"(?<!\w)(?:pas|sans|aucune?s?|ni|non|jamais|rien|absen\w+|n[ée]gati\w+|exclu\w*|[ée]limin\w+|nie|"
    r"faute|indemne\w*|infirm\w+|n[ée]g|exempte?s?|interdi\w+|"
    r"d[ée]ment|nient|contre[- ]indi\w+|"
    r"d[ée]conseill\w+|proscri\w+|[ée]vit\w+|"
    r"[ée]cart(?:e|ent|er|ant|ait|[ée])|refus\w*|jeûne)(?!\w)",
    re.IGNORECASE,
)
BEHIND_ANY = re.compile(
    r"(?<!\w)(?:absen(?!ces?\s+d)\w+|n[ée]gati\w+|exclu\w*|[ée]limin\w+|nie|ni[ée]e?s?|disparu\w*|infirm\w+|"
    rf"n[ée]g(?!\w)|non\s+{DONE}(?!\w)|:\s*non(?!\w)|interdi\w+|proscri\w+|cess[ée]\w*|"
    r"contre[- ]indi\w+|d[ée]conseill\w+|refus\w*|[àa]\s+[ée]viter|[ée]vit[ée]e?s?|"
    r"(?:non|pas)\s+(?:indiqu|recommand|n[ée]cessaire|utile|justifi|souhait|associ|li[ée]|corr[ée]l|significati)\w*|"
    r"\?\s*(?:R\w*\s*:\s*)?non(?!\w)|n['’]|ne(?!\w))",
    re.IGNORECASE,
)
FREE = re.compile(r"(?<!\w)libres?(?!\w)", re.IGNORECASE)
"""Of what stands directly before it: "aires ganglionnaires libres"."""
RULED_OUT = re.compile(r"(?<!\w)(?:[ée]limin|[ée]cartant|exclu|infirm|n[ée]gati)", re.IGNORECASE)

PRESENT = re.compile(
    r"(?:^|[,(])(?P<told>[^,()]+?)(?:(?<!\w)(?:pr[ée]sente?s?|retrouv[ée]e?s?|confirm[ée]e?s?|av[ée]r[ée]e?s?|"
    r"positi(?:f|ve)s?)|:\s*oui)\s*(?=[,)]|\Z)",
    re.IGNORECASE,
)

TURN = re.compile(
    r"(?:[,(]\s*(?:notamment\s)?|\set\s|\snotamment\s)(?:une?|les?|des|la|l['’]|il|elle|on|puis|avec|cette|ce|cet|son|sa|ses|dont|qui|a|avait|pr[ée]sente\w*|est)"
    r"(?!\w)|\set\s(?=n['’]|ne\s)",
    re.IGNORECASE,
)
"""A comma, or "et la", behind which something else is told than what was denied before it."""

LOOKED_FOR = re.compile(
    r"(?<!\w)(?:(?P<gone>disparition)\s+(?:\w+\s+)?(?:des?|du)|recherche(?:r\s+(?:une?|l[ae]s?|l['’])|"
    r"r?\s+d(?:es?|u|['’])))"
    r"(?P<told>(?(gone)[^,;:.()]{0,50}?(?:\set\s(?:du|des|de\s+la|de\s+l['’])[^,;:.()]{0,50}?)?|"
    r"(?:(?!\s(?:chez|ayant|devant|pour)\s)[^,;:.()]){0,90}?))"
    r"(?=\s(?:sans|avec|qui|dont|pas|et\s+(?:l[ae]s?|une?|des))\s|[,;:.()]|\Z)",
    re.IGNORECASE,
)
"""What is looked for, or is gone, is neither affirmed nor denied."""
GOES_ON = re.compile(
    r",(?!\s*(?:pas|sans|aucune?|absence|ni)\s)|(?<!\w)(?:ni|ou|et)(?!\w)", re.IGNORECASE
)

VERB = re.compile(
    r"(?<!\w)(?:ne\s+|n['’])(?:(?:est|sont|[ée]tai(?:t|ent))\s+pas\s+(?P<state>\w{3,}(?:ine?s?|ifs?|"
    r"ives?|iques?|eux|euses?|a(?:l|le|les|ux)))(?!\w)|(?:pas|jamais|plus)\s+(?P<bare>\w+(?:er|ir|re))(?!\w)"
    r"|(?<=personne\sn['’])\w+\s+(?P<who>\w+)(?!\w)"
    r"|(?:s['’]|se\s+|y\s+|en\s+)?(?P<verb>\w+)(?:-\w+)?\s+(?:pas|jamais|plus|gu[èe]re|nullement|aucunement|ni(?=\s+(?:aux?|à)\s))(?:\s+(?:pu|d[ûu]|[ée]t[ée]|[êe]tre|encore)(?!\w))*"
    r"(?:\s+(?:l[ea]s?\s|l['’]|cet(?:te)?\s|ces?\s)(?P<object>\w+)(?:\s+(?P<which>\w+"
    r"(?:aires?|a(?:l|le|ux)|iques?|eu(?:x|se|ses)))(?!\w))?|"
    r"\s+(?P<told>\w+(?:[ée]e?s?|ie?s?|ue?s?|aires?|ables?|ibles?|er|ir|re))(?!\w))?)",
    re.IGNORECASE,
)
"""A verb that is denied: "ne doublez pas", "ne pas appliquer", "n'est pas recommandé"."""
LIST = re.compile(
    r"(,\s*(?:ni\s|ou\s|et\s)?(?=d['’e]|ni\s|ou\s)|\sni\s|\sou\s|\s(?:et|comme)\s(?=de\s|d['’]))"
)
SCOPE_END = re.compile(
    r"[,:()]|(?<=incident)(?=\s+d)|(?<=\s)(?:L['’]|(?:Les?|La|Il|Elle|Une?|On)(?!\w))|(?<!\w)(?:avec|puis|donc|qui|pour|consultant|car|est|sont|[ée]tai(?:t|ent)|ont|sera|fut|a|avai(?:t|ent)|pr[ée]sente|consulte|"
    r"par|gr[âa]ce|à|au|"
    r"aux|des|du|de\s+la|sur|sous|dans|lors|selon|chez|malgr[ée]|depuis|pendant|durant|lorsque|parce|"
    r"dont|et(?=\s+(?:l[ea]s?|une?|ils?|elles?|on|son|sa|ses)\s|\s+l['’]))(?!\w)"
)


BEARER = re.compile(r"\s+(?:l(?:es?\s|a\s|['’])|s(?:es|on|a)\s|leurs?\s)", re.IGNORECASE)
BEARERS = re.compile(
    r"(?<!\w)(?:ne\s+(?:pr[ée]sent|montr|comport|port|r[ée]v[èe]l|sont|est|furent)|"
    r"n['’](?:[ée]tai(?:t|ent)|est|a|ont|avai(?:t|ent))(?!\w)|ne\s+l(?:['’]|es\s)(?:a|ont|avai(?:t|ent))(?!\w))\w*",
    re.IGNORECASE,
)
"""Who is told to have nothing: "ni le crâne ni le rachis ne présentent de lésion"."""

ANY = re.compile(
    r"(?<!\w)(?:pas|jamais|ne|sans|aucun|ni|non|rien|nul|faute|libre|plus|point)(?:e?s?)(?!\w)|n['’]|"
    r"(?<!\w)(?:abst[ei]|absen|indemne|exempt|vierge|ni[ée]|nian|d[ée]m[eo]n|r[ée]f|r[ée]cus|d[ée]pourv|d[ée]nu|dehors|contrairement|inconnu|ignor|respect|[ée]pargn|n[ée]g|exclu|"
    r"ir?r[ée]alis|infaisa|[ée]limin|[ée]cart|infirm|disparu|disparition|recherche|renonc|cess|interdi|proscri|"
    r"contre[- ]indi|d[ée]conseill|[ée]vit|jeûn)|:\s*(?:0|n[ée]ant|(?-i:RAS))|"
    r"d[ée]faut|manqu[ea]",
    re.IGNORECASE,
)
"""Any of them: where a sentence has none, all of it is affirmed."""


_NO_DENIAL = re.compile(r"n['’]\w+\s+(?:pas|jamais|plus)\s+\w+[ée]\s+(?:de\s|d['’])", re.IGNORECASE)
"""Of what stands behind it: "l'auscultation n'a pas objectivé de râles"."""
_KEPT_TO = re.compile(
    r"(?:intervalle|d[ée]lai|dose|posolog|sch[ée]ma|protocole|r[èe]gle|consigne|rythme|cure)\w*"
    r"[^,;:.]*\Z",
    re.IGNORECASE,
)
"""What is respected and not spared: "l'intervalle entre les cures étant respecté"."""


_RULED = re.compile(
    r"(?:(?<!\w)(?:est|sont|[ée]tai(?:t|ent)|[ée]t[ée]|[êe]tre|fut|soit|a|ont|avai(?:t|ent)|ayant)\s+"
    r"(?:\w+\s+)?|"
    r"(?:hypoth|diagnost|cause|origine|[ée]tiolog|piste|infecti|maladi|tumeur|cancer|malign|fractur|"
    r"embol|thromb|\w{3}ite|\w{3}ose|\w{3}ome)\w*[^,;]{0,60}\s)\Z",
    re.IGNORECASE,
)
"""Behind these "écarté" is ruled out, and not moved away: "une hanche pliée, écartée"."""
_SPARES = re.compile(r"(?:respecte|[ée]pargne)s?\s+(?:l[ae]s?\s|l['’])", re.IGNORECASE)


_EXCLUDES = re.compile(r"(?:[ée]limin|[ée]cart|exclu|infirm)", re.IGNORECASE)
_HAS = re.compile(
    r"(?<!\w)(?:a|ont|avai(?:t|ent)|aura|ayant|permi\w*\s+d['’]|permet\w*\s+d['’])\s*"
    r"(?:(?:ainsi|aussi|[ée]galement|formellement|pu|permis\s+d['’])\s*)?\Z",
    re.IGNORECASE,
)
"""Behind these it is the object that is ruled out: "la cœlioscopie a éliminé une appendicite"."""


def places_behind(segment: str) -> list[int]:
    """Return where the cues begin that deny what stands before them."""
    found = []
    for match in AFTER.finditer(segment):
        at = match.start()
        kept = match[0].lower().startswith("respect") and _KEPT_TO.search(
            segment, max(0, at - 60), at
        )
        spares = _SPARES.match(segment, at)  # "respecte la graisse": what stands behind it
        apart = match[0].lower().startswith(("écart", "ecart")) and not _RULED.search(
            segment, max(0, at - 90), at
        )
        active = _EXCLUDES.match(segment, at) and _HAS.search(segment, max(0, at - 40), at)
        denies = not (kept or spares or apart or active)
        if denies and not _NO_DENIAL.match(segment, at):
            found.append(at)
    return found

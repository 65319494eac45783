"""The words of ECG reports: a line made of anything else is not shown.

An allow-list, because names, numbers and dates have no form by which they could be told
from other text. Words of which a name could be made (Block, Long, Small) are weak: a line
needs a word besides them. English and German, a little French and Italian.
"""

from __future__ import annotations

import re
import unicodedata

#: German endings: "normal~" is normal, normale, normaler, ...
_ENDINGS = ("", "e", "er", "es", "en", "em")

_RHYTHM = """
intrinsic electronic vent ventr contraction+ bigeminie trigeminie sinusknoten ersatzsystole ersatzsystolen normokard~
uniform~ multiform~ interponiert~ beschleunigt~ accelerated wandernd~ chaotic focus sr rhythm+ rhythmus rhythmusstörung~
sinus sinusrhythm sinusrhythmus sinusbradykardie sinustachykardie sinusarrhythmie sinusbradycardia sinustachycardia
bradycardia bradycardic tachycardia tachycardic bradyarrhythmia tachyarrhythmia arrhythmia+ arrhythmic dysrhythmia brady
tachy bradykardie tachykardie arrhythmie bradyarrhythmie tachyarrhythmie arrhythmisch~ bradykard~ tachykard~ atrial
ventricular supraventricular junctional nodal atrioventricular idioventricular ectopic ectopy ectopia fibrillation
flutter fibrillatory flimmern flattern vorhofflimmern vorhofflattern kammerflimmern kammerflattern kammertachykardie
vorhoftachykardie vorhofrhythmus kammerrhythmus knotenrhythmus ersatzrhythmus schrittmacherrhythmus premature
extrasystole+ extrasystolen extrasystolie escape beat+ complex complexes couplet+ bigeminy trigeminy quadrigeminy
bigeminus trigeminus bigeminal trigeminal paroxysmal multifocal unifocal multiform fusion capture interpolated reentry
reentrant wandering vorhof~ kammer~ ventrikulär~ supraventrikulär~ svt vt vf af afib afl aflut pac pacs pvc pvcs pjc
pjcs ves sves svpb vpb vpbs vpc vpcs apc apcs psvt avnrt avrt nsvt sarrh sbrad stach
"""
_CONDUCTION = """
av intraventrikulär~ bifaszikulär~ verbreiterung verbreitert~ fasicular conduction conducted intraventricular
interventricular interatrial bundle branch fascicular hemiblock bifascicular trifascicular avb lbbb rbbb ilbbb irbbb
clbbb crbbb ivcd ivcb lafb lpfb lahb lphb lafh lpfh bbb preexcitation excitation preexcited wpw lgl delta aberrant
aberrancy aberration dissociation sinoatrial accessory pathway asystole pause+ arrest prolonged prolongation prolong
shortened shortening delay delayed degree wenckebach mobitz avblock avblocks blockierung blockbild schenkelblock
linksschenkelblock rechtsschenkelblock hemiblock~ linksanterior~ linksposterior~ erregungsleitung
erregungsleitungsstörung erregungsausbreitung erregungsausbreitungsstörung erregungsrückbildung
erregungsrückbildungsstörung~ repolarisationsstörung~ repolarization repolarisation depolarization repol leitungsstörung
leitungsverzögerung überleitung überleitungsstörung überleitungszeit faszikulär~ verzögerung verzögert~ verlängert~
verlängerung verkürzt~ verkürzung präexzitation dissoziation grades pacemaker paced pacing pacer spike+ schrittmacher
schrittmacherstimulation demand biventricular atrially ventricularly dual
"""
_TERRITORY = """
hochlateral~ antero infero supraventr intraventr lv rv la ra involvement innenschichtschaden innenschichtsschaden
anterior anteroseptal anterolateral septal lateral inferior inferolateral inferoposterior posterior posterolateral
apical anteroapical basal highlateral diffuse widespread precordial anteroinferior posteroinferior inferoapical
subendocardial transmural subepicardial epicardial limb leads lead chest lad lcx rca left-main biatrial myocardium
vorderwand hinterwand seitenwand vorderwandinfarkt hinterwandinfarkt seitenwandinfarkt septum anteroseptal~ inferior~
lateral~ septal~ apikal~ posterior~ anterior~ anterolateral~ inferolateral~ linksventrikulär~ rechtsventrikulär~
linkspräkordial~ rechtspräkordial~ präkordial~ linksatrial~ rechtsatrial~ linksherz~ rechtsherz~ brustwand extremitäten
extremitätenableitungen brustwandableitungen ableitung ableitungen iii avr avl avf navr vr vl vf
"""
_CONDITION = """
linksbelastung rechtsbelastung sinistrocardiale dextrocardiale myokardschaden myokardschädigung kammerhypertrophie
vorhofüberlastung vorhofsüberlastung vorhofbelastung vorhofüberbelastung perikardschaden myokardaffektion pathology
damage isch beta blocker therapy infarktablauf digitalisveränderung infarct+ infarction+ infarkt infarkte infarziert~
myocardial myokard~ myokardinfarkt mi ami imi lmi pmi asmi alami ilmi stemi nstemi omi ischemia ischaemia ischemic
ischaemic ischämie ischämisch~ injury necrosis narbe aneurysm aneurysma hypertrophy hypertrophie hypertrophiezeichen
enlargement dilation dilatation overload hypertension atrium ventricle lvh rvh bvh lah rah lae rae lao rao lvhst lbb rbb
linksherzhypertrophie rechtsherzhypertrophie linkshypertrophie rechtshypertrophie linksherzbelastung rechtsherzbelastung
belastung belastungszeichen cardiomyopathy pericarditis perikarditis myocarditis myokarditis pericardial effusion
perikarderguss cor pulmonale pulmonary embolism embolie emphysema copd digitalis digoxin digitaliseffekt electrolyte
elektrolytstörung hyperkalemia hypokalemia hypercalcemia hypocalcemia hyperkalaemia hypokalaemia hyperkaliämie
hypokaliämie hyperkalzämie hypokalzämie hypothermia dextrocardia dextrokardie cardiac coronary koronar~ heart herz
kardial~ angina syndrome syndrom brugada-pattern disease drug antiarrhythmic medication metabolic intracranial
haemorrhage hemorrhage cva drift dressler situs valve mitral~ mitrale infant pediatric paediatric neonatal congenital
"""
_WAVE = """
neg pos verschoben~ übergangszone übergang uebergangszone mittellagetyp seitenlagetyp steillage biphas dep elev leftward
rightward lengthened shortened amplitudenkriterien überhöht~ spitz~ niedervolt qii qiii displaced llt rlt mlt slt
muldenförmig~ contour upright wave+ welle wellen zacke zacken segment+ interval+ intervall intervalle duration+ dauer
amplitude+ voltage+ axis axes qrs qrst qt qtc qtcb qtcf qtd pr pq rr pp st stt tp qrsd qs qr rs rsr jt std ste poor-r
progression transition transitional repolarization-phase inversion+ inverted invertiert~ inversion~ elevation+ elevated
depression+ depressed hebung~ hebungen senkung~ senkungen streckensenkung streckenhebung strecke negativ~ negativierung
negative positive biphasic biphasisch~ monophasic notched notching slurred slurring upsloping downsloping horizontal
flattened flattening abgeflacht~ abflachung präterminal~ präterminal terminal terminal~ peaked peaking hyperacute
pathological pathologic pathologisch~ deviation deviated rotated rotation clockwise counterclockwise lagetyp linkstyp
rechtstyp steiltyp überdrehter indifferenztyp normaltyp mitteltyp linkslagetyp rechtslagetyp überdreht~ sagittaltyp
horizontaltyp herzachse achse achsenabweichung niedervoltage niederspannung periphere peripher~ spannung ausschlag
amplituden r-progression progressionsverlust verlust concave convex early-repolarization strain-pattern u-wave epsilon
osborn j-point s1q3t3 s1s2s3 rsr' rsrs frontal superior indeterminate isoelectric area reciprocal
"""
_RECORDING = """
bericht findings adversely affected trace recorded available arm arms leg legs gender skeletal sinusbefund befundung ecg
ecgs ekg ekgs electrocardiogram elektrokardiogramm electrocardiographic tracing+ recording+ lead+ aufzeichnung aufnahme
qualität quality artifact+ artefact+ artefakt artefakte baseline wander noise rauschen muscle tremor interference
wechselstrom muskelzittern verwackelt verpolt elektrode elektroden electrode+ misplacement misplaced reversal
interchange vertauschung vertauscht analysis analyse interpretation measurement+ messung messungen computer unconfirmed
unbestätigt~ unbestätigter vorläufig~ preliminary befund befunde report diagnosis diagnostic statement+ result+ criteria
criterion kriterien index score rate+ frequenz herzfrequenz kammerfrequenz bpm hf comparison compared vergleich
verglichen disclosure calibration standardization rhythmusanalyse
"""
_JUDGEMENT = """
occurred occasionally shows indicate indicates indicating presence persists persist developed developing appears
extensive significance abnormales abnrm abnr unbest mögl fragl unspez chron path pathol disturbance disturbances minor
decreased doubtful certainly sicher~ diskret~ extrem~ physiological bestimmbar~ nonspec prob poss inf ant lat cause
commonly except possibility schnell~ langsam~ underlying variable negligible inconspicuous reverted remains coarse
fehlend~ schlecht~ ausreichend~ normal normally abnormal abnormality abnormalities abnormally atypical typical
nonspecific unspecific specific unusual unspezifisch~ spezifisch~ normal~ abnorm~ auffällig~ unauffällig~ regelrecht~
regelmäßig~ unregelmäßig~ regelmässig~ untypisch~ grenzwertig~ grenzbefund normbereich norm normvariante variant+
variante borderline probable probably possible possibly likely unlikely suspect suspected suggest suggests suggesting
suggestive suspicious consider considered consistent cannot exclude excluded rule ruled undetermined uncertain definite
equivocal questionable compatible verdacht verdächtig~ wahrscheinlich~ möglich~ möglicherweise fraglich~ vermutlich
vereinbar hinweis hinweise ausgeschlossen auszuschließen auszuschliessen nachweis passend vorliegen acute recent chronic
subacute evolving indeterminate unknown akut~ frisch~ chronisch~ subakut~ älter~ abgelaufen~ zustand mild mildly
moderate moderately marked markedly severe severely pronounced extreme significant significantly minimal minimally
excessive leicht~ mäßig~ mässig~ deutlich~ ausgeprägt~ gering~ geringfügig~ schwer~ erheblich~ signifikant~ frequent
occasional intermittent sustained nonsustained transient persistent isolated multiple consecutive complete incomplete
partial advanced alternating irregular irregularly regular regularly controlled uncontrolled häufig~ gelegentlich~
vereinzelt~ intermittierend~ anhaltend~ komplett~ inkomplett~ vollständig~ unvollständig~ partiell~ unchanged
unverändert~ change+ changed verändert~ veränderung veränderungen changes increase increased decrease erhöht~
vermindert~ worsened improved replaced serial resolved evident present absent abnormale störung störungen zeichen
anomalie anomalous anomaly effect evidence insufficient inadequate diffus~ rythme sinusal normale anormal bradycardie
tachycardie arythmie infarctus hypertrophie ventriculaire gauche droite auriculaire bloc branche ritmo sinusale
sinusalica bradicardia aritmia anormale deviazione assiale sinistra destra infarto ischemia ipertrofia ventricolare
blocco branca fibrillazione atriale
"""
#: Linking words, and words that are also names or initials: never enough by themselves.
_WEAK = """
flach flaches hohes n l zone tiny entirely limit throughout it its has they one because however further much both für er
by based specific rather a v p q r s t u j x i ii an and or of the in on at to with without for from as is are was were
be been have had may might can could should would no not now this that these there than then when which since while if
but also only more less most least other others otherwise due secondary related associated age old new prior previous
previously last earlier early late later first second third high higher low lower large small long short wide wider
narrow deep tall broad flat flattish rapid fast slow slower sharp poor very slight slightly mostly predominantly
generalized all any some few many several two three four either left right upper middle main mid wall free block blocked
blocks strain response pattern type types grade class group shift shifted found seen detected noted shown given use used
using needs review see between above below within over under up down out per time times day note please clinical
clinically correlation correlate suggested recommended interpret caution technically difficult limited unable determine
full disclosure data set line lines level levels point origin source site mechanism function rule part following
followed runs run non un pre re sub co vs via etc versus minute minutes seconds sec msec ms mv uv mm min hz um deg
degrees male female men women adult child years und oder mit ohne bei im am des der die das dem den ein eine einer eines
einem einen ist sind nicht kein keine keiner keinen auf von zu zum zur vom nach vor seit durch als wie auch noch nur
sehr etwas links rechts linker rechter linke rechte linken rechten alt alte alter altes alten neu neue neuer neues hoch
hohe hoher tief tiefe tiefer breit breite breiter schmal schmale schmaler flache flacher typ grad art bild sonst
sonstige übrig übrige ggf evtl eventuell bzw vd dd zn va unter über zwischen wegen infolge sinne bis aus le les du de et
ou avec sans à il di e del della con senza norm minor spitz leicht schwer sicher angina cor herz delta dual spike focus
noise score
"""
#: Names that stand for a thing only in these phrases.
_PHRASES = re.compile(
    r"\bwolff[- ]+parkinson[- ]+white\b|\blown[- ]+ganong[- ]+levine\b|\bromhilt[- ]+estes\b|\bsokolow[- ]+lyon\b"
    r"|\bcornell(?=[- ](?:voltage|product|criteri|index))|\bsokolow(?=[- ](?:voltage|index|criteri))"
    r"|\bbrugada(?=[- ](?:pattern|type|syndrom|ecg))|\bminnesota(?=[- ]code)"
)
_NUMBER = r"(?<![\w.,:/-])-?\d{1,3}(?:[.,]\d{1,3})?"
_SPAN = rf"{_NUMBER}(?:\s*(?:-|to|bis)\s*\d{{1,3}})?"
_END = r"(?![.,:/-]*\d)"
_UNIT = r"(?:msec|ms|sec|s|mv|[uµμ]v|mm|bpm|hz|%|°|deg(?:rees)?|/\s*min(?:ute)?|min)(?:/(?:mv|s|min))?"
#: Where digits may stand; each form is taken out of a line before its words are looked up.
_FORMS = (
    re.compile(rf"\b[qrst]?v[1-9]r?(?:\s*[-,/+]\s*v?[1-9]r?)*(?:\s*s[td])?\b{_END}"),  # V1-V4, V5/6, SV3, RV5
    re.compile(r"\b[qrs]av[rlf]\b|\bs1q3(?:t3)?\b|\bs1s2s3\b|(?<=\))\s*x(?=[a-z])"),  # RaVL, S1Q3T3, (...)xQRSd
    re.compile(rf"[<>≤≥=±]{{1,2}}\s*(?!(?:19|20)\d\d)-?(?:\d{{4}}|\d{{1,3}}(?:[.,]\d{{1,3}})?)(?:\s*{_UNIT}\b)?(?!\w){_END}"),
    re.compile(rf"{_SPAN}\s*{_UNIT}(?!\w)|(?<![\w.,:/-])\d{{4}}\s*ms(?:ec)?\b"),  # 0.1 mV, 50-60/min, 1200 ms
    re.compile(  # V-rate 50-99, QTc: 450, QRS complexes: 4
        rf"\b(?:rate|frequenz|hf|bpm|pr|pq|rr|qrsd?|qtc?[bf]?|achse|ax[ei]s|beats|complexes)\s*[:=]?\s*{_SPAN}(?!\w){_END}"
    ),
    re.compile(r"(?<=axis)\s*\(?-?\d{1,3}(?:\s*,\s*-?\d{1,3})?\)?(?![\w.,:/-]*\d)"),  # axis (-30,-90)
    re.compile(r"(?<![\w.,:/-])[1-3](?:st|nd|rd|[.°º])?[- ]*(?:degree|grade?s?|°|º)(?!\w)"),  # 1st degree, 1. Grades
    re.compile(rf"(?<![\w.,:/-])[1-9](?::|\s*zu\s*)[1-9](?!\w){_END}"),  # 2:1
    re.compile(r"(?<![\w.,:/-])(?:12|15|16|18)[- ]*(?:leads?|channels?|kanal)(?!\w)"),
)
DATE = "(date)"  #: what stands where a date was
_AV = re.compile(r"\ba[-. ]v\b\.?")
_TOKEN = re.compile(r"[^\W_]+")
_INITIAL = re.compile(r"\b[a-hj-uwyz]\.(?:\s|$|[a-z])|\b[a-z]\.\s*[a-z]\.|\b[a-z]\s+[a-z]\s*$")


def _words(*texts: str) -> frozenset[str]:
    found: set[str] = set()
    for word in " ".join(texts).split():
        stem = word.rstrip("~+")
        endings = _ENDINGS if word.endswith("~") else ("", "s") if word.endswith("+") else ("",)
        for ending in endings:
            found.update(_TOKEN.findall(stem + ending))
    return frozenset(found | {word.translate(_PLAIN) for word in found})


_PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
WEAK = _words(_WEAK)
STRONG = _words(_RHYTHM, _CONDUCTION, _TERRITORY, _CONDITION, _WAVE, _RECORDING, _JUDGEMENT) - WEAK


def is_report(line: str) -> bool:
    """Whether a line consists of words of ECG reports, with digits only as criteria have them."""
    text = _AV.sub("av", unicodedata.normalize("NFKC", line).lower())
    if _INITIAL.search(text):
        return False
    left = text = _PHRASES.sub(" ecg ", text).replace(DATE, " ")
    for form in _FORMS:
        left = form.sub(" ", left)
    if not all(word in STRONG or word in WEAK for word in _TOKEN.findall(left)):
        return False
    return _FORMS[1].search(text) is not None or any(word in STRONG for word in _TOKEN.findall(text))

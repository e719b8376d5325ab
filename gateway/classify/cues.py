"""The words that name a kind of work, in several languages, and the script a text is written in.

Data for `gateway.classify.signals`; nothing here decides anything.
"""

from bisect import bisect_right
from collections.abc import Mapping
from enum import StrEnum

SCRIPT_SAMPLE = 32
"""Characters looked at for the script, spread over the text."""


class Kind(StrEnum):
    """A kind of work, in the words it is reported with."""

    SMALL_TALK = "greeting"
    LABEL = "classification"
    EXTRACT = "extraction"
    TRANSLATE = "translation"
    SUMMARY = "summary"
    PROSE = "long prose"
    CODE = "code"
    PROOF = "asks for a proof"
    CONCURRENCY = "concurrency"
    SHORT = "short answer"
    GIVEN = "about a short text"
    OTHER = "other"


SMALL = frozenset((Kind.LABEL, Kind.EXTRACT, Kind.TRANSLATE, Kind.SUMMARY))
"""Kinds that a system prompt may define for every call."""

DEMANDING = frozenset((Kind.PROOF, Kind.CONCURRENCY))
"""Kinds where one wrong step spoils the whole."""

_WORDS = {
    Kind.CONCURRENCY: """deadlock deadlocks livelock lock-free wait-free linearizable mutex mutexes
        compare-and-swap concurrency concurrent interbloqueo concurrencia взаимоблокировка
        interblocage nebenläufigkeit verklemmung""",
    Kind.LABEL: """classify classification categorize categorise label labels sentiment category
        spam clasifica clasificar clasifique sentimiento classifie classez classifique
        sentimento klassifiziere klassifizieren ordne kategorisiere stimmung классифицируй
        классифицируйте классифицируй категория صنف classifica""",
    Kind.EXTRACT: """extract extrae extraer extraiga extrais extraire extraia extrahiere
        extrahieren estrai извлеки извлеките استخرج""",
    Kind.TRANSLATE: """translate traduce traducir traduzca traduis traduire traduisez
        traduza traduzir übersetze übersetzen traduci переведи переведите ترجم""",
    Kind.SUMMARY: """summarize summarise summary tldr resumir résume résumer
        résumez zusammenfassen zusammenfassung riassumi кратко перескажи لخص""",
    Kind.PROSE: """essay article story novel chapter blog screenplay ensayo artículo cuento
        essai récit aufsatz artikel geschichte redação saggio эссе статью рассказ""",
    Kind.CODE: """code python javascript typescript java rust golang c++ kotlin sql regex
        function method script bug debug refactor implement compile traceback unittest
        código función depurar fonction programmer funktion programmiere função
        implementar implementa код функцию функция реализуй كود""",
    Kind.PROOF: """prove proof proofs disprove demonstrate derive derivation theorem lemma
        demuestra demostrar demuestre demostración deduce deduzca demuéstralo démontre démontrer
        démontrez démontrez-le preuve prouve prouvez prouvez-le déduis déduisez beweise beweis
        beweisen herleiten prove
        demonstre deduza dimostra ricava докажи докажите выведите обоснуйте
        доказать доказательство أثبت برهن सिद्ध""",
}

_RUNS = {
    Kind.LABEL: "分类 分類 归类 歸類 情感 感情 분류 감정",
    Kind.EXTRACT: "提取 抽取 抽出 抜き出 추출",
    Kind.TRANSLATE: "翻译 翻譯 翻訳 번역 แปล",
    Kind.SUMMARY: "总结 總結 摘要 概括 要約 요약 สรุป",
    Kind.PROSE: "作文 写一篇 小说 エッセイ 物語 에세이",
    Kind.CODE: "代码 代碼 编程 函数 コード プログラム 関数 코드 함수 โค้ด",
    Kind.PROOF: "证明 證明 推导 论证 试证 証明 導出 導け 示せ 論じよ 증명 พิสูจน์",
    Kind.CONCURRENCY: "死锁 无锁 并发 デッドロック 排他制御 교착",
}

CLOSED_ANSWERS = (
    *("yes or no", "sí o no", "si o no", "oui ou non", "ja oder nein", "sim ou não", "sì o no"),
    *("да или нет", "نعم أم لا", "نعم أو لا", "हाँ या नहीं", "是或否", "是还是否", "はいかいいえ"),
    *("positive or negative", "positivo o negativo", "positiva o negativa", "positif ou négatif"),
    *("positiv oder negativ", "positivo ou negativo", "正面还是负面", "正面或负面", "肯定的"),
    *(
        "긍정",
        "예 또는 아니",
        "urgent or not",
        "urgente o no",
        "urgent ou non",
        "dringend oder nicht",
    ),
    *("紧急吗", "緊急ですか", "spam or not", "spam o no", "spam ou pas", "spam oder", "垃圾短信"),
    *("迷惑メール", "垃圾邮件", "spam ou não", "спам или"),
)
"""What a label looks like when it is asked for by naming the answers, in lower case."""

CUES_WITHOUT_SPACES = tuple(run for runs in _RUNS.values() for run in runs.split())
"""Cues of scripts that put no spaces between words: to be found anywhere."""

CUES: Mapping[str, Kind] = {
    cue: kind for table in (_WORDS, _RUNS) for kind, cues in table.items() for cue in cues.split()
}
"""Every cue in lower case, with the kind of work it names."""

_SMALL_TALK = """hi hello hey hiya yo howdy greetings thanks thank you thx ty cheers bye goodbye
    good morning afternoon evening night day there everyone all how are doing today hola buenos
    buenas días dias tardes noches gracias muchas adiós adios qué tal bonjour bonsoir salut merci
    beaucoup hallo guten morgen tag abend dank danke tschüss ciao buongiorno grazie olá oi obrigado
    obrigada bom dia привет здравствуй здравствуйте спасибо пока добрый день مرحبا شكرا السلام
    عليكم नमस्ते धन्यवाद 你好 您好 谢谢 谢谢你 謝謝 再见 早上好 晚上好 こんにちは こんばんは おはよう
    ありがとう ありがとうございます 안녕 안녕하세요 감사합니다 고마워 สวัสดี ขอบคุณ have a great nice
    see again soon later take care very much that was helpful hasta luego pronto mañana y cuídate
    de nuevo que tengas un una buen au revoir et à bientôt bonne journée soirée nuit tous tout va
    ça vielen einen eine schönen schöne und bis bald zusammen wie geht's dir ihnen nacht até logo
    já tudo bem arrivederci presto a domani buonanotte buonasera как дела до свидания скоро завтра
    спокойной ночи مساء الخير صباح وداعا शुभ रात्रि अलविदा 非常感谢 多谢 祝你愉快 保重 大家好 下午好
    晚安 明天见 嗨 你好吗 最近怎么样 さようなら お元気で やあ 元気 良い一日を 皆さん また明日
    おやすみなさい お疲れ様 또 봐요 잘 가요 좋은 하루 되세요 안녕히"""
SMALL_TALK = frozenset(_SMALL_TALK.split())
"""Words of which a greeting or thanks consists, and nothing else."""

BLOCKS = (
    (0x0000, ""),
    (0x0370, "Greek"),
    (0x0400, "Cyrillic"),
    (0x0530, "Armenian"),
    (0x0590, "Hebrew"),
    (0x0600, "Arabic"),
    (0x0780, ""),
    (0x0900, "Devanagari"),
    (0x0980, "Indic"),
    (0x0E00, "Thai"),
    (0x0E80, "Southeast Asian"),
    (0x10A0, "Georgian"),
    (0x1100, "Hangul"),
    (0x1200, "Ethiopic"),
    (0x13A0, ""),
    (0x3040, "Kana"),
    (0x3100, ""),
    (0x3400, "Han"),
    (0xA000, ""),
    (0xAC00, "Hangul"),
    (0xD7B0, ""),
    (0xF900, "Han"),
    (0xFB00, ""),
    (0x20000, "Han"),
    (0x32000, ""),
)
"""First code points of the blocks that matter, with their scripts ("": Latin or no letter)."""

_STARTS = tuple(start for start, _ in BLOCKS)
_FIRST_NOT_LATIN = chr(_STARTS[1])


def script_of(text: str) -> str:
    """The script most letters of a text are in; empty for Latin and for no letters."""
    if text.isascii():
        return ""
    sample = text[:: len(text) // SCRIPT_SAMPLE + 1]
    # Most texts with letters beyond ASCII are Latin with an accent, a dash or a quotation mark.
    if sample.isascii() or max(sample) < _FIRST_NOT_LATIN:
        return ""
    found: dict[str, int] = {}
    latin = 0
    for letter in sample:
        script = BLOCKS[bisect_right(_STARTS, ord(letter)) - 1][1]
        if script:
            found[script] = found.get(script, 0) + 1
        else:
            latin += letter.isalpha()
    best = max(found, key=found.__getitem__, default="")
    return best if best and found[best] > latin else ""

